"""A page of ink -> digits in reading order: marks, rows, and the cuts that the network likes best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np

EDGE, SOLID = 72, 128  # the ink map's scale, see image.py
SURE = 0.95  # a mark read with this confidence stays whole
DROP = 0.1  # leaving a mark out costs as much as reading it with this confidence

Score = Callable[[Sequence[np.ndarray]], np.ndarray]  # crops of ink -> probabilities (N, 10)


@dataclass(frozen=True)
class Mark:
    """A piece of ink and where it lies."""

    left: int
    top: int
    ink: np.ndarray  # uint8 (height, width), everything else 0

    @property
    def height(self) -> int:
        return self.ink.shape[0]

    @property
    def width(self) -> int:
        return self.ink.shape[1]

    @property
    def right(self) -> int:
        return self.left + self.ink.shape[1]

    @property
    def bottom(self) -> int:
        return self.top + self.ink.shape[0]

    @property
    def mass(self) -> float:
        return float(self.ink.sum()) + 1

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True)
class Found:
    """A mark and what the network makes of it."""

    mark: Mark
    row: np.ndarray  # probabilities (10,)

    @property
    def confidence(self) -> float:
        return float(self.row.max())


def find_digits(ink: np.ndarray, score: Score) -> list[list[Found]]:
    """Every digit of a page: rows from top to bottom, each from left to right.

    Takes   an ink map as image.find_ink gives it; score: crops of ink -> probabilities (N, 10).
    Source  over-segmentation and the best path through it: LeCun et al. 1998, section V.
    """
    marks = find_marks(ink)
    if not marks:
        return []
    whole = [Found(mark, row) for mark, row in zip(marks, score([mark.ink for mark in marks]), strict=True)]
    rows = [_best_cuts(row, score) for row in _rows(whole)]
    return [kept for row in rows if (kept := _digits_only(row))]


def find_marks(ink: np.ndarray) -> list[Mark]:
    """Connected strokes that are dark enough and not dust."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink >= EDGE).astype(np.uint8), connectivity=8)
    solid = np.bincount(labels[ink >= SOLID], minlength=count) > 0
    solid[0] = False
    if not solid.any():
        return []
    heights, areas = stats[:, 3], stats[:, 4]
    order = np.argsort(heights[solid])
    size = heights[solid][order][np.searchsorted(np.cumsum(areas[solid][order]), areas[solid].sum() / 2)]
    wanted = solid & (np.maximum(heights, stats[:, 2]) >= size / 6)
    marks = []
    for label in np.flatnonzero(wanted):
        left, top, width, height = stats[label, :4]
        where = slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
        own = cv2.dilate((labels[where] == label).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        own &= (labels[where] == label) | (labels[where] == 0)
        marks.append(Mark(where[1].start, where[0].start, np.where(own, ink[where], 0)))
    return marks


def _rows(found: list[Found]) -> list[list[Found]]:
    """Rows grow to the right from mark to mark, so a slanted or bent row stays one."""
    typical = _typical_height(found)
    rows: list[list[Found]] = []
    for one in sorted(found, key=lambda one: one.mark.left):
        best, most = None, 0.35
        for row in rows:
            near = [other.mark for other in row[-3:]]
            top, bottom = min(m.top for m in near[-1:]), max(m.bottom for m in near[-1:])
            shared = (min(bottom, one.mark.bottom) - max(top, one.mark.top)) / min(bottom - top, one.mark.height)
            if shared > most and one.mark.left - near[-1].right < 8 * typical:
                best, most = row, shared
        if best is None:
            rows.append([one])
        else:
            best.append(one)
    return sorted(rows, key=lambda row: np.mean([one.mark.top + one.mark.bottom for one in row]))


def _typical_height(found: list[Found]) -> float:
    heights = [one.mark.height for one in found if one.confidence > 0.5] or [one.mark.height for one in found]
    return float(np.median(heights))


def _best_cuts(row: list[Found], score: Score) -> list[Found]:
    """The reading of a row that explains most of its ink: marks joined, cut or left as they are."""
    size = _typical_height(row)
    pieces: list[Mark] = []
    fixed: list[Found | None] = []
    for one in row:
        if one.confidence >= SURE and one.mark.width < 1.5 * size:
            pieces.append(one.mark), fixed.append(one)
        else:
            cut = _cut(one.mark, size)
            pieces += cut
            fixed += [None] * len(cut) if len(cut) > 1 else [None]
    spans = []
    for first in range(len(pieces)):
        for last in range(first + 1, min(first + 5, len(pieces)) + 1):
            group = pieces[first:last]
            if all(fixed[first:last]) and last - first > 1:
                continue
            left, right = min(p.left for p in group), max(p.right for p in group)
            top, bottom = min(p.top for p in group), max(p.bottom for p in group)
            if last - first > 1 and (right - left > 1.6 * size or bottom - top > 2 * size):
                break
            spans.append((first, last))
    joined = [reduce(_join, pieces[first:last]) for first, last in spans]
    unknown = [i for i, (first, last) in enumerate(spans) if last - first > 1 or not fixed[first]]
    rows = dict(zip(unknown, score([joined[i].ink for i in unknown]), strict=True)) if unknown else {}
    found = {span: Found(joined[i], rows[i]) if i in rows else fixed[span[0]] for i, span in enumerate(spans)}
    best: list[tuple[float, list[Found]]] = [(0.0, [])]
    for last in range(1, len(pieces) + 1):
        options = []
        for first in range(max(last - 5, 0), last):
            if one := found.get((first, last)):
                worth = one.mark.mass * np.log(max(one.confidence, DROP))
                options.append((best[first][0] + worth, best[first][1] + [one]))
        best.append(max(options, key=lambda option: option[0]))
    return best[-1][1]


def _join(one: Mark, other: Mark) -> Mark:
    left, top = min(one.left, other.left), min(one.top, other.top)
    right, bottom = max(one.right, other.right), max(one.bottom, other.bottom)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for mark in (one, other):
        part = ink[mark.top - top : mark.bottom - top, mark.left - left : mark.right - left]
        np.maximum(part, mark.ink, out=part)
    return Mark(left, top, ink)


def _cut(mark: Mark, size: float) -> list[Mark]:
    """Pieces between the cheapest seams from top to bottom: where strokes touch, little ink is in the way."""
    if mark.width < 0.6 * size or mark.height < 0.5 * size:
        return [mark]
    step = max(int(0.25 * size), 2)
    cost = mark.ink.astype(np.float32) / 255 + 0.02
    seams = []
    for centre in range(step, mark.width - step // 2, step):
        low, high = max(centre - step, 1), min(centre + step, mark.width - 1)
        if high - low > 2:
            seams.append(_seam(cost[:, low:high], low))
    label = np.zeros(mark.ink.shape, np.int32)
    columns = np.arange(mark.width)
    for seam in seams:
        label += columns[None] >= seam[:, None]
    pieces = []
    for part in np.unique(label):
        own = np.where(label == part, mark.ink, 0)
        left, top, width, height = cv2.boundingRect((own >= EDGE).astype(np.uint8))
        if width * height:
            pieces.append(Mark(mark.left + left, mark.top + top, own[top : top + height, left : left + width]))
    return sorted(pieces, key=lambda piece: piece.left + piece.right)


def _seam(cost: np.ndarray, offset: int) -> np.ndarray:
    total = cost.copy()
    for y in range(1, len(cost)):
        above = np.pad(total[y - 1], 1, constant_values=np.inf)
        total[y] += np.minimum(np.minimum(above[:-2] + 0.01, above[1:-1]), above[2:] + 0.01)
    path = np.empty(len(cost), int)
    path[-1] = total[-1].argmin()
    for y in range(len(cost) - 2, -1, -1):
        low = max(path[y + 1] - 1, 0)
        path[y] = low + total[y, low : path[y + 1] + 2].argmin()
    return path + offset


def _digits_only(row: list[Found]) -> list[Found]:
    """A row of words yields a digit here and there; a row of digits is digits for the most part."""
    size = _typical_height(row)
    digits = [one for one in row if one.confidence > 0.5 and one.mark.height > 0.35 * size]
    read = sum(one.mark.mass * one.confidence for one in digits)
    return digits if read > 0.5 * sum(one.mark.mass for one in row) else []
