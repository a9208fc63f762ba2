"""Pictures from the field: pages of numbers, single digits, things that are no digits, small cases.

    python -m bench.accuracy.field [--data-dir ../shared/data] [--only PART ...] [--pages-only]

Writes docs/field.md and docs/results/field.json (--pages-only: the open pages alone, to stdout).
The pictures belong to others: we publish figures, never the pictures. RapidOCR stands beside us, on
the same pictures with the same scoring; where it is not installed, its last figures are kept.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from bench.accuracy.rapid_ocr import RapidReader
from bench.support import DATA_DIR
from qdigits import load_model, predict, read
from qdigits.imaging.decode import open_photo
from tools.draw_examples import turn_photo
from tools.page_scoring import (
    Answer,
    Figure,
    PageScore,
    page_figures,
    read_truth,
    score_case,
    score_page,
)
from tools.recipe_results import ROOT, describe_commit
from tools.result_table import find_fallen

RESULTS = ROOT / "docs" / "results" / "field.json"
TABLE = ROOT / "docs" / "field.md"
CHECK_EVERY = 12  # one picture of so many: the whole takes minutes
CASES = ("01", "02", "03", "04", "05", "08", "14", "15", "17", "18", "20")
KINDS_SEED = 0
TURNS = (5, -10, 90, 180, 270)  # degrees
HEAD = "| figure | qdigits | wanted | met | RapidOCR |\n|---|---|---|---|---|"
ABOUT = """# The field: handwritten numbers where people really write them

`make field` writes this page. Every picture goes through `read` or `predict` as a user's picture
would. Nothing was trained on these pictures; they come from few sources, and they are not ours to
publish. Pages are scored on their digits: *edits* are digits wrong, missing or invented. A row is
right when the answer has a row of the same digits; a picture is right when all its rows are, and
there is no other. *Accepted* pictures have an answer, and the program was sure of all of it.
Pictures whose truth is uncertain are left out. RapidOCR is version 3.10.0 (PP-OCRv6 small,
`use_cls=False`); it refuses nothing that it returns.
"""


class Readers(NamedTuple):
    """How a program is asked: for a page, and for a single digit."""

    page: Callable[[Any], Answer]
    digit: Callable[[Any], Answer]


class Rival(NamedTuple):
    """What RapidOCR reaches on the same pictures."""

    hits: int | None
    count: int | None


class Labelled(NamedTuple):
    """A picture with its label."""

    path: Path
    label: str
    kind: str
    certain: bool  # overwritten, cut or old writing is not; nor is a sign that looks like a digit


def our_readers(model: Any) -> Readers:
    """Ask qdigits, as a user would."""

    def page(picture: Any) -> Answer:
        reading = read(model, picture)
        return Answer(reading.text, reading.accepted)

    def digit(picture: Any) -> Answer:
        found = predict(model, picture)
        return Answer("" if found.digit is None else str(found.digit), found.accepted)

    return Readers(page, digit)


def labelled(folder: Path, label: str = "label", doubt: str = "uncertain") -> list[Labelled]:
    """Read a folder's labels.csv; a 1 in the column of doubt: the truth is not certain."""
    with open(folder / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = []
    for row in rows:
        kind = f"{row.get('source', '')}: {row.get('kind', '')}"
        pictures.append(
            Labelled(folder / row["file"], row[label], kind, row.get(doubt, "0") == "0")
        )
    return pictures


def certain(pictures: list[Labelled]) -> list[Labelled]:
    return [picture for picture in pictures if picture.certain]


# -- pages


def score_pages(pages: Iterable[Labelled], readers: Readers) -> list[PageScore]:
    return [score_page(page.label, readers.page(page.path)) for page in pages]


def measure_pages(data: Path, readers: Readers) -> Iterator[Figure]:
    """Measure the open pages: all of them, those of uncertain truth too, and each source."""
    pages = labelled(data / "field" / "pages")
    everything = score_pages(pages, readers)
    scores = [score for page, score in zip(pages, everything, strict=True) if page.certain]
    pages = certain(pages)
    names = ["digits wrong, missing or invented", "pictures entirely right", "rows right"]
    names += ["pictures in which everything was accepted", "of these entirely right"]
    targets = [(0.035, True), (36 / 49, False), (105 / 118, False), (28 / 49, False), (0.97, False)]
    for name, (hits, count), (target, less) in zip(
        names, page_figures(scores), targets, strict=True
    ):
        yield Figure(f"pages, {name}", hits, count, target, less)
    wrong, right, *_ = page_figures(everything)
    yield Figure("pages, uncertain ones too: digits wrong", *wrong, less_is_better=True)
    yield Figure("pages, uncertain ones too: entirely right", *right)
    for kind in sorted({page.kind for page in pages}):
        own = [score for page, score in zip(pages, scores, strict=True) if page.kind == kind]
        wrong, right, *_ = page_figures(own)
        yield Figure(f"pages, {kind}: digits wrong", *wrong, less_is_better=True)
        yield Figure(f"pages, {kind}: entirely right", *right)


def measure_multi_photos(data: Path, readers: Readers) -> Iterator[Figure]:
    wrong, right, *_ = page_figures(score_pages(labelled(data / "dev" / "multi_photos"), readers))
    yield Figure("multi_photos, every row right", *right, 0.9)
    yield Figure("multi_photos, digits wrong, missing or invented", *wrong, 2 / 179, True)


# -- single digits and other things


def measure_singles(data: Path, readers: Readers) -> Iterator[Figure]:
    """Measure single digits, photographed and drawn."""
    for folder, target in (("phone_single", 0.975), ("drawn", 0.99)):
        digits = certain(labelled(data / "field" / folder))
        right = np.array([readers.digit(digit.path).text == digit.label for digit in digits])
        yield Figure(f"{folder}, right", int(right.sum()), len(right), target)
        for kind in sorted({digit.kind for digit in digits}):
            own = right[[digit.kind == kind for digit in digits]]
            yield Figure(f"{folder}, {kind}: right", int(own.sum()), len(own))


def measure_not_digits(data: Path, readers: Readers) -> Iterator[Figure]:
    """Measure how often something that is no digit is accepted as one."""
    things = certain(labelled(data / "field" / "not_digits", "glyph", "looks_like_digit"))
    accepted = np.array([readers.digit(thing.path).accepted for thing in things])
    yield Figure("not_digits, accepted", int(accepted.sum()), len(accepted), 0.08, True)
    for kind in sorted({thing.kind for thing in things}):
        own = accepted[[thing.kind == kind for thing in things]]
        target = 0.05 if "empty table cell" in kind else None
        yield Figure(f"not_digits, {kind}: accepted", int(own.sum()), len(own), target, True)


# -- cases and kinds


def measure_cases(data: Path, readers: Readers) -> Iterator[Figure]:
    """Measure the small cases, signs and spaces included."""
    scores = []
    for folder in sorted((data / "cases").iterdir()):
        if folder.name[:2] in CASES:
            own = [score_case(truth, readers.page(path)) for path, truth in read_truth(folder)]
            scores += own
            yield Figure(f"case {folder.name}", sum(score.right for score in own), len(own))
    yield Figure("cases, right", sum(score.right for score in scores), len(scores), 0.9)
    wrong = sum(score.wrong_but_accepted for score in scores)
    yield Figure("cases, wrong yet accepted", wrong, len(scores), 0.0, True)


def measure_kinds(data: Path, _: Readers) -> Iterator[Figure]:
    """Measure kinds of fault on pages of our own making, by the script beside the data."""
    told = subprocess.run(
        [sys.executable, str(data.resolve() / "kinds" / "measure.py"), str(KINDS_SEED)],
        cwd=data / "kinds",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    pattern = r"(.+): right (\d+)/(\d+), apart.*, wrong yet accepted (\d+)/\d+, nothing \d+/\d+"
    found = re.findall(pattern, told.stdout)
    for name, right, count, _ in found:
        yield Figure(f"kind {name}", int(right), int(count), 0.9)
    wrong = sum(int(row[3]) for row in found)
    pictures = sum(int(row[2]) for row in found)
    yield Figure("kinds, wrong yet accepted", wrong, pictures, 0.02, True)


# -- robustness


def measure_robustness(data: Path, readers: Readers) -> Iterator[Figure]:
    """Measure edits on changed pictures against edits on the untouched ones."""
    pages = labelled(data / "dev" / "multi_photos") + labelled(data / "field" / "pages")
    photos = [open_photo(page.path)[0] for page in pages]
    untouched = _edits(photos, pages, readers)
    changes = {"enlarged twice": _enlarged, "half as large": _halved, "evened to grey": _evened}
    for name, change in changes.items():
        changed = _edits(map(change, photos), pages, readers)
        yield Figure(f"{name}: edits against untouched", changed, untouched, 1.3, True, ratio=True)
    for angle in TURNS:
        changed = _edits((turn_photo(photo, angle) for photo in photos), pages, readers)
        name = f"turned by {angle} degrees: edits against untouched"
        yield Figure(name, changed, untouched, 1.3, True, ratio=True)


def _edits(photos: Iterable[np.ndarray], pages: list[Labelled], readers: Readers) -> int:
    scores = [
        score_page(page.label, readers.page(photo))
        for photo, page in zip(photos, pages, strict=True)
    ]
    return sum(score.edits for score in scores)


def _enlarged(photo: np.ndarray) -> np.ndarray:
    return cv2.resize(photo, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def _halved(photo: np.ndarray) -> np.ndarray:
    return cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _evened(photo: np.ndarray) -> np.ndarray:
    """Divide a grey photo by its blurred self, as scanning programs do to even out the light."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    light = cv2.GaussianBlur(grey, (0, 0), max(photo.shape[:2]) / 20)
    even = np.clip(grey / np.maximum(light, 1) * 200, 0, 255).astype(np.uint8)
    return cv2.cvtColor(even, cv2.COLOR_GRAY2RGB)


# -- the scoreboard


PARTS: dict[str, Callable[[Path, Readers], Iterator[Figure]]] = {
    "pages": measure_pages,
    "multi_photos": measure_multi_photos,
    "singles": measure_singles,
    "not_digits": measure_not_digits,
    "cases": measure_cases,
    "kinds": measure_kinds,
    "robustness": measure_robustness,
}
OURS_ALONE = ("kinds", "robustness")  # on these RapidOCR is not asked


def measure_sample(data: Path, readers: Readers, every: int) -> Iterator[Figure]:
    """Measure one picture of so many, for a guard that takes seconds."""
    pages = certain(labelled(data / "field" / "pages"))[:: every // 2]
    wrong, right, *_ = page_figures(score_pages(pages, readers))
    yield Figure("pages, digits wrong, missing or invented", *wrong, less_is_better=True)
    yield Figure("pages, pictures entirely right", *right)
    for folder in ("phone_single", "drawn"):
        digits = certain(labelled(data / "field" / folder))[::every]
        right = sum(readers.digit(digit.path).text == digit.label for digit in digits)
        yield Figure(f"{folder}, right", right, len(digits))
    things = certain(labelled(data / "field" / "not_digits", "glyph", "looks_like_digit"))[::every]
    accepted = sum(readers.digit(thing.path).accepted for thing in things)
    yield Figure("not_digits, accepted", accepted, len(things), less_is_better=True)


def rival_figures(data: Path, parts: Iterable[str]) -> dict[str, Rival]:
    """Ask RapidOCR for every figure, or take those of its last run where it is absent."""
    try:
        rival = RapidReader()
    except ImportError:
        kept = kept_figures()
        return {figure.name: Rival(figure.rival_hits, figure.rival_count) for figure in kept}
    readers = Readers(rival.page, rival.digit)
    asked = [part for part in parts if part not in OURS_ALONE]
    figures = [figure for part in asked for figure in PARTS[part](data, readers)]
    return {figure.name: Rival(figure.hits, figure.count) for figure in figures}


def kept_figures() -> list[Figure]:
    """Return the figures of the last run."""
    if not RESULTS.exists():
        return []
    return [Figure(**figure) for figure in json.loads(RESULTS.read_text())["figures"]]


def write(figures: list[Figure], where: str) -> None:
    """Write the figures; those of parts that were not measured again are kept."""
    measured = {figure.name: figure for figure in figures}
    merged = {figure.name: figure for figure in kept_figures()} | measured
    kept = {"where": where, "figures": [asdict(figure) for figure in merged.values()]}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    table = "\n".join([HEAD, *map(str, merged.values())])
    TABLE.write_text(f"{ABOUT}\n{where}.\n\n{table}\n")


def check_sample(data: Path, readers: Readers) -> int:
    """Measure a sample, and return 1 if a figure fell by more than its noise."""
    kept = json.loads(RESULTS.read_text())["figures"]
    before = {figure["name"]: Figure(**figure) for figure in kept}
    now = list(measure_sample(data, readers, CHECK_EVERY))
    lines = [replace(figure.line(), count=max(figure.count, 1)) for figure in now]
    fallen = find_fallen([before[figure.name].line() for figure in now], lines)
    print("\n".join(fallen) or f"no figure of {len(now)} has fallen")
    return int(bool(fallen))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR)
    parser.add_argument("--model", default="mnist_model.onnx")
    parser.add_argument("--pages-only", action="store_true", help="the open pages, to stdout")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts")
    parser.add_argument("--check", action="store_true", help="a sample; exit 1 if one has fallen")
    given = parser.parse_args()
    if not (given.data_dir / "field").is_dir():
        sys.exit(f"{given.data_dir}/field is not here: give the data's folder by --data-dir")
    readers = our_readers(load_model(given.model))
    if given.check:
        sys.exit(check_sample(given.data_dir, readers))
    print(HEAD)
    if given.pages_only:
        print(*measure_pages(given.data_dir, readers), sep="\n")
        return
    figures = []
    rival = rival_figures(given.data_dir, given.only)
    for part in given.only:
        for figure in PARTS[part](given.data_dir, readers):
            reached = rival.get(figure.name, Rival(None, None))
            figures.append(replace(figure, rival_hits=reached.hits, rival_count=reached.count))
            print(figures[-1], flush=True)
    write(figures, f"{given.model}, commit {describe_commit()}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
