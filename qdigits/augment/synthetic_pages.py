"""Pages that the program composes itself, with the truth of every mark.

The page network learns from them.
A page is a function of (seed, epoch, step, number) alone. To add a kind: a function that writes on
a sheet, and its line in KINDS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from qdigits.augment.pages import forms, writing
from qdigits.augment.pages.camera import add_dirt, quarter_turns, take_picture, tilt
from qdigits.augment.pages.marks import TURNED, Box, Mark
from qdigits.augment.pages.sheet import SIDE, Sheet
from qdigits.augment.pages.supplies import Supplies

Kind = Callable[[Generator, Sheet, Supplies], None]
KINDS: dict[str, tuple[Kind, float]] = {
    "plain lines": (writing.plain_lines, 8),
    "touching digits": (writing.touching_digits, 10),
    "spaced digits": (writing.spaced_digits, 5),
    "columns": (writing.columns, 6),
    "signs and dates": (writing.signed_numbers, 11),
    "notes": (writing.notes, 7),
    "labels": (writing.labels, 5),
    "sums": (writing.sums, 6),
    "halves": (writing.halves, 4),
    "big digits": (writing.big_digit, 10),
    "lone letters": (writing.lone_letters, 5),
    "struck out": (writing.struck_out, 4),
    "print": (writing.print_page, 4),
    "nothing": (writing.nothing, 3),
    "boxes": (forms.boxes, 8),
    "combs": (forms.combs, 5),
    "guides": (forms.guides, 6),
    "ruled paper": (forms.ruled_paper, 5),
    "squared paper": (forms.squared_paper, 6),
    "table": (forms.table, 10),
    "cheque": (forms.cheque, 5),
    "cell": (forms.cell_crop, 7),
    "rings": (forms.circle_marks, 2),
    "tiles": (writing.tile_of_digits, 5),
}
"""What people write on: the function that draws it, and how often, in parts of the whole."""


class Page(NamedTuple):
    """A picture and the truth of its marks."""

    picture: np.ndarray
    """uint8 (side, side)."""
    marks: list[Mark]
    ignored: list[Box]
    """Places where nothing is asked."""
    vague: list[Box]
    """Places where "other" may be found or not."""
    turns: int
    """Quarters by which the page is turned counter-clockwise; turned pages teach nothing else."""
    kind: str


def draw_page(
    supplies: Supplies,
    *key: int,
    kind: str | None = None,
    turned: float = TURNED,
    side: int = SIDE,
) -> Page:
    """Draw one page.

    Args:
        supplies: Digits, letters and fonts.
        key: Whole numbers, (seed, epoch, step, number): the same ones give the same page.
        kind: A name in KINDS; by default drawn by their shares.
        turned: Share of turned pages.
        side: Pixels of the picture along each side.
    """
    rng = np.random.default_rng(key)
    if kind is None:
        shares = np.array([share for _, share in KINDS.values()])
        kind = list(KINDS)[rng.choice(len(KINDS), p=shares / shares.sum())]
    sheet = Sheet(side)
    KINDS[kind][0](rng, sheet, supplies)
    add_dirt(rng, sheet)
    if rng.random() < 0.4:
        tilt(rng, sheet)
    picture = take_picture(rng, sheet)
    turns = int(rng.integers(1, 4)) if rng.random() < turned else 0
    picture, marks = quarter_turns(picture, sheet.marks, turns)
    return Page(picture, marks, sheet.ignored, sheet.vague, turns, kind)
