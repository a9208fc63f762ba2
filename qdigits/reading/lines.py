"""Marks -> text lines -> numbers: who stands beside whom, and where one number ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import NamedTuple, Protocol

import numpy as np

from qdigits.reading.detector import HasEdges

SAME_LINE = (
    0.4  # overlap in height, as a share of the lower mark, from which two marks share a line
)
NEIGHBOUR = 3.0  # digit heights: pairs closer than this tell how the page leans
MOST_RAISED = 2  # digits of an exponent
SMALLER = 0.85  # heights of the digit beside it, at most, of a raised one
RAISED_REACH = 0.6  # digit heights between a raised digit and the one beside it
NARROWEST = 0.5  # digit heights: a 1 takes up as much room as that
SIGN_REACH = 0.9  # digit heights between a sign and the digit it belongs to
WIDE_GAP = 1.1  # digit heights: a gap that ends a number where no other gap can be compared
CLEAR_GAP = 0.55  # digit heights: a smaller gap never ends a number
EVEN = 2.5  # digit heights: a gap inside a number that is written evenly is never wider
CLEARLY_WIDER = 1.75  # times wider (with GAP_OFFSET added to both) than the gaps inside numbers
SAME_COLUMN = 0.3  # of the narrower number's width that numbers of one column have in common
GAP_OFFSET = 0.3  # digit heights: digits touch, and a ratio needs something to divide by


class Glyph(HasEdges, Protocol):
    """A mark that was read as a character."""

    @property
    def character(self) -> str: ...


class Span(NamedTuple):
    """From where to where something reaches across the page, in pixels."""

    left: float
    right: float


@dataclass
class Line:
    """The digits and signs of one text line, from left to right."""

    glyphs: list
    slope: float

    @cached_property
    def height(self) -> float:
        """The height of its digits."""
        return median(height_of(glyph) for glyph in self.glyphs if is_digit(glyph))


def height_of(glyph: Glyph) -> float:
    return glyph.bottom - glyph.top


def is_digit(glyph: Glyph) -> bool:
    return glyph.character.isdigit()


def find_lines(glyphs: Sequence) -> list[Line]:
    """Group digits and signs into text lines, from top to bottom.

    Args:
        glyphs: digits and signs in any order.

    Returns:
        Lines with at least one digit each; a sign that belongs to no digit is left out.
    """
    digits = sorted((glyph for glyph in glyphs if is_digit(glyph)), key=lambda glyph: glyph.left)
    if not digits:
        return []
    slope = _slope(digits)
    rows = _join_raised(_grow(digits, slope))
    for sign in (glyph for glyph in glyphs if not is_digit(glyph)):
        _attach(sign, rows)
    rows.sort(key=lambda row: median(_middle(glyph, slope) for glyph in row if is_digit(glyph)))
    return [Line(sorted(row, key=lambda glyph: glyph.left + glyph.right), slope) for row in rows]


def _slope(digits: list) -> float:
    """Return by how much the lines fall per pixel to the right, from pairs of neighbours.

    The median of their slopes; the farther apart two neighbours are, the more they tell.
    """
    slopes = []
    distances = []
    for row in _grow(digits, 0.0, reach=NEIGHBOUR):
        for one, other in zip(row, row[1:], strict=False):
            across = max((other.left + other.right - one.left - one.right) / 2, 1.0)
            down = (other.top + other.bottom - one.top - one.bottom) / 2
            slopes.append(down / across)
            distances.append(across)
    return _weighted_median(np.array(slopes), np.array(distances)) if slopes else 0.0


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the value that has half of the weights on either side."""
    order = values.argsort()
    below = weights[order].cumsum() - weights[order] / 2
    return float(np.interp(weights.sum() / 2, below, values[order]))


def _grow(digits: list, slope: float, reach: float = float("inf")) -> list[list]:
    """Let rows grow to the right; each digit joins the row whose last two it stands beside."""
    rows: list[list] = []
    for digit in digits:
        best, best_overlap = None, SAME_LINE
        for row in rows:
            if digit.left - row[-1].right > reach * height_of(digit):
                continue
            overlap = max(_overlap(digit, last, slope) for last in row[-2:])
            if overlap > best_overlap:
                best, best_overlap = row, overlap
        if best is None:
            rows.append([digit])
        else:
            best.append(digit)
    return rows


def _join_raised(rows: list[list]) -> list[list]:
    """Put exponents and numerators into the line of the digit beside them."""
    kept: list[list] = []
    for row in sorted(rows, key=len, reverse=True):
        homes = [other for other in kept if any(_is_beside(row[0], digit) for digit in other)]
        if len(row) <= MOST_RAISED and homes:
            homes[0] += row
        else:
            kept.append(row)
    return kept


def _is_beside(small: Glyph, digit: Glyph) -> bool:
    """Say whether a smaller digit stands right beside another one, above or below its middle."""
    height = height_of(digit)
    behind = small.left > (digit.left + digit.right) / 2
    near = small.left - digit.right < RAISED_REACH * height
    level = small.bottom > digit.top - 0.5 * height and small.top < digit.bottom
    return height_of(small) < SMALLER * height and behind and near and level


def _is_raised(glyph: Glyph, line_height: float, before: Glyph) -> bool:
    """Say whether a digit hangs above the one before it, as exponents do."""
    small = height_of(glyph) < SMALLER * line_height
    return is_digit(glyph) and small and glyph.bottom < _centre_y(before) + 0.1 * line_height


def _is_fraction(glyphs: Sequence[Glyph]) -> bool:
    """Say whether glyphs begin with a digit, a slash and a lower digit."""
    if len(glyphs) < 3:
        return False
    top, slash, bottom = glyphs[:3]
    is_ratio = is_digit(top) and slash.character == "/" and is_digit(bottom)
    return is_ratio and top.bottom < _centre_y(bottom)


def _overlap(one: Glyph, other: Glyph, slope: float) -> float:
    """Return the shared height of two marks on a leaning line, as a share of the lower one."""
    fall = slope * (one.left + one.right - other.left - other.right) / 2
    shared = min(one.bottom - fall, other.bottom) - max(one.top - fall, other.top)
    return shared / max(min(height_of(one), height_of(other)), 1e-6)


def _middle(glyph: Glyph, slope: float) -> float:
    """Return the height of a mark's middle on the page once it stands straight."""
    return (glyph.top + glyph.bottom) / 2 - slope * (glyph.left + glyph.right) / 2


def _attach(sign: Glyph, rows: list[list]) -> None:
    """Put a sign into the row of the digit next to it, if one is near and level with it."""
    best, best_distance = None, SIGN_REACH
    for row in rows:
        for digit in row:
            height = height_of(digit)
            apart = max(digit.left - sign.right, sign.left - digit.right, 0) / height
            level = digit.top - 0.3 * height < _centre_y(sign) < digit.bottom + 0.4 * height
            if is_digit(digit) and level and apart < best_distance:
                best, best_distance = row, apart
    if best is not None:
        best.append(sign)


def _centre_y(glyph: Glyph) -> float:
    return (glyph.top + glyph.bottom) / 2


def split_numbers(lines: list[Line], ruled: list[list[bool]]) -> list[list[list]]:
    """Split each line where its gaps or the rules between cells say that a number ends.

    Args:
        lines: Digits and signs, from left to right.
        ruled: For each line whether a rule stands in each of its gaps.

    Returns:
        For each line its numbers, for each number its glyphs.
    """
    page_gaps = [gap for line in lines for gap in _gaps(line)]
    return [_split(line, page_gaps, rules) for line, rules in zip(lines, ruled, strict=True)]


def _gaps(line: Line) -> list[float]:
    """Return the room between neighbours in digit heights; a 1 is as wide as its cell."""
    height = line.height
    gaps = []
    for one, other in zip(line.glyphs, line.glyphs[1:], strict=False):
        gap = (other.left - one.right) / height
        for glyph in (one, other):
            if is_digit(glyph):
                gap -= max(NARROWEST - (glyph.right - glyph.left) / height, 0) / 2
        gaps.append(gap)
    return gaps


def _split(line: Line, page_gaps: list[float], ruled: list[bool]) -> list[list]:
    """Split one line; boxes of one digit each are one number, unless they stand wide apart."""
    gaps = _gaps(line)
    widest_inside = _threshold(gaps if len(gaps) > 2 else page_gaps)
    widest_ruled = WIDE_GAP if all(ruled) else 0.0
    numbers = [[line.glyphs[0]]]
    for at, (gap, is_ruled) in enumerate(zip(gaps, ruled, strict=True)):
        before, glyph = line.glyphs[at : at + 2]
        if (
            gap > widest_inside
            or (is_ruled and gap > widest_ruled)
            or _is_raised(glyph, line.height, before)
            or (is_digit(before) and _is_fraction(line.glyphs[at + 1 :]))
        ):
            numbers.append([glyph])
        else:
            numbers[-1].append(glyph)
    return numbers


def _threshold(gaps: list[float]) -> float:
    """Return the gap that ends a number.

    Gaps inside numbers resemble one another, and so do those between numbers: two clusters, if one
    is clearly wider than the other. Otherwise only a gap that is wide by itself ends a number.

    Source: Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9(1), on log gaps.
    """
    ordered = np.sort(gaps)
    if len(ordered) < 2:
        return WIDE_GAP
    logs = np.log(np.maximum(ordered + GAP_OFFSET, GAP_OFFSET / 3))
    below = np.arange(1, len(logs))  # how many gaps would lie inside numbers
    mean_below = np.cumsum(logs)[:-1] / below
    mean_above = (logs.sum() - np.cumsum(logs)[:-1]) / (len(logs) - below)
    between = below * (len(logs) - below) * (mean_above - mean_below) ** 2
    best = int(between.argmax())
    first_above = float(ordered[best + 1])
    if mean_above[best] - mean_below[best] > np.log(CLEARLY_WIDER) and first_above > CLEAR_GAP:
        return (float(ordered[best]) + first_above) / 2
    return EVEN if len(ordered) > 2 else max(WIDE_GAP, float(ordered[0]) + GAP_OFFSET)


def assign_columns(rows: list[list[Span]]) -> list[list[int]]:
    """Give each number the column it stands in.

    Args:
        rows: for each line the (left, right) of its numbers.

    Returns:
        For each line the column of each number; numbers of a line stand in different columns.
    """
    columns: list[list[Span]] = []  # the spans of the numbers in each column so far
    taken: dict[int, list[int]] = {}
    for index in sorted(range(len(rows)), key=lambda index: -len(rows[index])):
        taken[index] = _match(rows[index], columns)
    centres = [median(span.left + span.right for span in column) for column in columns]
    rank = np.argsort(np.argsort(centres, kind="stable"), kind="stable").tolist()
    return [[rank[column] for column in taken[index]] for index in range(len(rows))]


def _match(numbers: list[Span], columns: list[list[Span]]) -> list[int]:
    """Match a line's numbers to columns from left to right, and open columns for the others."""
    found: list[int] = []
    for span in numbers:
        shares = [
            0.0 if place in found else _shared_width(span, column)
            for place, column in enumerate(columns)
        ]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] > SAME_COLUMN:
            columns[best].append(span)
            found.append(best)
        else:
            columns.append([span])
            found.append(len(columns) - 1)
    return found


def _shared_width(span: Span, column: list[Span]) -> float:
    """Return the part of the narrower one, number or column, that both have in common."""
    left = median(other.left for other in column)
    right = median(other.right for other in column)
    shared = min(span.right, right) - max(span.left, left)
    return shared / max(min(span.right - span.left, right - left), 1e-6)
