"""A photograph to a Reading: marks, what each is, lines, numbers, and what was left unread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from qdigits.imaging.constants import TILE_SIZE
from qdigits.reading.calibration import Calibration
from qdigits.reading.detector import CLASSES, DIGITS, OTHER, Mark, PageNet, find_marks
from qdigits.reading.lines import Line, Span, assign_columns, find_lines, split_numbers
from qdigits.reading.recognition import Classifier, draw_tiles
from qdigits.reading.result import Box, Number, Prediction, Reading

TOUCHING = 0.35  # digit heights: unread ink so near belongs to the number
BESIDE = 0.3  # of the lower one's height that two marks share when they stand side by side
WITH_SLASHES = re.compile(r"-?\d{1,3}/\d{1,3}|\d{1,2}/\d{1,2}/(\d\d|\d{4})")  # fractions, dates
SEEN = 0.4  # score from which a sign is read, and other ink counts as unread
WORTH_TRYING = 0.2  # probability from which a page is also tried another way up


@dataclass(frozen=True, eq=False)
class Glyph:
    """A mark that was read as a digit or a sign."""

    left: float
    top: float
    right: float
    bottom: float
    character: str
    probabilities: np.ndarray  # float (10,): of each digit, and together of being one
    tile: np.ndarray  # uint8 (28, 28)
    printed: bool
    confidence: float


class Page(NamedTuple):
    """What stands on a page."""

    numbers: list[list[list[Glyph]]]  # lines, their numbers, their digits and signs
    unread: list[Mark]
    faint: list[Mark]  # so faint that nobody needs to know, but a number beside it is not sure
    lines: list[Line]
    evidence: float  # how many sure digits speak for reading it this way up


def read_page(net: PageNet, classify: Classifier, photo: np.ndarray, reduced: float) -> Reading:
    """Read every number on a photo.

    Args:
        net: the page network; it says where something stands.
        classify: the tile network; it says what a digit is.
        photo: uint8 (H, W, 3), RGB.
        reduced: pixels of the original picture to one of the photo's.
    """
    calibration = Calibration.of(net)
    marks, turns = find_marks(net, cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    page = understand(marks, classify, photo, calibration)
    upright = Place(reduced, 0, photo.shape[1], photo.shape[0])
    turned = int(turns.argmax())
    if turned == 0 and turns[1:].max() > WORTH_TRYING:
        turned = 1 + int(turns[1:].argmax())
    if turned:
        other_photo = np.ascontiguousarray(np.rot90(photo, -turned))
        other_marks, _ = find_marks(net, cv2.cvtColor(other_photo, cv2.COLOR_RGB2GRAY))
        other = understand(other_marks, classify, other_photo, calibration)
        if turns[turned] * other.evidence > turns[0] * page.evidence:
            place = Place(reduced, turned, other_photo.shape[1], other_photo.shape[0])
            return build_reading(other, place, calibration)
    return build_reading(page, upright, calibration)


def understand(
    marks: Sequence[Mark], classify: Classifier, photo: np.ndarray, calibration: Calibration
) -> Page:
    """Turn marks into lines of numbers."""
    glyphs, unread, faint = read_marks(marks, classify, photo, calibration)
    lines = find_lines(glyphs)
    numbers = [[settle_slashes(number) for number in line] for line in split_numbers(lines)]
    placed = {id(glyph) for line in lines for glyph in line.glyphs}
    digits = [glyph for glyph in glyphs if glyph.character.isdigit()]
    loose = [glyph for glyph in glyphs if id(glyph) not in placed]
    evidence = sum(digit.confidence for digit in digits)
    return Page(numbers, [*unread, *loose], faint, lines, float(evidence))


def read_marks(
    marks: Sequence[Mark], classify: Classifier, photo: np.ndarray, calibration: Calibration
) -> tuple[list[Glyph], list, list]:
    """Ask what each mark is; return what was read, what was not, and what is hardly there."""
    candidates = [mark for mark in marks if calibration.may_be_digit(mark)]
    tiles = draw_tiles(photo, candidates)
    opinions = classify(tiles) if candidates else np.zeros((0, 10), np.float32)
    asked = {}
    for mark, tile, opinion in zip(candidates, tiles, opinions, strict=True):
        asked[id(mark)] = calibration.digit_probabilities(mark, opinion), tile
    not_asked = np.zeros(10), np.zeros((TILE_SIZE, TILE_SIZE), np.uint8)
    glyphs, unread, faint = [], [], []
    for mark in marks:
        probabilities, tile = asked.get(id(mark), not_asked)
        if probabilities.sum() > calibration.keep:
            glyphs.append(_glyph(mark, str(int(probabilities.argmax())), probabilities, tile))
        elif mark.score >= SEEN and len(DIGITS) <= mark.label < OTHER:
            glyphs.append(_glyph(mark, CLASSES[mark.label], probabilities, tile))
        elif mark.score >= SEEN:
            unread.append(mark)
        else:
            faint.append(mark)
    return glyphs, unread, faint


def settle_slashes(number: list[Glyph]) -> list[Glyph]:
    """Read slashes as digits where they make no fraction and no date: a 7 with a long tail, a 1."""
    text = "".join(glyph.character for glyph in number)
    if "/" not in text or WITH_SLASHES.fullmatch(text):
        return number
    return [
        replace(
            glyph,
            character=str(int(glyph.probabilities.argmax())),
            confidence=float(glyph.probabilities.max()),
        )
        if glyph.character == "/" and glyph.probabilities.any()
        else glyph
        for glyph in number
    ]


def _glyph(mark: Mark, character: str, probabilities: np.ndarray, tile: np.ndarray) -> Glyph:
    confidence = float(probabilities.max()) if character.isdigit() else mark.score
    return Glyph(
        mark.left, mark.top, mark.right, mark.bottom, character, probabilities, tile,
        mark.printed > 0.5, confidence,
    )  # fmt: skip


class Place(NamedTuple):
    """Where a page that was read lies on the original picture."""

    reduced: float
    turned: int  # quarters, counter-clockwise, by which the photo was turned
    width: int  # of the page as it was read
    height: int

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return a box of the page that was read on the original picture."""
        width, height = self.width, self.height
        for _ in range(self.turned):  # turn the page back, a quarter at a time
            left, top, right, bottom = top, width - right, bottom, width - left
            width, height = height, width
        edges = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
        return Box(*(round(edge * self.reduced) for edge in edges))


def place_on_photo(mark: Mark, reduced: float, shape: tuple[int, int]) -> Box:
    """Return a mark's box on the original picture."""
    place = Place(reduced, 0, shape[1], shape[0])
    return place.box(mark.left, mark.top, mark.right, mark.bottom)


def build_reading(page: Page, place: Place, calibration: Calibration) -> Reading:
    """Put digits, numbers, rows and columns into words."""
    spans = [[Span(number[0].left, number[-1].right) for number in line] for line in page.numbers]
    columns = assign_columns(spans)
    numbers, texts, digits = [], [], []
    for row, line in enumerate(page.numbers):
        for column, glyphs in zip(columns[row], line, strict=True):
            number = _number(glyphs, row, column, page, place, calibration)
            numbers.append(number)
            digits += number.digits
        texts.append(" ".join(number.text for number in numbers[-len(line) :]))
    unread = [place.box(mark.left, mark.top, mark.right, mark.bottom) for mark in page.unread]
    return Reading("\n".join(texts), tuple(digits), tuple(numbers), tuple(unread), place.turned)


def _number(
    glyphs: list[Glyph],
    row: int,
    column: int,
    page: Page,
    place: Place,
    calibration: Calibration,
) -> Number:
    left, right = min(g.left for g in glyphs), max(g.right for g in glyphs)
    top, bottom = min(g.top for g in glyphs), max(g.bottom for g in glyphs)
    confidence = calibration.number_confidence([glyph.confidence for glyph in glyphs])
    clean = not any(touches(mark, glyphs) for mark in [*page.unread, *page.faint])
    accepted = clean and confidence >= calibration.threshold
    digits = [glyph for glyph in glyphs if glyph.character.isdigit()]
    return Number(
        text="".join(glyph.character for glyph in glyphs),
        digits=tuple(_prediction(glyph, place, accepted) for glyph in digits),
        box=place.box(left, top, right, bottom),
        row=row,
        column=column,
        confidence=confidence,
        accepted=accepted,
    )


def touches(mark: Mark, glyphs: list[Glyph]) -> bool:
    """Say whether unread ink stands right beside or inside a number."""
    height = float(np.median([glyph.bottom - glyph.top for glyph in glyphs]))
    for glyph in glyphs:
        apart = max(glyph.left - mark.right, mark.left - glyph.right)
        shared = min(glyph.bottom, mark.bottom) - max(glyph.top, mark.top)
        lower = min(glyph.bottom - glyph.top, mark.bottom - mark.top)
        if apart < TOUCHING * height and shared > BESIDE * lower:
            return True
    return False


def _prediction(glyph: Glyph, place: Place, accepted: bool) -> Prediction:
    """Return a digit as an answer; it is accepted with the number that it belongs to."""
    box = place.box(glyph.left, glyph.top, glyph.right, glyph.bottom)
    return Prediction(
        digit=int(glyph.character),
        confidence=glyph.confidence,
        probabilities=tuple(map(float, glyph.probabilities)),
        tile=glyph.tile,
        box=box,
        accepted=accepted,
        printed=glyph.printed,
    )
