"""From the marks of a page to what the page network should answer."""

from __future__ import annotations

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
    cells = CELLS, CELLS
    target = PageTarget(
        heat=np.zeros((len(CLASSES), *cells), np.float32),
        asked=np.ones((2, *cells), np.float32),
        box=np.zeros((4, *cells), np.float32),
        held=np.zeros((1, *cells), np.float32),
        printed=np.zeros((1, *cells), np.float32),
        turn=np.full((1, *cells), BACKGROUND_TURN if page.marks else 0.0, np.float32),
    )
    for box in page.ignored:
        target.asked[(slice(None), *_cells_of(box))] = 0
    for box in page.vague:
        target.asked[(slice(1, 2), *_cells_of(box))] = 0
    for mark in page.marks:
        target.turn[(0, *_cells_of(mark.box))] = 1
    if page.turns:
        target.asked[:] = 0
        return target
    for mark in sorted(page.marks, key=lambda mark: -mark.box.width * mark.box.height):
        _add_heat(target, mark)
        _add_box(target, mark)
    return target


def _cells_of(box: Box) -> tuple[slice, slice]:
    left, top, right, bottom = (int(np.clip(edge / STRIDE, 0, CELLS)) for edge in box)
    return slice(top, bottom + 1), slice(left, right + 1)


def _add_heat(target: PageTarget[np.ndarray], mark: Mark) -> None:
    x, y = (place / STRIDE for place in mark.box.centre)
    column, row = int(x), int(y)
    if not (0 <= column < CELLS and 0 <= row < CELLS):
        return
    spread_x = max(mark.box.width / STRIDE * SPREAD, SHARPEST)
    spread_y = max(mark.box.height / STRIDE * SPREAD, SHARPEST)
    columns = slice(max(int(x - 3 * spread_x), 0), min(int(x + 3 * spread_x) + 2, CELLS))
    rows = slice(max(int(y - 3 * spread_y), 0), min(int(y + 3 * spread_y) + 2, CELLS))
    along = np.exp(-((np.arange(columns.start, columns.stop) + 0.5 - x) ** 2) / (2 * spread_x**2))
    down = np.exp(-((np.arange(rows.start, rows.stop) + 0.5 - y) ** 2) / (2 * spread_y**2))
    heat = target.heat[mark.kind, rows, columns]
    np.maximum(heat, down[:, None] * along, out=heat)
    target.heat[mark.kind, row, column] = 1
    target.asked[int(mark.kind == OTHER), row, column] = 1


def _add_box(target: PageTarget[np.ndarray], mark: Mark) -> None:
    x, y = (place / STRIDE for place in mark.box.centre)
    reach_x, reach_y = 0.3 * mark.box.width / STRIDE, 0.3 * mark.box.height / STRIDE
    for row in range(int(y) - 1, int(y) + 2):
        for column in range(int(x) - 1, int(x) + 2):
            centre = (row, column) == (int(y), int(x))
            near = abs(column + 0.5 - x) < reach_x and abs(row + 0.5 - y) < reach_y
            if not (centre or near) or not (0 <= row < CELLS and 0 <= column < CELLS):
                continue
            target.held[0, row, column] = 1
            target.printed[0, row, column] = mark.printed
            target.box[:, row, column] = (
                x - column - 0.5,
                y - row - 0.5,
                np.log(max(mark.box.width, 1) / 16),
                np.log(max(mark.box.height, 1) / 16),
            )
