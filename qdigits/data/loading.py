"""Load the digits to learn from, those held out to choose by, and those to measure on."""

import logging
from pathlib import Path

from qdigits.data.sources import SOURCES, SourceFiles
from qdigits.data.split import Split, hold_out, join_splits
from qdigits.errors import DataError

TEST_FRACTION = 1 / 6  # of a set that nobody divided officially: 20,000 of 120,000
SPLITS = "official", "writer", "random"


def load_training(
    source: str,
    data_dir: str | Path | None = None,
    split: str = "official",
    validation: float = 0.1,
    seed: int = 0,
) -> tuple[Split, Split]:
    """Load the digits to learn from, and those held out to choose by.

    Validation digits come from other writers than training digits wherever writers are known.
    With the official split no test file is opened.

    Args:
        source: A name in SOURCES.
        data_dir: The folder that holds the source's files; the cache by default.
        split: A name in SPLITS.
        validation: The share to hold out, 0 to 1.
        seed: The seed of the draw.

    Returns:
        The training digits, and the validation digits.

    Raises:
        DataError: A name is unknown, or a file is missing or damaged.
    """
    digits, _ = _load_divided(source, data_dir, split, seed, part="train")
    if digits.writers is None and split != "random":
        logging.getLogger(__name__).warning(
            "%s: writers unknown, validation is drawn at random", source
        )
    return hold_out(digits, validation, seed, by_writer=split != "random")


def load_test(
    source: str,
    data_dir: str | Path | None = None,
    split: str = "official",
    seed: int = 0,
) -> Split:
    """Load the digits to measure on; only evaluation may ask for them.

    Args:
        source: A name in SOURCES.
        data_dir: The folder that holds the source's files; the cache by default.
        split: A name in SPLITS.
        seed: The seed of the draw.

    Raises:
        DataError: A name is unknown, or a file is missing or damaged.
    """
    _, digits = _load_divided(source, data_dir, split, seed, part="test")
    return digits


def _load_divided(
    source: str, data_dir: str | Path | None, split: str, seed: int, part: str
) -> tuple[Split, Split]:
    """Return all digits but the test digits, and the test digits.

    The official split reads only the part that is asked for, and returns it twice.
    """
    if source not in SOURCES:
        raise DataError(f"no data source {source!r}; there are {', '.join(SOURCES)}")
    if split not in SPLITS:
        raise DataError(f"no split {split!r}; there are {', '.join(SPLITS)}")
    entry = SOURCES[source]
    files = SourceFiles(Path(data_dir) if data_dir else None)
    if split == "official" and part in entry.parts:
        only = entry.read(files, part)
        return only, only
    whole = join_splits([entry.read(files, name) for name in entry.parts])
    if split == "writer" and whole.writers is None:
        raise DataError(
            f"{source}: writers unknown, so it cannot be split by writer; try --split random"
        )
    return hold_out(whole, TEST_FRACTION, seed, by_writer=split != "random")
