"""Published files, from the cache or a mirror. What arrives is right, byte for byte, or is not kept."""

import gzip
import hashlib
import logging
import os
import time
from pathlib import Path
from typing import Any

import pooch
import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from qdigits.errors import DataError

TIMEOUT = 10.0  # seconds without a byte
DEADLINE = 900.0  # seconds for one file, however steadily it drips
MAX_FILE_BYTES = 2**26  # bytes
MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "qmnist": ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
}
# name -> md5 of the .gz as published; SHA-256 of what is inside, for files unpacked or packed anew
PUBLISHED = {
    "train-images-idx3-ubyte": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        "d53e105ee54ea40749a09fcbcd1e9432",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        "9fb629c4189551a2d022fa330f9573f3",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        "ec29112dd5afa0611ce80d1b7f02629c",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "qmnist-train-images-idx3-ubyte": ("ed72d4157d28c017586c42bc6afe6370", None),
    "qmnist-train-labels-idx2-int": (
        "0058f8dd561b90ffdd0f734c6a30e5e4",
        "bb1b6e1ec7b04fd5696f1ed50b5f58f8ef195118edd5c93c81783df9740b8ac5",
    ),
    "qmnist-test-images-idx3-ubyte": ("1394631089c404de565df7b7aeaf9412", None),
    "qmnist-test-labels-idx2-int": (
        "5b5b05890a5e13444e108efe57b788aa",
        "92d0ccb8c25f9c6534270fb4be7e1d24a1c6d315edfc8a638bfbd31c70f362dd",
    ),
}


def cache_dir() -> Path:
    """QDIGITS_CACHE, or qdigits under XDG_CACHE_HOME."""
    return Path(os.environ.get("QDIGITS_CACHE") or pooch.os_cache("qdigits"))


def fetch(name: str) -> Path:
    """The published file of that name, gzipped, checked against its checksum now.

    Raises  DataError, saying how to go on, when no mirror gives it.
    """
    causes = []
    pooch.get_logger().setLevel(logging.WARNING)
    for mirror in MIRRORS["qmnist" if name.startswith("qmnist") else "mnist"]:
        try:
            known = f"md5:{PUBLISHED[name][0]}"
            return Path(
                pooch.retrieve(
                    f"{mirror}{name}.gz", known, f"{name}.gz", cache_dir(), downloader=_download
                )
            )
        except (
            OSError,
            ValueError,
            HTTPError,
        ) as error:  # of requests and the disk, pooch's checksum, urllib3
            disk = getattr(error, "strerror", None)
            causes.append(
                f"{cache_dir()}: {disk}"
                if disk
                else f"{mirror.split('/')[2]}: {type(error).__name__}"
            )
    raise DataError(
        f"{name}.gz cannot be fetched ({', '.join(causes)}); go on with --data sample, or --data-dir DIR if you have it"
    )


def is_published(path: Path) -> bool | None:
    """Whether a file is, packed or unpacked, what was published under its name; None where no checksum was."""
    if (name := path.name.removesuffix(".gz")) not in PUBLISHED:
        return None
    md5, inside = PUBLISHED[name]
    data = path.read_bytes()
    if hashlib.md5(data).hexdigest() == md5:
        return True
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return hashlib.sha256(data).hexdigest() == inside


def _download(url: str, output: str, _: Any) -> None:
    """pooch's downloader, with a deadline and a bound, that never leaves https."""
    end, session = time.monotonic() + DEADLINE, requests.Session()
    if url.startswith("https:"):
        del session.adapters["http://"]  # wherever it is redirected
    with (
        session.get(url, stream=True, timeout=TIMEOUT) as response,
        open(output, "wb") as file,
        tqdm(
            desc=url.rsplit("/", 1)[-1], unit="B", unit_scale=True, disable=None, leave=False
        ) as bar,
    ):
        response.raise_for_status()
        bar.reset(int(response.headers.get("content-length", 0)) or None)
        while block := response.raw.read1(
            2**16
        ):  # what has come, without waiting for a whole block
            if time.monotonic() > end or file.tell() > MAX_FILE_BYTES:
                raise OSError("too slow or too long")
            bar.update(file.write(block))
