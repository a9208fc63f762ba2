"""The truth of a page: which mark stands where."""

from __future__ import annotations

from typing import NamedTuple

SIGNS = ".,-/:"
CLASSES = (*"0123456789", *SIGNS, "other")
"""What the page network tells apart.

"other" is ink that is no digit and no sign: letters, symbols, crosses.
"""
OTHER = len(CLASSES) - 1


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
