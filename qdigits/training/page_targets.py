"""From the marks of a page to what the page network should answer."""

from __future__ import annotations

from itertools import product
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from qdigits.augment.pages.marks import CLASSES, OTHER, Box, Mark
from qdigits.augment.pages.sheet import SIDE
from qdigits.augment.synthetic_pages import Page

STRIDE = 4
CELLS = SIDE // STRIDE
SPREAD = 0.18
"""Standard deviation of a mark's heat, in widths and heights of its box."""
SHARPEST = 0.5
"""Cells of the least standard deviation."""
BACKGROUND_TURN = 0.1
"""What a cell without marks counts for in telling how a page is turned."""


Values = TypeVar("Values")  # arrays of one page, or tensors of a batch of pages


class PageTarget(NamedTuple, Generic[Values]):
    """What the network should answer for one page, float32 (channels, CELLS, CELLS)."""

    heat: Values
    """One channel for each of CLASSES: 1.0 at the middle of a mark, falling off around it."""
    asked: Values
    """Two channels, digits with signs and "other": 0.0 where nothing is asked."""
    box: Values
    """Offset x, y in cells, log(width / 16), log(height / 16)."""
    held: Values
    """1.0 where a cell has to say the box."""
    printed: Values
    """1.0 where the mark is printed."""
    turn: Values
    """The weight of each cell in telling how the page is turned."""


def target_of(page: Page) -> PageTarget[np.ndarray]:
    """Turn the truth of a page into what the network should answer."""
    target = PageTarget(
        heat=_channels(len(CLASSES)),
        asked=_channels(2, 1.0),
        box=_channels(4),
        held=_channels(1),
        printed=_channels(1),
        turn=_channels(1, BACKGROUND_TURN if page.marks else 0.0),
    )
    for box in page.ignored:
        rows, columns = _cells_of(box)
        target.asked[:, rows, columns] = 0
    for box in page.vague:
        rows, columns = _cells_of(box)
        target.asked[1, rows, columns] = 0
    for mark in page.marks:
        rows, columns = _cells_of(mark.box)
        target.turn[0, rows, columns] = 1
    if page.turns:
        target.asked[:] = 0
        return target
    for mark in sorted(page.marks, key=_area, reverse=True):
        _add_heat(target, mark)
        _add_box(target, mark)
    return target


def _channels(count: int, value: float = 0.0) -> np.ndarray:
    """Return so many channels of one value, float32 (count, CELLS, CELLS)."""
    return np.full((count, CELLS, CELLS), value, np.float32)


def _area(mark: Mark) -> float:
    return mark.box.width * mark.box.height


def _cells_of(box: Box) -> tuple[slice, slice]:
    """Return the rows and the columns of the cells that a box touches."""
    left, top, right, bottom = (int(np.clip(edge / STRIDE, 0, CELLS)) for edge in box)
    return slice(top, bottom + 1), slice(left, right + 1)


def _is_cell(row: int, column: int) -> bool:
    return 0 <= row < CELLS and 0 <= column < CELLS


def _add_heat(target: PageTarget[np.ndarray], mark: Mark) -> None:
    """Raise the heat around the middle of a mark, and ask for the mark there."""
    x, y = (place / STRIDE for place in mark.box.centre)
    row = int(y)
    column = int(x)
    if not _is_cell(row, column):
        return
    columns, across = _bell(x, mark.box.width)
    rows, down = _bell(y, mark.box.height)
    heat = target.heat[mark.kind, rows, columns]
    np.maximum(heat, down[:, None] * across, out=heat)
    target.heat[mark.kind, row, column] = 1
    target.asked[int(mark.kind == OTHER), row, column] = 1


def _bell(middle: float, size: float) -> tuple[slice, np.ndarray]:
    """Return the cells near the middle of a mark along one side, and the heat of each.

    Args:
        middle: In cells.
        size: Pixels of the mark along that side.
    """
    spread = max(size / STRIDE * SPREAD, SHARPEST)
    reach = 3 * spread
    first = max(int(middle - reach), 0)
    end = min(int(middle + reach) + 2, CELLS)
    distance = np.arange(first, end) + 0.5 - middle
    return slice(first, end), np.exp(-(distance**2) / (2 * spread**2))


def _add_box(target: PageTarget[np.ndarray], mark: Mark) -> None:
    """Write the box of a mark into the cells around its middle."""
    x, y = (place / STRIDE for place in mark.box.centre)
    reach_x = 0.3 * mark.box.width / STRIDE
    reach_y = 0.3 * mark.box.height / STRIDE
    log_width = np.log(max(mark.box.width, 1) / 16)
    log_height = np.log(max(mark.box.height, 1) / 16)
    middle = (int(y), int(x))
    for row, column in _with_neighbours(*middle):
        right = x - column - 0.5
        down = y - row - 0.5
        is_near = abs(right) < reach_x and abs(down) < reach_y
        if is_near or (row, column) == middle:
            target.held[0, row, column] = 1
            target.printed[0, row, column] = mark.printed
            target.box[:, row, column] = (right, down, log_width, log_height)


def _with_neighbours(row: int, column: int) -> list[tuple[int, int]]:
    """Return a cell and the eight around it, without those beyond the page."""
    rows = range(row - 1, row + 2)
    columns = range(column - 1, column + 2)
    return [cell for cell in product(rows, columns) if _is_cell(*cell)]
