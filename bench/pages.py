"""Read a folder of photographed pages, beside RapidOCR and faster-paddle on the same photographs.

    python -m bench.pages [--count 100] [--data-dir FOLDER]      (also part of make bench)

The program draws the pages itself, from test digits. The rivals are general readers of text, with
their weights in their wheels: pip install -e ".[bench]" brings them.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np

from bench.accuracy.rapid_ocr import VERSION, RapidReader
from bench.support import (
    Digits,
    Row,
    choose_digits,
    make_row,
    measure_seconds,
    run_command,
    take_turns,
)
from qdigits import read
from qdigits.augment.synthetic_pages import Page, draw_page
from qdigits.data.loading import load_test
from qdigits.evaluation.metrics import edit_distance
from qdigits.imaging.decode import open_photo
from qdigits.reading.detector import DIGITS
from qdigits.reading.lines import find_lines
from qdigits.training.page_data import supplies_from

KINDS = [
    "plain lines",
    "columns",
    "signs and dates",
    "notes",
    "labels",
    "boxes",
    "combs",
    "guides",
    "ruled paper",
    "squared paper",
    "table",
    "cheque",
]
DRAWN_SIDE = 577  # pixels of a page as it is drawn
ENLARGED = 3  # times, to a photograph of 3 megapixels
LARGE_SIDE = 3464  # pixels of a square photograph of 12 megapixels
LARGE_PHOTO_REPEATS = 5
PADDLE_SIZES = ("tiny", "small")
PADDLE_TOGETHER = 4  # pages at a time, as in faster-paddle's own example


class Photo(NamedTuple):
    """A photograph of a page."""

    path: Path
    digits: str  # that stand on it, in reading order


class Glyph(NamedTuple):
    """A digit that was drawn."""

    left: float
    top: float
    right: float
    bottom: float
    character: str


def draw_photos(folder: Path, count: int, digits: Digits) -> list[Photo]:
    """Draw pages of test digits, and write them as JPEGs of 3 megapixels."""
    folder.mkdir()
    supplies = supplies_from(load_test(digits.data, digits.data_dir), seed=0)
    photos = []
    for place in range(count):
        kind = KINDS[place % len(KINDS)]
        page = draw_page(supplies, 0, 0, 0, place, kind=kind, turned=0, side=DRAWN_SIDE)
        large = cv2.resize(
            page.picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC
        )
        path = folder / f"{place:03}.jpg"
        cv2.imwrite(str(path), large)
        photos.append(Photo(path, digits_on(page)))
    return photos


def digits_on(page: Page) -> str:
    """Return the digits of a drawn page in reading order."""
    glyphs = [Glyph(*mark.box, str(mark.kind)) for mark in page.marks if mark.kind < len(DIGITS)]
    return "".join(glyph.character for line in find_lines(glyphs) for glyph in line.glyphs)


def count_edits(photos: Sequence[Photo], texts: Sequence[str]) -> int:
    """Count the digits that are wrong, missing or invented in the answers."""
    answers = ["".join(letter for letter in text if letter in DIGITS) for text in texts]
    pairs = zip(photos, answers, strict=True)
    return sum(edit_distance(photo.digits, answer) for photo, answer in pairs)


class Result(NamedTuple):
    """What a program made of a folder."""

    seconds: float  # for each page, on the clock
    errors: float  # digits wrong, missing or invented, to one digit that stands there

    @classmethod
    def of(cls, seconds: float, photos: Sequence[Photo], texts: Sequence[str]) -> Self:
        """Score the answers to a folder that took some seconds."""
        digits = sum(len(photo.digits) for photo in photos)
        return cls(seconds / len(photos), count_edits(photos, texts) / digits)

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.errors:.0%}"


def read_with_qdigits(photos: Sequence[Photo]) -> Result:
    """Read the folder with the command, as a user would."""
    folder = photos[0].path.parent
    table = folder.parent / "pages.csv"
    process = run_command("read", str(folder), "--csv", str(table), "--quiet")
    with open(table, newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return Result.of(process.seconds, photos, texts)


def read_with_rapid_ocr(photos: Sequence[Photo]) -> Result:
    """Read the photographs one after the other; RapidOCR uses all cores for each."""
    reader = RapidReader()
    texts = []
    seconds = measure_seconds(
        lambda: texts.extend(reader.page(photo.path).text for photo in photos)
    )
    return Result.of(seconds, photos, texts)


def read_with_faster_paddle(photos: Sequence[Photo], size: str) -> Result:
    """Read the photographs in one call."""
    from faster_paddle import OcrEngine

    engine = OcrEngine(model_size=size)
    pictures = [photo.path.read_bytes() for photo in photos]
    start = time.perf_counter()
    answers = engine.ocr_batch(pictures, batch_size=PADDLE_TOGETHER)
    seconds = time.perf_counter() - start
    return Result.of(seconds, photos, [answer["text"] for answer in answers])


RIVALS: dict[str, Callable[[Sequence[Photo]], Result]] = {
    f"RapidOCR {VERSION}": read_with_rapid_ocr,
    **{
        f"faster-paddle 1.0.4, {size}": partial(read_with_faster_paddle, size=size)
        for size in PADDLE_SIZES
    },
}


def measure_pages(count: int, digits: Digits) -> Iterator[Row]:
    """Read a folder of photographs, the slowest of them by itself, and one of 12 megapixels."""
    with tempfile.TemporaryDirectory() as name:
        photos = draw_photos(Path(name) / "pages", count, digits)
        yield from measure_folder(photos)
        seconds = [processor_seconds(partial(read, photo.path)) for photo in photos]
        times = {"ours": max(seconds), "rival": float(np.median(seconds))}
        work = "processor time for the slowest of these pages; rival: the median page"
        yield make_row(work, "{:.2f} s".format, times, "at most 4 times the median")
        usual = photos[int(np.argsort(seconds)[len(photos) // 2])]
        yield measure_large_photo(usual)


def measure_folder(photos: Sequence[Photo]) -> Iterator[Row]:
    """Read the folder, and with each rival that is installed."""
    ours = read_with_qdigits(photos)
    work = f"`qdigits read FOLDER`, {len(photos)} photographed pages: seconds a page, digits wrong"
    for name, read_with_rival in RIVALS.items():
        try:
            theirs = read_with_rival(photos)
        except ImportError:
            print(f"{name} is not installed; pip install -e '.[bench]' brings it", file=sys.stderr)
            continue
        ratio = theirs.seconds / ours.seconds
        goal = "faster, with fewer errors"
        yield Row(f"{work}; rival: {name}", str(ours), str(theirs), f"{ratio:.2f}", goal)


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of some work, in all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_large_photo(photo: Photo) -> Row:
    """Read a photograph at 12 megapixels with everything loaded, and only decode it."""
    picture = cv2.resize(cv2.imread(str(photo.path)), (LARGE_SIDE, LARGE_SIDE))
    encoded = cv2.imencode(".jpg", picture)[1].tobytes()
    read(encoded)
    times = take_turns(
        LARGE_PHOTO_REPEATS,
        ours=lambda: measure_seconds(lambda: read(encoded)),
        rival=lambda: measure_seconds(lambda: open_photo(encoded)),
    )
    work = "the median page as a photograph of 12 megapixels; rival: decoding it alone"
    return make_row(work, "{:.2f} s".format, times, "at most 0.40 s")


def main() -> None:
    """Measure pages alone, and print the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500, help="photographs in the folder")
    parser.add_argument("--data-dir", type=Path, help="where MNIST's or QMNIST's files lie")
    options = parser.parse_args()
    for row in measure_pages(options.count, choose_digits(options.data_dir)):
        print(*row, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
