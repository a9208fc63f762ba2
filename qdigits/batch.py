"""Many pictures in, a result for each out: one bad file doesn't stop the rest."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
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
from qdigits.models.cascade import Cascade
from qdigits.models.onnx_model import OnnxModel
from qdigits.parallel_map import map_in_processes, map_in_threads
from qdigits.predictor import Model, Reading, bundled_page_net, read_together

COLUMNS = ("file", "text", "confidence", "accepted", "error")
MAX_GROUP_SIZE = 64  # pictures that a thread or process takes at a time
GROUPS_PER_JOB = 16  # at least, so that all end at about the same time
STANDARD_INPUT = "-"
# The first bytes of these formats begin other files, too: they are known by their names only.
KNOWN_BY_NAME = (None, "BMP", "ZIP")
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")

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


Result = FileResult | SeveralPicturesError


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
        jobs: Processes or threads that read; one for each core by default.
        done: Names of pictures to leave out.

    Raises:
        QDigitsError: One of the processes was killed.
    """
    listing = files if isinstance(files, Listing) else Listing(list(files))
    sources = [Source(name, open_input(name)) for name in listing.files]
    use_one_thread()
    readers = Readers(model, jobs or os.cpu_count() or 1, done, listing.skipped)
    yield from readers.read(sources, may_fork=can_fork(model))


def open_input(name: str) -> str | bytes:
    """Return what is read under a name: the file of that name, or standard input."""
    return sys.stdin.buffer.read(MAX_FILE_BYTES + 1) if name == STANDARD_INPUT else name


def can_fork(model: Model) -> bool:
    """Say whether forked processes can go on with what is loaded: no threads, nothing on a GPU."""
    runs_alone = isinstance(model, (OnnxModel, Cascade))
    return sys.platform == "linux" and runs_alone and not bundled_page_net.cache_info().currsize


@dataclass
class Readers:
    """Threads or processes that read pictures with one network."""

    model: Model
    jobs: int
    done: AbstractSet[str]  # names of pictures to leave out
    skipped: list[str]  # what an archive holds besides pictures is added here

    def read(self, sources: Sequence[Source], may_fork: bool = False) -> Iterator[FileResult]:
        """Yield a result for each picture, in order.

        Each reader takes some pictures at a time: to hand over each tile alone costs as much as
        to read it. Of a few large photos it takes one, so that all have work.
        """
        wanted = [source for source in sources if not is_done(source.file, self.done)]
        least_groups = GROUPS_PER_JOB * self.jobs
        size = min(max(len(wanted) // least_groups, 1), MAX_GROUP_SIZE)
        groups = [wanted[first : first + size] for first in range(0, len(wanted), size)]
        if may_fork and self.jobs > 1 and len(wanted) >= least_groups:  # fewer are not worth a fork
            answers = map_in_processes(partial(read_without_parts, self.model), groups, self.jobs)
        else:
            answers = map_in_threads(partial(read_group, self.model), groups, self.jobs)
        for group, results in zip(groups, answers, strict=True):
            for source, result in zip(group, results, strict=True):
                yield from self.unpack(source, result or read_group(self.model, [source])[0])

    def unpack(self, source: Source, result: Result) -> Iterator[FileResult]:
        """Yield the result of a picture, or read the parts of a file that holds several."""
        if isinstance(result, FileResult):
            yield result
            return
        parts = [Source(f"{source.file}#{part.name}", part) for part in result.parts]
        self.skipped += [f"{source.file}#{name}" for name in result.others]
        yield from self.read(parts)


def read_without_parts(model: Model, sources: Sequence[Source]) -> list[FileResult | None]:
    """Read some pictures; None stands for a file of several, whose parts cannot be pickled."""
    return [
        result if isinstance(result, FileResult) else None for result in read_group(model, sources)
    ]


def read_group(model: Model, sources: Sequence[Source]) -> list[Result]:
    """Read some pictures; a file of several pictures is returned as the error that lists them."""
    readings = read_together(model, [source.photo for source in sources])
    return [make_result(source, reading) for source, reading in zip(sources, readings, strict=True)]


def make_result(source: Source, reading: Reading | ImageError) -> Result:
    """Put what became of a picture beside its name."""
    file, photo = source
    if isinstance(reading, Reading):
        logger.debug("%s: read %d digits", file, len(reading.digits))
        return FileResult(file, photo, replace(reading, source=photo))
    if isinstance(reading, SeveralPicturesError):
        return reading
    logger.info("%s: %s", file, reading)
    return FileResult(file, photo, None, str(reading).removeprefix(f"{file}: "))


def is_done(file: str, done: AbstractSet[str]) -> bool:
    """Say whether a picture is among those done, however a table spells its name."""
    if not done:
        return False
    name = printable(file)
    return not done.isdisjoint((file, name, inert_cell(name)))


def printable(text: str) -> str:
    """Return a file name without control characters: they break lines and talk to terminals."""
    return CONTROL_CHARACTER.sub(lambda found: repr(found[0])[1:-1], text)


def terminal_art(tile: np.ndarray) -> str:
    """Draw a tile in half-blocks, two rows of pixels to a line.

    Args:
        tile: uint8 (28, 28).
    """
    ink = (tile > 100).astype(int).reshape(14, 2, 28)
    blocks = np.array([" ", "▄", "▀", "█"])[2 * ink[:, 0] + ink[:, 1]]  # (14, 28)
    return "\n".join("".join(row) for row in blocks)
