"""Find the digits of a page of ink: marks, rows, and the cuts that the network likes best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from qdigits.imaging.constants import HIGH_THRESHOLD, LOW_THRESHOLD

MARKS, UNSURE = (
    1000,
    200,
)  # more marks: print or noise; more that are no digits: text, where nothing is cut
SURE = 0.95  # a mark read with this confidence isn't cut
NUMBER, ENOUGH, UNEVEN = (
    0.84,
    0.7,
    0.8,
)  # a number's quality, share of sure ink that is enough, price of being uneven
KEEP = 0.25  # below this confidence a mark is no digit
STEP, PRICE, MOST = (
    0.12,
    0.3,
    9,
)  # a cut each so many heights, through ink for at most that many; pieces to a digit
# Times as thick as the row's strokes: a 1 has no loop that could be filled, so this is crossed out.
BLOT = 1.8
# What a reading of a row pays (nats), tuned on pages pasted together from MNIST digits: to leave
# ink unread, for each end where a stroke is cut, for each height of paper inside a digit, for a
# digit smaller than the others.
DROP, CUT, JOIN, SMALL = 1.6, 0.5, 2.0, 3.0

Score = Callable[[Sequence[np.ndarray]], np.ndarray]  # crops of ink -> probabilities (N, 10)
UNREAD = np.zeros(10, np.float32)


@dataclass(eq=False)
class Mark:
    """A piece of ink, where it lies, and, once asked, what the network makes of it."""

    left: int
    top: int
    ink: np.ndarray  # uint8 (height, width), everything else 0
    cut: tuple[bool, bool] = (False, False)  # whether a stroke was cut on the left, on the right
    gap: float = 0.0  # pixels of paper between the parts it was joined from
    row: np.ndarray = field(default_factory=lambda: UNREAD)  # probabilities (10,)

    def __post_init__(self) -> None:
        height, width = self.ink.shape
        self.height, self.width, self.right, self.bottom = (
            height,
            width,
            self.left + width,
            self.top + height,
        )
        self.middle = self.top + height / 2
        self.box = self.left, self.top, self.right, self.bottom
        self.mass, self.confidence = float(self.ink.sum()) + 1, float(self.row.max())


def find_digits(ink: np.ndarray, score: Score) -> list[list[Mark]]:
    """Every digit of a page: rows from top to bottom, each from left to right.

    Takes   an ink map as image.find_ink gives it; score: crops of ink -> probabilities (N, 10).
    Source  over-segmentation and the best path through it: LeCun et al. 1998, section V.
    """
    marks = _asked(find_marks(ink), score)
    size = _size(marks)
    rows = _rows(
        _without_tails([mark for mark in marks if mark.height < 3 * size], size, score), size
    )
    text = sum(mark.confidence < SURE for mark in marks) > UNSURE
    choices = [_choices(row, not text) for row in rows]
    unread = [mark for spans in choices for mark in spans.values() if mark.row is UNREAD]
    read = dict(zip(map(id, unread), _asked(unread, score), strict=True))
    found = [
        _best({span: read.get(id(mark), mark) for span, mark in spans.items()}, _size(row))
        for row, spans in zip(rows, choices, strict=True)
    ]
    return [digits for row in found if (digits := _digits_only(row))]


def _asked(marks: list[Mark], score: Score) -> list[Mark]:
    rows = score([mark.ink for mark in marks]) if marks else ()
    return [replace(mark, row=row) for mark, row in zip(marks, rows, strict=True)]


def _without_tails(marks: list[Mark], size: float, score: Score) -> list[Mark]:
    """Take the head of a mark whose tail hangs far below the row, where the head reads better."""
    tailed = [mark for mark in marks if mark.confidence < SURE and mark.height > 1.5 * size]
    heads = _asked([replace(mark, ink=mark.ink[: int(1.5 * size)]) for mark in tailed], score)
    better = {
        id(mark): head
        for mark, head in zip(tailed, heads, strict=True)
        if head.confidence > mark.confidence
    }
    return [better.get(id(mark), mark) for mark in marks]


def find_marks(ink: np.ndarray) -> list[Mark]:
    """Connected strokes that are dark enough, but for dust and the sheet's own edges."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (ink >= LOW_THRESHOLD).astype(np.uint8), connectivity=8
    )
    longest = np.maximum(stats[:, 2], stats[:, 3])
    wanted = np.flatnonzero(
        (np.bincount(labels[ink >= HIGH_THRESHOLD], minlength=count) > 0) & (longest >= 5)
    )
    marks: list[Mark] = []
    for label in wanted if len(wanted) <= MARKS else ():
        left, top, width, height = (int(value) for value in stats[label, :4])
        where = slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
        own = labels[where] == label
        if 2 * _along_the_edge(own, where, ink.shape) > longest[label]:
            continue
        own |= (cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (
            labels[where] == 0
        )  # its soft edge
        marks.append(Mark(where[1].start, where[0].start, ink[where] * own))
    return marks


def _along_the_edge(own: np.ndarray, where: tuple[slice, slice], shape: tuple[int, ...]) -> int:
    """Count the pixels of a mark along the edge of the picture, where the sheet ends."""
    sides = [own[:3].any(0)] * (where[0].start == 0) + [own[-3:].any(0)] * (
        where[0].stop >= shape[0]
    )
    sides += [own[:, :3].any(1)] * (where[1].start == 0) + [own[:, -3:].any(1)] * (
        where[1].stop >= shape[1]
    )
    return max((int(side.sum()) for side in sides), default=0)


def _size(marks: list[Mark]) -> float:
    """The height of a digit on this page."""
    heights = [mark.height for mark in marks if mark.confidence > 0.5] or [
        mark.height for mark in marks
    ]
    return float(np.median(heights)) if heights else 0.0


def _rows(marks: list[Mark], size: float) -> list[list[Mark]]:
    """Marks that overlap in height once the page stands straight; small ones go where they lie."""
    tall = sorted((mark for mark in marks if mark.height > 0.5 * size), key=lambda mark: mark.left)
    pairs = [
        pair for row in _grown(tall, 0.0, 3 * size) for pair in zip(row, row[1:], strict=False)
    ]
    slopes = [
        (after.middle - before.middle) / (after.left - before.left + 1) for before, after in pairs
    ]
    slope = float(np.median(slopes)) if slopes else 0.0
    rows = _grown(tall, slope, float("inf"))
    for mark in marks:
        if mark.height <= 0.5 * size:
            near = [
                (abs(mark.left - other.left), row)
                for row in rows
                for other in row
                if other.top - 0.2 * size < mark.middle < other.bottom + 0.2 * size
            ]
            if near:
                min(near, key=lambda pair: pair[0])[1].append(mark)
    rows.sort(key=lambda row: np.mean([mark.middle - slope * mark.left for mark in row]))
    return [sorted(row, key=lambda mark: mark.left + mark.right) for row in rows]


def _grown(marks: list[Mark], slope: float, reach: float) -> list[list[Mark]]:
    """Rows that grow to the right, each from the mark before."""
    rows: list[list[Mark]] = []
    for mark in marks:
        near = [row for row in rows if mark.left - row[-1].right < reach]
        shared = [max(_shared(mark, last, slope) for last in row[-2:]) for row in near]
        if near and max(shared) > 0.4:
            near[int(np.argmax(shared))].append(mark)
        else:
            rows.append([mark])
    return rows


def _shared(mark: Mark, other: Mark, slope: float) -> float:
    drop = slope * (mark.left - other.left)
    return (min(mark.bottom - drop, other.bottom) - max(mark.top - drop, other.top)) / min(
        mark.height, other.height
    )


def _choices(row: list[Mark], cutting: bool) -> dict[tuple[int, int], Mark]:
    """Every run of neighbouring pieces that may be one digit: (first, last + 1) -> mark."""
    size = _size(row)
    pieces = [piece for mark in row for piece in (_pieces(mark, size) if cutting else [mark])]
    pieces.sort(key=lambda piece: piece.left + piece.right)
    choices = {}
    for first in range(len(pieces)):
        mark = choices[first, first + 1] = pieces[first]
        for last in range(first + 1, min(first + MOST, len(pieces))):
            two_digits = mark.confidence >= SURE and pieces[last].confidence >= SURE
            mark = _join(mark, pieces[last])
            if two_digits or mark.width > 1.6 * size or mark.height > 2.2 * size:
                break
            choices[first, last + 1] = mark
    return choices


def _join(one: Mark, other: Mark) -> Mark:
    left, top = min(one.left, other.left), min(one.top, other.top)
    right, bottom = max(one.right, other.right), max(one.bottom, other.bottom)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for mark in (one, other):
        part = ink[mark.top - top : mark.bottom - top, mark.left - left : mark.right - left]
        np.maximum(part, mark.ink, out=part)
    gap = 0.0 if one.cut[1] and other.cut[0] else max(other.left - one.right, 0)
    return Mark(left, top, ink, (one.cut[0], other.cut[1]), one.gap + gap)


def _best(choices: dict[tuple[int, int], Mark], size: float) -> list[Mark]:
    """The path from left to right that explains most of the ink."""
    best: list[tuple[float, list[Mark]]] = [(0.0, [])]
    for last in range(1, max(choices)[1] + 1):
        options = []
        for first in range(max(last - MOST, 0), last):
            if mark := choices.get((first, last)):
                options.append(
                    (best[first][0] + mark.mass * _worth(mark, size), [*best[first][1], mark])
                )
        best.append(max(options, key=lambda option: option[0]))
    return best[-1][1]


def _worth(mark: Mark, size: float) -> float:
    small = SMALL * max(np.log(0.7 * size / mark.height), 0)
    return (
        max(np.log(mark.confidence + 1e-9), -DROP)
        - CUT * sum(mark.cut)
        - JOIN * mark.gap / size
        - small
    )


def _pieces(mark: Mark, size: float) -> list[Mark]:
    """Cut a mark along the cheapest seams, which cross little ink: there digits touch."""
    whole = mark.confidence >= SURE and mark.width < 1.5 * size
    if (
        whole or 2 * min(mark.width, mark.height) < size or mark.width > 8 * size or size < 10
    ):  # a line; grain
        return [mark]
    step = max(int(STEP * size), 2)
    label = np.zeros(mark.ink.shape, np.int32)
    for seam, price in _seams(mark.ink.astype(np.float32) / 255 + 0.01, step):
        if price < PRICE * size:
            label += np.arange(mark.width) >= seam[:, None]
    pieces = []
    for part in np.unique(label):
        own = np.where(label == part, mark.ink, 0)
        left, top, width, height = cv2.boundingRect((own >= LOW_THRESHOLD).astype(np.uint8))
        if max(width, height) > 0.1 * size:
            cut = (bool(part > 0), bool(part < label.max()))
            pieces.append(
                Mark(
                    mark.left + left,
                    mark.top + top,
                    own[top : top + height, left : left + width],
                    cut,
                )
            )
    return pieces if len(pieces) > 1 else [mark]


def _seams(cost: np.ndarray, step: int) -> list[tuple[np.ndarray, float]]:
    """Return the cheapest ways down near each step: columns at each height, and ink crossed."""
    starts = np.arange(0, cost.shape[1] - 2 * step, step) + 1
    windows = np.stack(
        [cost[:, start : start + 2 * step - 1] for start in starts], 1
    )  # (height, seams, width)
    total = np.pad(windows, ((0, 0), (0, 0), (1, 1)), constant_values=np.inf)
    for above, here in zip(total, total[1:], strict=False):
        here[:, 1:-1] += np.minimum(np.minimum(above[:, :-2], above[:, 2:]) + 0.01, above[:, 1:-1])
    way, prices = total[-1].argmin(1), total[-1].min(1)
    ways, every = [way], np.arange(len(starts))
    for line in total[-2::-1]:
        near = way[:, None] + np.array([-1, 0, 1])
        way = near[every, line[every[:, None], near.clip(0, line.shape[1] - 1)].argmin(1)]
        ways.append(way)
    columns = np.stack(ways[::-1], 1) - 1 + starts[:, None]  # (seams, height)
    return list(zip(columns, prices, strict=True))


def _digits_only(row: list[Mark]) -> list[Mark]:
    """Keep the words of a row that are numbers; a single mark is judged by its row alone."""
    pens = [
        cv2.distanceTransform(
            np.pad((mark.ink >= LOW_THRESHOLD).astype(np.uint8), 1), cv2.DIST_L2, 3
        ).max()
        for mark in row
    ]
    row = [
        mark
        for mark, pen in zip(row, pens, strict=True)
        if mark.row.argmax() != 1 or pen <= BLOT * np.median(pens)
    ]
    size = _size(row)
    gaps = [i for i in range(1, len(row)) if row[i].left - row[i - 1].right > 0.8 * size]
    words = [row[i:j] for i, j in zip([0, *gaps], [*gaps, len(row)], strict=True)]
    whole = _quality(row)
    numbers = [
        word
        for word in words
        if 2 * (_quality(word) if len(word) > 1 else whole) + whole > 3 * NUMBER
    ]
    return [
        mark
        for word in numbers
        for mark in word
        if mark.confidence > KEEP and mark.height > 0.35 * size
    ]


def _quality(marks: list[Mark]) -> float:
    """Return how much marks look like a number rather than a word cut into pieces."""
    height, ink = np.log([mark.height for mark in marks]), [mark.mass for mark in marks]
    told = [
        (_proof(mark), any(mark.cut), mark.confidence >= SURE and not any(mark.cut))
        for mark in marks
    ]
    proof, cut, sure = np.average(told, axis=0, weights=ink)
    spread = np.cov(height, aweights=ink, ddof=0) ** 0.5
    return float(max(proof - UNEVEN * cut * spread, NUMBER / ENOUGH * sure))


def _proof(mark: Mark) -> float:
    if mark.confidence <= KEEP:
        return 0.0
    if not any(mark.cut):
        return max(mark.confidence, 0.7)  # one odd digit doesn't make a row of words
    return (
        min(mark.confidence, 0.7) if mark.row.argmax() == 1 else mark.confidence
    )  # any stroke holds a 1
