"""Read MNIST as Hugging Face keeps it: parquet tables whose pictures are PNG files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qdigits.data.idx import MAX_ROWS
from qdigits.errors import DataError, ImageError
from qdigits.imaging.decode import open_photo

MAX_FILE_BYTES = 2**26
MAX_UNPACKED_BYTES = 2**27
MAX_PICTURE_BYTES = 4096  # a 28x28 PNG has at most 900
MAX_METADATA_ITEMS = 10_000
BATCH_ROWS = 1000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def read_parquet(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read the files of one part, in order.

    Args:
        paths: Regular files with the columns "image" (a struct with "bytes") and "label".

    Returns:
        Tiles, uint8 (N, 28, 28), and labels (N,).

    Raises:
        DataError: pyarrow is not installed, or a file is damaged, too large or another table.
    """
    tiles: list[np.ndarray] = []
    labels: list[int] = []
    for path in paths:
        try:
            for picture, label in _read_rows(path, MAX_ROWS - len(tiles)):
                tiles.append(_decode_tile(picture))
                labels.append(int(label))
        except (ImageError, DataError) as error:
            raise DataError(f"{path}: {error}") from error
        except Exception as error:  # pyarrow raises many classes on a damaged file
            cause = " ".join(str(error).split())[:100]
            raise DataError(f"{path}: damaged, or not such a table ({cause})") from error
    return np.stack(tiles), np.array(labels)


def _read_rows(path: Path, max_rows: int) -> Iterator[tuple[Any, Any]]:
    """Yield picture files and labels, after a look at what the file says of its size."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(
            "a parquet table; pip install 'qdigits[parquet]' lets it be read"
        ) from error
    if not 0 < path.stat().st_size <= MAX_FILE_BYTES:
        raise DataError(f"{path.stat().st_size:,} bytes; 1 to {MAX_FILE_BYTES:,} are read")
    with ParquetFile(
        path,
        thrift_string_size_limit=MAX_FILE_BYTES,
        thrift_container_size_limit=MAX_METADATA_ITEMS,
    ) as table:
        metadata = table.metadata
        if not 1 <= metadata.num_rows <= max_rows:
            raise DataError(f"{metadata.num_rows} rows; expected 1 to {max_rows}")
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        unpacked_bytes = sum(group.total_byte_size for group in groups)
        if unpacked_bytes > MAX_UNPACKED_BYTES:
            raise DataError(f"{unpacked_bytes:,} bytes unpacked; at most {MAX_UNPACKED_BYTES:,}")
        for batch in table.iter_batches(BATCH_ROWS, columns=["image.bytes", "label"]):
            pictures = batch.column("image").field("bytes").to_pylist()
            yield from zip(pictures, batch.column("label").to_pylist(), strict=True)


def _decode_tile(picture: Any) -> np.ndarray:
    """Decode a PNG file of 28x28 grey pixels."""
    if not isinstance(picture, bytes) or len(picture) > MAX_PICTURE_BYTES:
        raise DataError(f"a picture that is no file of at most {MAX_PICTURE_BYTES:,} bytes")
    if not picture.startswith(PNG_MAGIC):
        raise DataError("a picture that is no PNG file")
    pixels = open_photo(picture).pixels
    if pixels.shape[:2] != (28, 28):
        raise DataError(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels, not 28 x 28")
    return pixels[..., 0].copy()
