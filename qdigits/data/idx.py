"""Read IDX, the file format of MNIST. No length in a stranger's file is trusted uncounted."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from qdigits.errors import DataError

MAX_ROWS = 60_000  # of the largest official file; a header that claims more is refused
BLOCK_BYTES = 2**20  # read at once: gzip would take a second copy of the whole


class IdxSpec(NamedTuple):
    """What an IDX file has to hold."""

    name: str  # for messages
    code: int  # IDX's number for the type of its values
    dtype: str  # the same type for numpy
    row: tuple[int, ...]  # the shape of one row


IMAGES = IdxSpec("28x28 images", 0x08, "u1", (28, 28))
LABELS = IdxSpec("labels", 0x08, "u1", ())
# class, NIST series, writer, ...
QMNIST_LABELS = IdxSpec("QMNIST's extended labels", 0x0C, ">i4", (8,))


def read_idx(path: Path, spec: IdxSpec) -> np.ndarray:
    """Read one IDX file, gzipped or not.

    Args:
        path: A regular file.
        spec: What it has to hold: IMAGES, LABELS or QMNIST_LABELS.

    Returns:
        The rows in the machine's byte order: (N, 28, 28), (N,) or (N, 8).

    Raises:
        DataError: The file is damaged, of another kind, cut off, or longer than its header says.

    Source:
        http://yann.lecun.com/exdb/mnist/ (the description of the format).
    """
    try:
        with open(path, "rb") as raw:
            is_packed = raw.peek(2)[:2] == b"\x1f\x8b"
            stream: IO[bytes] | Any = gzip.GzipFile(fileobj=raw) if is_packed else raw
            rows = _read_header(stream, path, spec)
            array = _read_rows(stream, path, np.empty((rows, *spec.row), spec.dtype))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _read_header(stream: IO[bytes], path: Path, spec: IdxSpec) -> int:
    """Return the number of rows that the header tells."""
    magic = stream.read(4)
    count = stream.read(4)
    row = stream.read(4 * len(spec.row))
    expected_magic = struct.pack(">HBB", 0, spec.code, 1 + len(spec.row))
    expected_row = struct.pack(f">{len(spec.row)}I", *spec.row)
    if magic != expected_magic or row != expected_row:
        raise DataError(f"{path}: not an IDX file of {spec.name}")
    rows = int.from_bytes(count, "big")
    if not 1 <= rows <= MAX_ROWS:
        raise DataError(f"{path}: says it holds {rows} rows; expected 1 to {MAX_ROWS}")
    return rows


def _read_rows(stream: IO[bytes], path: Path, array: np.ndarray) -> np.ndarray:
    """Fill the array from the stream, which has to end with it."""
    left = memoryview(array.data).cast("B")
    while left and (count := stream.readinto(left[:BLOCK_BYTES])):  # type: ignore[attr-defined]
        left = left[count:]
    if left:
        raise DataError(f"{path}: cut off; fetch it again")
    if stream.read(1):  # reading on to the end also makes gzip check its CRC
        raise DataError(f"{path}: longer than its header says; fetch it again")
    return array
