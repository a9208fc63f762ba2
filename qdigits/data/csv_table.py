"""Read MNIST as a table: a line is a label and 784 pixels, as in Kaggle's train.csv."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from qdigits.data.idx import MAX_ROWS
from qdigits.errors import DataError

MAX_FILE_BYTES = 2**27  # mnist_train.csv, the longest such table, has 110 MB
MAX_LINE_CHARACTERS = 10_000  # 785 columns take half of it
PIXELS = 28 * 28


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a table of labelled digits, with or without a line of column names.

    Args:
        path: A regular file.

    Returns:
        Tiles, uint8 (N, 28, 28), and labels (N,).

    Raises:
        DataError: The file is damaged, too large, without labels, or another table.
    """
    if not 0 < path.stat().st_size <= MAX_FILE_BYTES:
        raise DataError(f"{path}: {path.stat().st_size:,} bytes; 1 to {MAX_FILE_BYTES:,} are read")
    try:
        with open(path, encoding="utf-8-sig") as file:
            return _parse_table(file)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, ValueError, OverflowError) as error:
        cause = " ".join(str(error).split())
        raise DataError(f"{path}: not a table of digits ({cause})") from error


def _parse_table(file: IO[str]) -> tuple[np.ndarray, np.ndarray]:
    lines = _bounded_lines(file)
    first = next(lines, "")
    names = [name.strip(' "\n').lower() for name in first.split(",")]
    if len(names) == PIXELS:
        raise DataError("it has no labels, only pixels; Kaggle keeps the labels of its test.csv")
    if len(names) != PIXELS + 1:
        raise DataError(f"it has {len(names)} columns; expected a label and {PIXELS} pixels")
    has_names = not names[0].isdigit()
    label_column = names.index("label") if "label" in names else 0
    second = next(lines, "")
    if has_names and not second:
        raise DataError("it has column names and no digits")
    rows = chain([second] if has_names else [first, second], lines)
    table = np.loadtxt(rows, np.uint8, delimiter=",", comments=None, max_rows=MAX_ROWS + 1, ndmin=2)
    if len(table) > MAX_ROWS:
        raise DataError(f"it has more than {MAX_ROWS} rows")
    if table.shape[1] != PIXELS + 1:
        raise DataError(f"it has rows of {table.shape[1]} numbers; expected {PIXELS + 1}")
    pixels = np.delete(table, label_column, axis=1)
    return pixels.reshape(-1, 28, 28), table[:, label_column]


def _bounded_lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of a file; one that is too long is refused before it takes memory."""
    while line := file.readline(MAX_LINE_CHARACTERS):
        if len(line) == MAX_LINE_CHARACTERS:
            raise DataError(f"it has a line of {MAX_LINE_CHARACTERS:,} characters or more")
        yield line
