"""Runs the page network over a page, from coarse to fine: where is something, and what is it?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from qdigits.augment.pages.marks import CLASSES
from qdigits.models.onnx_page_net import MULTIPLE, STRIDE, PageMaps

DIGITS = "0123456789"
SMALL_SIGNS = ".,-:"  # their height says nothing about the scale

BOX_UNIT = 16  # the network's boxes are log(pixels / 16)
SCALE_STEP = 1.6
FINEST_PIXELS = 1_600_000  # a page is read at no more pixels than this
COARSEST_SIDE = 80  # pixels: on the coarsest scale a digit that fills the page is not too large
LARGEST_ENLARGEMENT = 3.0
ENLARGED_SIDE = 900  # smaller pages are enlarged towards this: their digits may be small
SMALLEST_DIGIT, BEST_DIGIT, LARGEST_DIGIT = 9, 30, 64  # pixels at the scale where a mark is seen

BLOCK, MARGIN = 256, 64  # finer scales are read in blocks with margins (pixels)
INKED = 12  # grey levels that ink differs from what is around it, at least
AROUND = 31  # pixels: how far around
MOST_BLOCKS = 15  # that are read together: memory grows with them
MIN_INK = 10  # inked pixels that make a block worth reading
SETTLED_HEIGHT = 19  # pixels at the scale where a digit is seen; smaller ones are looked at again
SETTLED = 0.5  # score from which a mark's ink needs no closer look
FAINTEST = 1e-4  # probability: no opinion counts for more than that
CANDIDATE = 0.12  # score from which a peak is a mark at all
SAME_MARK = 0.45  # shared part of the smaller box above which two boxes are one mark


class PageNet(Protocol):
    """The page network, whichever engine runs it."""

    @property
    def card(self) -> dict: ...

    def maps(self, grey: np.ndarray) -> PageMaps: ...


@dataclass(frozen=True, eq=False)
class Mark:
    """Something that the network saw: a digit, a sign, or other ink."""

    left: float
    top: float
    right: float
    bottom: float  # all four in pixels of the page
    logits: np.ndarray  # float32 (16,)
    printed: float  # probability
    seen_height: float  # pixels at the scale where it was seen

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @cached_property
    def score(self) -> float:
        """The probability that something of its likeliest class stands here."""
        return float(sigmoid(self.logits.max()))

    @cached_property
    def label(self) -> int:
        return int(self.logits.argmax())

    @property
    def is_settled(self) -> bool:
        """Whether a finer scale would tell nothing new."""
        least = SETTLED_HEIGHT if self.is_digit else SETTLED_HEIGHT * 2 / 3
        return self.score > SETTLED and (self.is_small_sign or self.seen_height > least)

    @property
    def is_small_sign(self) -> bool:
        return CLASSES[self.label] in SMALL_SIGNS

    @property
    def is_digit(self) -> bool:
        return self.label < len(DIGITS)


class HasEdges(Protocol):
    """Something that stands at a place: its edges in pixels."""

    @property
    def left(self) -> float: ...
    @property
    def top(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def bottom(self) -> float: ...


def edges_of(boxes: Sequence[HasEdges]) -> np.ndarray:
    """Return left, top, right and bottom of marks or glyphs, float (4, N)."""
    edges = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.array(edges, float).reshape(-1, 4).T


class Sighting(NamedTuple):
    """What was seen on a page."""

    marks: list[Mark]  # surest first; no two are the same ink
    turn: np.ndarray  # float (4,), probabilities that the page was turned by so many quarters


def find_marks(net: PageNet, page: np.ndarray, enlarged_side: int = ENLARGED_SIDE) -> Sighting:
    """Find digits, signs and other ink.

    Args:
        net: The page network.
        page: uint8 (H, W), grey.
        enlarged_side: Pixels; a smaller page is enlarged towards this.
    """
    marks: list[Mark] = []
    turn = np.zeros(5)  # sums over the cells: log probabilities of each turn, and their weight
    scales = scales_of(page.shape[0], page.shape[1], enlarged_side)
    largest = min(scales[-1], 1.0)
    base = _scaled(page, largest)  # large pages are made small once, not for every scale
    for scale in scales:
        scaled = _scaled(base, scale / largest)
        settled = [mark for mark in marks if mark.is_settled]
        for window in _windows(_unsettled_ink(scaled, settled, scale)):
            output = _look(net, scaled, window)
            marks += _marks_in(output, window, scale)
            turn += _turn_in(output)
        marks = _without_doubles(marks)
    likelihood = np.exp(turn[:4] / max(turn[4], 1e-6))
    return Sighting(marks, likelihood / likelihood.sum())


def scales_of(height: int, width: int, enlarged_side: int) -> list[float]:
    """List the scales to read a page at, from coarse to fine."""
    longest = max(height, width)
    finest = min(1.0, (FINEST_PIXELS / (height * width)) ** 0.5)
    if longest < enlarged_side:
        finest = min(LARGEST_ENLARGEMENT, enlarged_side / longest)
    scales = [finest]
    while min(height, width) * scales[-1] > COARSEST_SIDE:
        scales.append(scales[-1] / SCALE_STEP)
    return scales[::-1]


def _scaled(page: np.ndarray, scale: float) -> np.ndarray:
    width = max(round(page.shape[1] * scale), 1)
    height = max(round(page.shape[0] * scale), 1)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(page, (width, height), interpolation=interpolation)


def _unsettled_ink(page: np.ndarray, settled: list[Mark], scale: float) -> np.ndarray:
    """Return where ink lies that no sure mark explains: bool, the shape of the page."""
    ink = cv2.absdiff(page, cv2.blur(page, (AROUND, AROUND))) > INKED
    for mark in settled:
        margin = 0.1 * mark.height
        top = int((mark.top - margin) * scale)
        left = int((mark.left - margin) * scale)
        bottom = int((mark.bottom + margin) * scale) + 1
        right = int((mark.right + margin) * scale) + 1
        ink[max(top, 0) : bottom, max(left, 0) : right] = False
    return ink


class Window(NamedTuple):
    """A part of the page to run the network on, and the part of it whose marks count."""

    left: int
    top: int
    right: int
    bottom: int
    inner: tuple[int, int, int, int]


def _windows(todo: np.ndarray) -> Iterator[Window]:
    """Cover the ink in rectangles of blocks: neighbouring blocks are read together."""
    height, width = todo.shape
    rows = math.ceil(height / BLOCK)
    columns = math.ceil(width / BLOCK)
    padded = np.zeros((rows * BLOCK, columns * BLOCK), bool)
    padded[:height, :width] = todo
    inked = padded.reshape(rows, BLOCK, columns, BLOCK).sum((1, 3)) >= MIN_INK
    for first_row, last_row, first, last in _rectangles(inked):
        left, top = first * BLOCK, first_row * BLOCK
        right, bottom = min(last * BLOCK, width), min(last_row * BLOCK, height)
        yield Window(
            max(left - MARGIN, 0),
            max(top - MARGIN, 0),
            min(right + MARGIN, width),
            min(bottom + MARGIN, height),
            inner=(left, top, right, bottom),
        )


def _rectangles(inked: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Cover the inked blocks, bool (rows, columns), with few rectangles of at most MOST_BLOCKS.

    Yields:
        First row, row after the last one, first column, column after the last one.
    """
    left = inked.copy()
    for row, column in np.argwhere(inked).tolist():
        if not left[row, column]:
            continue
        right = column
        while right < inked.shape[1] and left[row, right]:
            right += 1
        bottom = row + 1
        most_rows = MOST_BLOCKS // (right - column)
        while bottom - row < most_rows and bottom < len(inked) and left[bottom, column:right].all():
            bottom += 1
        left[row:bottom, column:right] = False
        yield row, bottom, column, right


def _look(net: PageNet, page: np.ndarray, window: Window) -> PageMaps:
    """Run the network on one window; the answer has MULTIPLE pixels more on the left and on top."""
    part = page[window.top : window.bottom, window.left : window.right]
    below, beside = (MULTIPLE + -side % MULTIPLE for side in part.shape)
    edges = (MULTIPLE, below, MULTIPLE, beside)
    return net.maps(cv2.copyMakeBorder(part, *edges, cv2.BORDER_REPLICATE))


def _turn_in(output: PageMaps) -> np.ndarray:
    """Sum the log probabilities of the four turns over the cells, by what is seen there."""
    logits = output.turn.reshape(4, -1).astype(np.float64)
    weight = output.heat.max(0).ravel()
    log_probabilities = logits - np.log(np.exp(logits).sum(0))
    return np.append(log_probabilities @ weight, weight.sum())


def _marks_in(output: PageMaps, window: Window, scale: float) -> list[Mark]:
    """Turn the peaks of one window into marks."""
    best = output.heat.max(0)  # (h, w)
    peaks = (best >= cv2.dilate(best, np.ones((3, 3), np.uint8))) & (best > CANDIDATE)
    marks = []
    for row, column in np.argwhere(peaks):
        mark = _mark_at(output, int(row), int(column), window, scale)
        left, top, right, bottom = window.inner
        x = (mark.left + mark.right) / 2 * scale
        y = (mark.top + mark.bottom) / 2 * scale
        readable = mark.label >= len(DIGITS) or SMALLEST_DIGIT < mark.seen_height < LARGEST_DIGIT
        if readable and left - STRIDE < x < right + STRIDE and top - STRIDE < y < bottom + STRIDE:
            marks.append(mark)
    return marks


def _mark_at(output: PageMaps, row: int, column: int, window: Window, scale: float) -> Mark:
    """Return the mark whose middle lies in one cell of the network's answer."""
    dx, dy, log_width, log_height = output.box[:, row, column].tolist()
    x = (column + 0.5 + dx) * STRIDE - MULTIPLE + window.left
    y = (row + 0.5 + dy) * STRIDE - MULTIPLE + window.top
    width = BOX_UNIT * math.exp(log_width)
    height = BOX_UNIT * math.exp(log_height)
    return Mark(
        left=(x - width / 2) / scale,
        top=(y - height / 2) / scale,
        right=(x + width / 2) / scale,
        bottom=(y + height / 2) / scale,
        logits=logit(output.heat[:, row, column]),
        printed=float(output.printed[0, row, column]),
        seen_height=height,
    )


def _without_doubles(marks: list[Mark]) -> list[Mark]:
    """Keep of marks on the same ink the one that was seen best."""
    ordered = sorted(marks, key=_suitability, reverse=True)
    left, top, right, bottom = edges_of(ordered)
    area = (right - left) * (bottom - top)
    is_left = np.ones(len(ordered), bool)
    kept = []
    for place, mark in enumerate(ordered):
        if is_left[place]:
            kept.append(mark)
            across = np.minimum(right, right[place]) - np.maximum(left, left[place])
            down = np.minimum(bottom, bottom[place]) - np.maximum(top, top[place])
            shared = np.maximum(across, 0) * np.maximum(down, 0)
            is_left &= shared <= SAME_MARK * np.minimum(area, area[place])
    return kept


def _suitability(mark: Mark) -> float:
    """Return a mark's score, less for digits of sizes that the network knows less well."""
    off = 0.0 if mark.is_small_sign else abs(math.log2(mark.seen_height / BEST_DIGIT))
    return mark.score * (1 - 0.1 * max(off - 0.7, 0))


def sigmoid(logit: np.ndarray | float) -> np.ndarray:
    """Return the probability of a logit."""
    return 1 / (1 + np.exp(-np.clip(logit, -50, 50)))


def logit(probability: np.ndarray | float) -> np.ndarray:
    """Return the logit of a probability, of which none is surer than FAINTEST allows."""
    clipped = np.clip(probability, FAINTEST, 1 - FAINTEST)
    return np.log(clipped / (1 - clipped))
