"""A photograph to a Reading: marks, what each is, lines, numbers, and what was left unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from qdigits.augment.pages.marks import CLASSES, OTHER, TURNED
from qdigits.imaging.constants import TILE_SIZE
from qdigits.reading.detector import DIGITS, Mark, PageNet, edges_of, find_marks
from qdigits.reading.judge import (
    NOTHING,
    Judge,
    describe_marks,
    describe_number,
    is_worth_asking,
)
from qdigits.reading.lines import Span, assign_columns, find_lines, split_numbers
from qdigits.reading.place import (
    Place,
    Placed,
    place_photo,
    put_on_paper,
    straighten,
    turn_quarters,
)
from qdigits.reading.recognition import BLANK, Classifier, draw_tiles
from qdigits.reading.result import Number, Prediction, Reading
from qdigits.reading.rules import find_ruled_gaps

TOUCHING = 0.35  # digit heights: unread ink so near belongs to the number
BESIDE = 0.3  # of the lower one's height that two marks share when they stand side by side
MOST_SLOPE = 0.07  # of lines, 4 degrees: a page that leans more is also read straightened
TURN_SHARES = np.array(
    [1 - TURNED, *[TURNED / 3] * 3]
)  # of the pages that the network learned from


@dataclass(frozen=True, eq=False)
class Glyph:
    """A mark that was read as a digit or a sign."""

    mark: Mark
    character: str
    confidence: float
    probabilities: np.ndarray  # float (10,): of each digit, and together of being one
    tile: np.ndarray  # uint8 (28, 28)

    @property
    def left(self) -> float:
        return self.mark.left

    @property
    def top(self) -> float:
        return self.mark.top

    @property
    def right(self) -> float:
        return self.mark.right

    @property
    def bottom(self) -> float:
        return self.mark.bottom


class Unread(NamedTuple):
    """A mark that was not read, and how likely it stands for something after all."""

    mark: Mark
    likely: float


class Marks(NamedTuple):
    """The marks of a page, told apart."""

    glyphs: list[Glyph]
    unread: list[Unread]  # other ink
    faint: list[Unread]  # most likely nothing


class Page(NamedTuple):
    """What stands on a page."""

    numbers: list[list[list[Glyph]]]  # lines, their numbers, their digits and signs
    unread: list[Unread]
    faint: list[Unread]
    slope: float  # pixels by which its lines fall for each pixel to the right


def read_page(
    net: PageNet, classify: Classifier, photo: np.ndarray, downscale: float, room: int = 0
) -> Reading:
    """Read every number on a photo.

    Args:
        net: The page network; it says where something stands.
        classify: The tile network; it says what a digit is.
        photo: uint8 (H, W, 3), RGB.
        downscale: Pixels of the original picture to one of the photo's.
        room: Pixels of paper that are put around the photo first.
    """
    judge = Judge.of(net.card)
    given = place_photo(photo, downscale)
    given = put_on_paper(given, room) if room else given
    as_given = look_at(net, given)
    is_likelier = turn_odds([as_given]) > turn_odds([])  # than before anybody looked
    turns = np.flatnonzero(is_likelier).tolist()
    views = [as_given, *(look_at(net, turn_quarters(given, turned), turned) for turned in turns)]
    odds = turn_odds(views)
    best = max(views, key=lambda view: odds[view.turned])
    page = understand(best.marks, classify, best.placed.photo, judge)
    reading = build_reading(page, best.placed.place, judge, best.turned)
    if abs(page.slope) <= MOST_SLOPE:
        return reading
    level = look_at(net, straighten(best.placed, page.slope), best.turned)
    page = understand(level.marks, classify, level.placed.photo, judge)
    other = build_reading(page, level.placed.place, judge, best.turned)
    return max(reading, other, key=count_right)


def count_right(reading: Reading) -> float:
    """Return how many digits are right, as far as the reading believes in its numbers."""
    return sum(number.confidence * len(number.digits) for number in reading.numbers)


class View(NamedTuple):
    """A photo seen one way up."""

    marks: list[Mark]
    turns: np.ndarray  # float (4,): the network's probabilities that it is turned so seen this way
    placed: Placed  # the photo as it was seen
    turned: int  # quarters, counter-clockwise, that were undone


def turn_odds(views: Sequence[View]) -> np.ndarray:
    """Return the log odds that a photo was turned by 0 to 3 quarters, against upright: (4,).

    Every mark of every view is a witness, as far as the network believes in it.
    """
    shares = np.log(TURN_SHARES)
    odds = shares
    for view in views:
        marks = sum(mark.score for mark in view.marks)
        witness = np.log(view.turns) - shares
        odds = odds + marks * np.roll(witness, view.turned)
    return odds - odds[0]


def look_at(net: PageNet, placed: Placed, turned: int = 0) -> View:
    """Find the marks on a photo of which `turned` quarter turns were undone."""
    marks, turns = find_marks(net, cv2.cvtColor(placed.photo, cv2.COLOR_RGB2GRAY))
    return View(marks, turns, placed, turned)


def understand(
    marks: Sequence[Mark], classify: Classifier, photo: np.ndarray, judge: Judge
) -> Page:
    """Turn marks into lines of numbers."""
    told = tell_apart(marks, classify, photo, judge)
    lines = find_lines(told.glyphs)
    placed = {id(glyph) for line in lines for glyph in line.glyphs}
    loose = [
        Unread(glyph.mark, glyph.confidence) for glyph in told.glyphs if id(glyph) not in placed
    ]
    ruled = [find_ruled_gaps(photo, line) for line in lines]
    slope = lines[0].slope if lines else 0.0
    return Page(split_numbers(lines, ruled), [*told.unread, *loose], told.faint, slope)


def tell_apart(
    marks: Sequence[Mark], classify: Classifier, photo: np.ndarray, judge: Judge
) -> Marks:
    """Tell digits, signs, other ink and false sightings apart."""
    told = Marks([], [], [])
    if not marks:
        return told
    tiles, opinions = ask(marks, classify, photo)
    outcomes = judge.outcomes(describe_marks(marks, opinions, photo.shape))
    for mark, tile, outcome in zip(marks, tiles, outcomes, strict=True):
        digits, others = outcome[: len(DIGITS)], outcome[len(DIGITS) :]
        likeliest = len(DIGITS) + int(others.argmax())
        something = 1 - float(outcome[NOTHING])
        if digits.sum() > others.max():
            kind = int(digits.argmax())
            told.glyphs.append(Glyph(mark, CLASSES[kind], float(digits[kind]), digits, tile))
        elif likeliest < OTHER:
            sure = float(others.max())
            told.glyphs.append(Glyph(mark, CLASSES[likeliest], sure, digits, tile))
        elif likeliest == OTHER:
            told.unread.append(Unread(mark, something))
        else:
            told.faint.append(Unread(mark, something))
    return told


class Asked(NamedTuple):
    """What the tile network was shown, and what it said."""

    tiles: np.ndarray  # uint8 (N, 28, 28)
    opinions: np.ndarray  # float32 (N, 10); NaN where it was not asked


def ask(marks: Sequence[Mark], classify: Classifier, photo: np.ndarray) -> Asked:
    """Ask the tile network about every mark that may be a digit."""
    tiles = np.zeros((len(marks), TILE_SIZE, TILE_SIZE), np.uint8)
    opinions = np.full((len(marks), len(DIGITS)), np.nan, np.float32)
    asked = [place for place, mark in enumerate(marks) if is_worth_asking(mark)]
    if asked:
        tiles[asked] = draw_tiles(photo, [marks[place] for place in asked])
        # Many sightings are false, so their tiles are blank; the network sees one for all of them.
        inked = np.flatnonzero(tiles.any((1, 2)))
        answers = classify(np.stack([BLANK, *tiles[inked]]))
        opinions[asked] = answers[0]
        opinions[inked] = answers[1:]
    return Asked(tiles, opinions)


def build_reading(page: Page, place: Place, judge: Judge, turned: int = 0) -> Reading:
    """Put digits, numbers, rows and columns into words."""
    spans = [[Span(number[0].left, number[-1].right) for number in line] for line in page.numbers]
    columns = assign_columns(spans)
    numbers: list[Number] = []
    texts = []
    digits: list[Prediction] = []
    for row, line in enumerate(page.numbers):
        for column, glyphs in zip(columns[row], line, strict=True):
            number = _number(glyphs, row, column, page, place, judge)
            numbers.append(number)
            digits += number.digits
        texts.append(" ".join(number.text for number in numbers[-len(line) :]))
    marks = [unread.mark for unread in page.unread]
    unread = [place.box(mark.left, mark.top, mark.right, mark.bottom) for mark in marks]
    return Reading("\n".join(texts), tuple(digits), tuple(numbers), tuple(unread), turned)


def _number(
    glyphs: list[Glyph],
    row: int,
    column: int,
    page: Page,
    place: Place,
    judge: Judge,
) -> Number:
    left = min(glyph.left for glyph in glyphs)
    right = max(glyph.right for glyph in glyphs)
    top = min(glyph.top for glyph in glyphs)
    bottom = max(glyph.bottom for glyph in glyphs)
    confidence = judge.number_confidence(features_of(glyphs, page))
    clean = not find_touching(page.unread, glyphs)
    accepted = clean and confidence >= judge.threshold
    digits = [glyph for glyph in glyphs if glyph.character.isdigit()]
    return Number(
        text="".join(glyph.character for glyph in glyphs),
        digits=tuple(to_prediction(glyph, place, accepted) for glyph in digits),
        box=place.box(left, top, right, bottom),
        row=row,
        column=column,
        confidence=confidence,
        accepted=accepted,
    )


def features_of(glyphs: list[Glyph], page: Page) -> np.ndarray:
    """Describe one of a page's numbers for its confidence."""
    beside = find_touching([*page.unread, *page.faint], glyphs)
    return describe_number(
        [glyph.confidence for glyph in glyphs], [unread.likely for unread in beside]
    )


def find_touching(unread: Sequence[Unread], glyphs: Sequence[Glyph]) -> list[Unread]:
    """Return the unread ink that stands right beside or inside a number."""
    left, top, right, bottom = edges_of([one.mark for one in unread])
    numbers = edges_of(glyphs)[:, :, None]  # against each mark: (4, glyphs, 1)
    height = numbers[3] - numbers[1]
    apart = np.maximum(numbers[0] - right, left - numbers[2])  # (glyphs, marks)
    shared = np.minimum(numbers[3], bottom) - np.maximum(numbers[1], top)
    lower = np.minimum(height, bottom - top)
    touches = (apart < TOUCHING * np.median(height)) & (shared > BESIDE * lower)
    return [unread[place] for place in np.flatnonzero(touches.any(0)).tolist()]


def to_prediction(glyph: Glyph, place: Place, accepted: bool) -> Prediction:
    """Return a digit as an answer; it is accepted with the number that it belongs to."""
    box = place.box(glyph.left, glyph.top, glyph.right, glyph.bottom)
    return Prediction(
        digit=int(glyph.character),
        confidence=glyph.confidence,
        probabilities=tuple(map(float, glyph.probabilities)),
        tile=glyph.tile,
        box=box,
        accepted=accepted,
        printed=glyph.mark.printed > 0.5,
    )
