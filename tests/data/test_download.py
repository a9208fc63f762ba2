"""Downloads, from a server on this machine: right byte for byte, or not kept."""

import gzip
import hashlib
import io
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests
import urllib3

from qdigits.data import download
from qdigits.errors import DataError
from tests.attacks import mirrors
from tests.attacks.idx_files import idx

NAME = "train-labels-idx1-ubyte"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """mirror(how, ...) sets how each mirror behaves, and returns where the file will lie."""
    content = gzip.compress(idx(np.arange(60, dtype=np.uint8) % 10))
    monkeypatch.setenv("QDIGITS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(
        download.PUBLISHED, NAME, download.Published(hashlib.md5(content).hexdigest())
    )
    monkeypatch.setattr(download, "TIMEOUT", 1)
    monkeypatch.setattr(download, "DEADLINE", 0.5)
    monkeypatch.setattr(download, "MAX_FILE_BYTES", 2**20)
    with mirrors.mirror(content) as server:

        def behave(*how: str) -> Path:
            monkeypatch.setitem(
                download.MIRRORS, "mnist", tuple(f"{server.root}{one}/" for one in how)
            )
            return tmp_path / "cache" / f"{NAME}.gz"

        behave.server = server
        yield behave


@pytest.mark.parametrize("how", mirrors.BAD)
def test_a_bad_download_leaves_nothing_and_says_how_to_go_on(mirror, monkeypatch, how):
    if how == "longer":  # than any file of ours: not to be waited for
        monkeypatch.setattr(download, "DEADLINE", 60)
    path, began = mirror(how), time.monotonic()
    cause = "HTTPError" * (how == "missing")
    with pytest.raises(
        DataError, match=rf"127\.0\.0\.1:\d+: {cause}.*--data sample.*--data-dir"
    ) as caught:
        download.fetch(NAME)
    assert len(str(caught.value).splitlines()) == 1
    assert time.monotonic() - began < 5
    assert not path.exists()
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    "how", [("good",), ("redirect",), ("missing", "good"), ("wrong", "cut", "good")]
)
def test_a_good_mirror_is_found_and_asked_once(mirror, how):
    path = mirror(*how)
    assert download.fetch(NAME) == path
    assert path.read_bytes() == mirror.server.content
    asked = mirror.server.asked
    download.fetch(NAME)
    assert mirror.server.asked == asked
    path.write_bytes(b"damaged")
    assert download.fetch(NAME).read_bytes() == mirror.server.content


def test_two_at_once_both_have_the_file(mirror):
    path, errors = mirror("good"), []

    def fetch():
        try:
            assert download.fetch(NAME).read_bytes() == mirror.server.content
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert list(path.parent.iterdir()) == [path]


def test_a_closed_port_and_a_full_cache_are_data_errors(mirror, monkeypatch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setitem(download.MIRRORS, "mnist", (f"http://127.0.0.1:{port}/",))
    with pytest.raises(DataError, match="ConnectionError"):
        download.fetch(NAME)
    mirror("good")
    (tmp_path / "file").touch()
    monkeypatch.setenv("QDIGITS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="file/cache: Not a directory"):
        download.fetch(NAME)


@pytest.mark.parametrize("scheme", ["http", "HTTP", " http"])
def test_https_never_becomes_http(mirror, monkeypatch, scheme):
    mirror("good")
    plain = requests.adapters.HTTPAdapter.send

    def send(adapter, request, **how):
        if not request.url.startswith("https:"):
            return plain(adapter, request, **how)
        response = requests.Response()  # https://example.org sends us away
        response.status_code, response.request, response.url = 302, request, request.url
        response.raw = urllib3.HTTPResponse(io.BytesIO(), preload_content=False)
        response.headers["location"] = (
            f"{scheme}{mirror.server.root.removeprefix('http')}good/{NAME}.gz"
        )
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    monkeypatch.setitem(download.MIRRORS, "mnist", ("https://example.org/",))
    with pytest.raises(DataError, match=r"example\.org: (InvalidSchema|ConnectionError|HTTPError)"):
        download.fetch(NAME)
    assert not mirror.server.asked


def test_mirrors_are_asked_by_https():
    assert all(root.startswith("https://") for roots in download.MIRRORS.values() for root in roots)
