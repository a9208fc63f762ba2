"""The truth of a page: which mark stands where."""

from __future__ import annotations

from typing import NamedTuple

SIGNS = ".,-/:"
CLASSES = (*"0123456789", *SIGNS, "other")
"""What the page network tells apart.

"other" is ink that is no digit and no sign: letters, symbols, crosses.
"""
OTHER = len(CLASSES) - 1
TURNED = 0.2
"""Share of pages that are turned by a quarter, a half or three quarters."""


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom lie just outside of it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, place: tuple[float, float]) -> bool:
        """Return whether a place (x, y) lies inside or on the edge."""
        x, y = place
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def moved(self, right: float, down: float) -> Box:
        """Return the box so many pixels further right and down."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)


def box_of(left: float, top: float, width: float, height: float) -> Box:
    """Return a box from its corner and size."""
    return Box(left, top, left + width, top + height)


class Mark(NamedTuple):
    """One digit, sign or other mark on a page."""

    kind: int
    """Its place in CLASSES."""
    box: Box
    printed: bool = False
    number: int = 0
    """Which number or word of the page it belongs to."""


def kind_of(character: str) -> int:
    """Return the place in CLASSES of a character; every letter and symbol is "other"."""
    return CLASSES.index(character) if character in CLASSES else OTHER
