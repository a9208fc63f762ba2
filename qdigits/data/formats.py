"""Bytes of a data file -> arrays. They come from strangers: no length is trusted before it is counted."""

import gzip
import pickle
import re
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qdigits.errors import DataError
from qdigits.files import read_file
from qdigits.safe_pickle import PickledCall, read_pickle

LARGEST = 2**28  # bytes of a pickle
MOST = 60_000  # digits in the largest official file; a header claiming more is refused before memory is taken


class Kind(NamedTuple):
    """What an IDX file has to be: the code of its number type, that type, the shape of one row."""

    words: str
    code: int
    dtype: str
    row: tuple[int, ...]


IMAGES = Kind("28x28 images", 0x08, "u1", (28, 28))
LABELS = Kind("labels", 0x08, "u1", ())
EXTENDED = Kind("QMNIST's extended labels", 0x0C, ">i4", (8,))  # class, NIST series, writer, ...


def read_idx(path: Path, kind: Kind) -> np.ndarray:
    """One IDX file, gzipped or not, as an array.

    Takes   a regular file; its kind: IMAGES, LABELS or EXTENDED.
    Gives   the rows in the machine's byte order: (N, 28, 28), (N,) or (N, 8).
    Raises  DataError: damaged, another kind of file, cut off, or longer than its header says.
    Source  http://yann.lecun.com/exdb/mnist/ (the format's description).
    """
    row = kind.row
    expected = struct.pack(">HBB", 0, kind.code, 1 + len(row)), struct.pack(f">{len(row)}I", *row)
    try:
        with open(path, "rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            magic, count, tail = stream.read(4), stream.read(4), stream.read(4 * len(row))
            if (magic, tail) != expected:
                raise DataError(f"{path}: not an IDX file of {kind.words}")
            rows = int.from_bytes(count, "big")
            if not 1 <= rows <= MOST:
                raise DataError(f"{path}: says it holds {rows} rows; expected 1 to {MOST}")
            array = np.empty((rows, *row), kind.dtype)
            left = memoryview(array.data).cast("B")
            while left and (
                got := stream.readinto(left[: 2**20])
            ):  # gzip would take a second copy of the whole
                left = left[got:]
            if left or stream.read(1):  # reading on to the end also makes gzip check its CRC
                raise DataError(
                    f"{path}: {'cut off' if left else 'longer than its header says'}; fetch it again"
                )
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


_NUMPY = frozenset({"numpy.ndarray", "numpy.dtype", "_codecs.encode"}) | {
    f"numpy.{core}.{name}"
    for core in ("core", "_core")  # numpy 1, numpy 2
    for name in ("multiarray._reconstruct", "numeric._frombuffer")
}


def read_kaggle(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Kaggle's MNIST-120k, a pickle of {"data": (N, 28, 28), "labels": (N, 1)}, read without running it.

    Gives   uint8 (N, 28, 28) and integers (N,).
    Raises  DataError: damaged, or a pickle that wants anything but two arrays of integers.
    """
    data = read_file(path, LARGEST, DataError)
    try:
        tree = read_pickle(data, _NUMPY)
        images, labels = _array(tree["data"]), _array(tree["labels"]).ravel()
        if images.shape[1:] != (28, 28) or not 0 <= images.min() <= images.max() <= 255:
            raise pickle.UnpicklingError(
                f"it has images of {images.shape[1:]}, {images.min()} to {images.max()}"
            )
    except pickle.UnpicklingError as error:
        raise DataError(f"{path}: not Kaggle's MNIST-120k: {error}") from error
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{path}: damaged, or not Kaggle's MNIST-120k") from error
    return images.astype(np.uint8), labels


def _array(told: Any) -> np.ndarray:
    """The array that numpy's pickle describes, made here from its bytes."""
    match told:
        case PickledCall(
            "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct", _, state
        ):
            _, shape, dtype, fortran, raw = state
        case PickledCall(
            "numpy.core.numeric._frombuffer" | "numpy._core.numeric._frombuffer",
            (raw, dtype, shape, order),
        ):
            fortran = order == "F"
        case _:
            raise pickle.UnpicklingError("it lacks an array")
    match raw:
        case PickledCall("_codecs.encode", (str(text), "latin1")):
            raw = text.encode("latin1")
    match dtype:
        case PickledCall("numpy.dtype", (str(code), *_), (_, str(end), *_)) if re.fullmatch(
            "[<>=|][iu][1248]", end + code
        ):
            array = np.frombuffer(raw, end + code).reshape(shape, order="F" if fortran else "C")
            if array.shape == shape:
                return array
    raise pickle.UnpicklingError("it has an array of other things than integers")
