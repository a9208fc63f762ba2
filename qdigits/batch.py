"""Many pictures in, a result for each out: one bad file doesn't stop the rest."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qdigits.errors import ImageError
from qdigits.files import inert_cell
from qdigits.imaging.annotate import mark_doubt
from qdigits.imaging.constants import MAX_FILE_BYTES
from qdigits.imaging.formats import (
    OTHER_PICTURE_SUFFIXES,
    is_picture_name,
    recognise_format,
)
from qdigits.imaging.parts import SeveralPicturesError
from qdigits.imaging.threads import use_one_thread
from qdigits.predictor import Model, Reading, read_together

COLUMNS = ("file", "text", "confidence", "accepted", "error")
MAX_IN_FLIGHT = 512  # pictures in work
MAX_TOGETHER = 16  # pictures that a thread takes at a time
SHARES = 4  # of the pictures in work that each thread takes at least, one after the other
STANDARD_INPUT = "-"
# The first bytes of these formats begin other files, too: they are known by their names only.
KNOWN_BY_NAME = (None, "BMP", "ZIP")

logger = logging.getLogger("qdigits")


class FileResult(NamedTuple):
    """What one picture gave: a reading, or the reason why not."""

    file: str  # "scan.pdf#2" is the second page of a file
    photo: Any  # what `read` was given
    reading: Reading | None
    error: str = ""

    @property
    def line(self) -> str:
        """The text in one line; rows of the picture are separated by a slash."""
        return self.reading.text.replace("\n", " / ") if self.reading else ""

    def row(self) -> tuple[str, ...]:
        """Return the cells of a table, in the order of COLUMNS, safe to open in a spreadsheet."""
        file = inert_cell(printable(self.file))
        if self.reading is None:
            return file, "", "", "", self.error
        accepted = "yes" if self.reading.accepted else "no"
        return file, inert_cell(self.line), f"{self.reading.confidence:.4f}", accepted, ""

    def record(self) -> dict[str, Any]:
        """Return everything but the tiles, for JSON."""
        if self.reading is None:
            return {"file": self.file, "error": self.error}
        whole = {"confidence": self.reading.confidence, "accepted": self.reading.accepted}
        return {"file": self.file, **whole, **self.reading.to_dict()}


def sheet_table(reading: Reading) -> list[list[str]]:
    """Return the numbers in rows and columns as on the sheet; "?" stands behind doubtful ones."""
    cells = reading.table()
    for number in reading.numbers:
        cells[number.row][number.column] = mark_doubt(number)
    return cells


def describe_reading(reading: Reading) -> str:
    """Say how a photo was turned and how much on it was not read; "" where that is nothing."""
    facts = []
    if reading.turned:
        facts.append(f"read after turning it by {90 * reading.turned} degrees")
    if reading.unread:
        count = len(reading.unread)
        facts.append("1 mark was not read" if count == 1 else f"{count} marks were not read")
    return "; ".join(facts)


@dataclass
class Listing:
    """The pictures that the user means, and the files beside them that are no pictures."""

    files: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class Source(NamedTuple):
    """A picture to read, and what it is called."""

    file: str
    photo: Any


def expand_paths(names: Sequence[str]) -> Listing:
    """List the pictures meant: a folder stands for all pictures in it, but hidden ones."""
    listing = Listing()
    for name in names:
        if not os.path.isdir(name):
            listing.files.append(name)
            continue
        for path in walk_visible(name):
            (listing.files if holds_picture(path) else listing.skipped).append(path)
    return listing


def walk_visible(folder: str) -> list[str]:
    """Return all files below a folder in order, without hidden ones and hidden folders."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(parent, name) for name in files if not name.startswith(".")]
    return sorted(found)


def holds_picture(path: str) -> bool:
    """Say whether a file is a picture, read or not: by its name, or else by its first bytes."""
    if is_picture_name(path) or Path(path).suffix.lower() in OTHER_PICTURE_SUFFIXES:
        return True
    if not os.path.isfile(path):  # a named pipe would wait for ever
        return False
    try:
        with open(path, "rb") as file:
            return recognise_format(file.read(100)) not in KNOWN_BY_NAME
    except OSError:
        return False


def read_files(
    model: Model,
    files: Listing | Sequence[str],
    jobs: int | None = None,
    done: AbstractSet[str] = frozenset(),
) -> Iterator[FileResult]:
    """Yield a result for each picture, in order; a file of several pictures gives several.

    Args:
        model: The network.
        files: Names of pictures, or what expand_paths found; "-" is a picture on standard input.
            Files of an archive that are no pictures are added to the skipped ones of a listing.
        jobs: Threads that read; one for each core by default.
        done: Names of pictures to leave out.
    """
    listing = files if isinstance(files, Listing) else Listing(list(files))
    sources = [Source(name, name) for name in listing.files]
    jobs = jobs or os.cpu_count() or 1
    use_one_thread()
    with ThreadPoolExecutor(jobs) as pool:
        yield from _read_sources(Readers(model, pool, jobs), sources, listing.skipped, done)


class Readers(NamedTuple):
    """Threads that read pictures with one network."""

    model: Model
    pool: ThreadPoolExecutor
    threads: int

    def read(self, sources: Sequence[Source]) -> Iterator[FileResult | SeveralPicturesError]:
        """Yield a result for each picture, in order.

        A thread takes some pictures at a time: to hand over each tile alone costs as much as to
        read it. Of a few large photos it takes one, so that all threads have work.
        """
        share = len(sources) // (SHARES * self.threads)
        size = min(max(share, 1), MAX_TOGETHER)
        groups = [sources[first : first + size] for first in range(0, len(sources), size)]
        for results in self.pool.map(partial(read_group, self.model), groups):
            yield from results


def _read_sources(
    readers: Readers, sources: Sequence[Source], skipped: list[str], done: AbstractSet[str]
) -> Iterator[FileResult]:
    wanted = (source for source in sources if not is_done(source.file, done))
    while batch := list(islice(wanted, MAX_IN_FLIGHT)):
        for source, result in zip(batch, readers.read(batch), strict=True):
            if isinstance(result, FileResult):
                yield result
                continue
            parts = [Source(f"{source.file}#{part.name}", part) for part in result.parts]
            skipped += [f"{source.file}#{name}" for name in result.others]
            yield from _read_sources(readers, parts, skipped, done)


def read_group(model: Model, sources: Sequence[Source]) -> list[FileResult | SeveralPicturesError]:
    """Read some pictures; a file of several pictures is returned as the error that lists them."""
    photos = [
        sys.stdin.buffer.read(MAX_FILE_BYTES + 1) if one.file == STANDARD_INPUT else one.photo
        for one in sources
    ]
    readings = read_together(model, photos)
    return [
        make_result(source, photo, reading)
        for source, photo, reading in zip(sources, photos, readings, strict=True)
    ]


def make_result(
    source: Source, photo: Any, reading: Reading | ImageError
) -> FileResult | SeveralPicturesError:
    """Put what became of a picture beside its name."""
    if isinstance(reading, Reading):
        logger.debug("%s: read %d digits", source.file, len(reading.digits))
        return FileResult(source.file, photo, replace(reading, source=photo))
    if isinstance(reading, SeveralPicturesError):
        return reading
    logger.info("%s: %s", source.file, reading)
    return FileResult(source.file, photo, None, str(reading).removeprefix(f"{source.file}: "))


def is_done(file: str, done: AbstractSet[str]) -> bool:
    """Say whether a picture is among those done, however a table spells its name."""
    name = printable(file)
    return not done.isdisjoint((file, name, inert_cell(name)))


def printable(text: str) -> str:
    """Return a file name without control characters: they break lines and talk to terminals."""
    return "".join(letter if is_printable(letter) else repr(letter)[1:-1] for letter in text)


def is_printable(letter: str) -> bool:
    """Say whether a letter is no control character; bytes that are no letters pass as they are."""
    return ord(letter) >= 32 and not 127 <= ord(letter) < 160


def terminal_art(tile: np.ndarray) -> str:
    """Draw a tile in half-blocks, two rows of pixels to a line.

    Args:
        tile: uint8 (28, 28).
    """
    ink = (tile > 100).astype(int).reshape(14, 2, 28)
    blocks = np.array([" ", "▄", "▀", "█"])[2 * ink[:, 0] + ink[:, 1]]  # (14, 28)
    return "\n".join("".join(row) for row in blocks)
