"""Read MNIST as Hugging Face keeps it: parquet tables whose pictures are PNG files."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdigits.bounded_process import BoundedProcessError, Bounds, run_bounded
from qdigits.data.idx import MAX_ROWS
from qdigits.data.parquet_child import HEADER, LABELS, SIZES
from qdigits.errors import DataError, ImageError
from qdigits.files import read_file
from qdigits.imaging.decode import open_photo

MAX_FILE_BYTES = 2**26
BOUNDS = Bounds(seconds=20, clock_seconds=120, memory=2**30)
CHILD = Path(__file__).with_name("parquet_child.py")
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


class Rows(NamedTuple):
    """What a table holds."""

    pictures: list[bytes]  # files
    labels: np.ndarray  # int64 (N,)


def read_parquet(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read the files of one part, in order.

    Args:
        paths: Regular files with the columns "image" (a struct with "bytes") and "label".

    Returns:
        Tiles, uint8 (N, 28, 28), and labels (N,).

    Raises:
        DataError: pyarrow is not installed, or a file is damaged, too large or another table.
    """
    if not find_spec("pyarrow"):
        raise DataError(
            f"{paths[0]}: a parquet table; pip install 'qdigits[parquet]' lets it be read"
        )
    tiles: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for path in paths:
        data = read_file(path, MAX_FILE_BYTES, DataError)
        try:
            rows = unpack_rows(data, MAX_ROWS - len(tiles))
            tiles += [decode_tile(picture) for picture in rows.pictures]
            labels.append(rows.labels)
        except (ImageError, DataError) as error:
            raise DataError(f"{path}: {error}") from error
    return np.stack(tiles), np.concatenate(labels)


def unpack_rows(data: bytes, max_rows: int) -> Rows:
    """Unpack a table in a process of its own.

    Args:
        data: The file.
        max_rows: A table with more is refused.

    Raises:
        DataError: It is damaged, too large, or another table.
    """
    try:
        unpacked = run_bounded(CHILD, max_rows, data, BOUNDS)
    except BoundedProcessError as error:
        raise DataError(f"damaged, or not such a table ({error})") from error
    (count,) = HEADER.unpack_from(unpacked)
    labels = np.frombuffer(unpacked, LABELS, count, HEADER.size)
    sizes = np.frombuffer(unpacked, SIZES, count, HEADER.size + labels.nbytes)
    ends = np.cumsum(sizes, dtype=np.int64) + HEADER.size + labels.nbytes + sizes.nbytes
    starts = ends - sizes
    pictures = [
        unpacked[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return Rows(pictures, labels)


def decode_tile(picture: bytes) -> np.ndarray:
    """Decode a PNG file of 28x28 grey pixels."""
    if not picture.startswith(PNG_MAGIC):
        raise DataError("a picture that is no PNG file")
    pixels = open_photo(picture).pixels
    if pixels.shape[:2] != (28, 28):
        raise DataError(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels, not 28 x 28")
    return pixels[..., 0].copy()
