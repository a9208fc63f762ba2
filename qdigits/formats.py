"""Bytes of a data file -> arrays. They come from strangers: no length is trusted before it is counted."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import DataError

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
            while left and (got := stream.readinto(left)):
                left = left[got:]
            if left or stream.read(1):  # reading on to the end also makes gzip check its CRC
                raise DataError(
                    f"{path}: {'cut off' if left else 'longer than its header says'}; fetch it again"
                )
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)
