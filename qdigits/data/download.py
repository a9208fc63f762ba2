"""Fetch published files. What arrives is right byte for byte, or is not kept."""

import gzip
import hashlib
import logging
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import pooch
import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from qdigits.errors import DataError

TIMEOUT = 10.0  # seconds without a byte
DEADLINE = 900.0  # seconds for one file, however steadily it drips
MAX_FILE_BYTES = 2**26
BLOCK_BYTES = 2**16
GZIP_MAGIC = b"\x1f\x8b"
MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "qmnist": ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
}


class Published(NamedTuple):
    """The checksums of a file as its authors published it."""

    md5: str  # of the .gz
    sha256: str | None = None  # of what is inside, for a file unpacked or packed anew


PUBLISHED = {
    "train-images-idx3-ubyte": Published(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": Published(
        "d53e105ee54ea40749a09fcbcd1e9432",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": Published(
        "9fb629c4189551a2d022fa330f9573f3",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": Published(
        "ec29112dd5afa0611ce80d1b7f02629c",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "qmnist-train-images-idx3-ubyte": Published("ed72d4157d28c017586c42bc6afe6370"),
    "qmnist-train-labels-idx2-int": Published(
        "0058f8dd561b90ffdd0f734c6a30e5e4",
        "bb1b6e1ec7b04fd5696f1ed50b5f58f8ef195118edd5c93c81783df9740b8ac5",
    ),
    "qmnist-test-images-idx3-ubyte": Published("1394631089c404de565df7b7aeaf9412"),
    "qmnist-test-labels-idx2-int": Published(
        "5b5b05890a5e13444e108efe57b788aa",
        "92d0ccb8c25f9c6534270fb4be7e1d24a1c6d315edfc8a638bfbd31c70f362dd",
    ),
}


def cache_dir() -> Path:
    """Return the folder that downloads are kept in: QDIGITS_CACHE, or one under XDG_CACHE_HOME."""
    return Path(os.environ.get("QDIGITS_CACHE") or pooch.os_cache("qdigits"))


def fetch(name: str) -> Path:
    """Return a published file from the cache, where its checksum is verified, or download it.

    Args:
        name: A name in PUBLISHED.

    Returns:
        The path of the gzipped file.

    Raises:
        DataError: No mirror gives it; the message says how to go on.
    """
    causes = []
    pooch.get_logger().setLevel(logging.WARNING)
    for mirror in MIRRORS["qmnist" if name.startswith("qmnist") else "mnist"]:
        try:
            return _fetch_from(mirror, name)
        except (OSError, ValueError, HTTPError) as error:  # requests, the disk; checksum; urllib3
            causes.append(_describe_failure(mirror, error))
    raise DataError(
        f"{name}.gz cannot be fetched ({', '.join(causes)}); "
        "go on with --data sample, or --data-dir DIR if you have it"
    )


def _fetch_from(mirror: str, name: str) -> Path:
    known_hash = f"md5:{PUBLISHED[name].md5}"
    file = f"{name}.gz"
    return Path(pooch.retrieve(mirror + file, known_hash, file, cache_dir(), downloader=_download))


def _describe_failure(mirror: str, error: Exception) -> str:
    if reason := getattr(error, "strerror", None):  # of the disk
        return f"{cache_dir()}: {reason}"
    host = mirror.split("/")[2]
    return f"{host}: {type(error).__name__}"


def is_published(path: Path) -> bool | None:
    """Tell whether a file is what was published under its name, packed or unpacked.

    Returns:
        None where no checksum was published.
    """
    name = path.name.removesuffix(".gz").replace(".idx", "-idx")  # some write a dot
    if name not in PUBLISHED:
        return None
    data = path.read_bytes()
    if hashlib.md5(data).hexdigest() == PUBLISHED[name].md5:
        return True
    if data.startswith(GZIP_MAGIC):
        data = gzip.decompress(data)
    return hashlib.sha256(data).hexdigest() == PUBLISHED[name].sha256


def _download(url: str, output: str, _: Any) -> None:
    """Download for pooch, with a deadline and a bound, and never leave https."""
    end = time.monotonic() + DEADLINE
    session = requests.Session()
    if url.startswith("https:"):
        del session.adapters["http://"]  # wherever it is redirected
    name = url.rsplit("/", 1)[-1]
    with (
        session.get(url, stream=True, timeout=TIMEOUT) as response,
        open(output, "wb") as file,
        tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar,
    ):
        response.raise_for_status()
        bar.reset(int(response.headers.get("content-length", 0)) or None)
        # read1 returns what has come, without waiting for a whole block.
        while block := response.raw.read1(BLOCK_BYTES):
            if time.monotonic() > end or file.tell() > MAX_FILE_BYTES:
                raise OSError("too slow or too long")
            bar.update(file.write(block))
