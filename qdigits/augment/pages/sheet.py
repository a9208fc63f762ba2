"""A sheet in the making: its ink, its rules, and the truth of every mark on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsInt

import cv2
import numpy as np

from qdigits.augment.pages.marks import OTHER, Box, Mark

SIDE = 256
"""Pixels of a crop."""
MARGIN = 24
"""Pixels drawn around the crop, so that a tilted crop has no empty corners."""
MOST_MARKS = 64
"""Marks on a crop of SIDE pixels after which it is full."""
SMALLEST_OTHER = 6
"""Pixels of height below which a letter may be found or not."""


Point = Sequence[float] | np.ndarray  # (x, y)


class Sheet:
    """Ink and rules, float32 (full, full) with 0.0 for blank paper and 1.0 for the blackest ink."""

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        """Pixels of the picture that is taken of it."""
        self.full = side + 2 * MARGIN
        self.ink = np.zeros((self.full, self.full), np.float32)
        self.rules = np.zeros((self.full, self.full), np.float32)
        self.detail = side
        """Pixels along each side that the picture is taken with, before it is enlarged."""
        self.number = 0
        """How many numbers and words have been begun."""
        self.marks: list[Mark] = []
        self.ignored: list[Box] = []
        """Places where nothing is asked: marks that are cut off or scribbled over."""
        self.vague: list[Box] = []
        """Places where "other" may be found or not: letters too small to tell apart."""

    @property
    def is_full(self) -> bool:
        """Whether more marks would only cost time."""
        return len(self.marks) >= MOST_MARKS * (self.side / SIDE) ** 2

    def stamp(self, image: np.ndarray, left: float, top: float, darkness: float) -> Box | None:
        """Put ink (H, W) on the sheet; return its box, or None where it lies outside."""
        height, width = image.shape
        x = round(left)
        y = round(top)
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + width, self.full), min(y + height, self.full)
        if x1 <= x0 or y1 <= y0:
            return None
        target = self.ink[y0:y1, x0:x1]
        np.maximum(target, image[y0 - y : y1 - y, x0 - x : x1 - x] * darkness, out=target)
        return Box(x, y, x + width, y + height)

    def add(
        self, image: np.ndarray, kind: int, left: float, top: float, darkness: float, printed=False
    ) -> Box | None:
        """Put a mark on the sheet and write down its truth."""
        box = self.stamp(image, left, top, darkness)
        if box is None:
            return None
        if kind == OTHER and box.height < SMALLEST_OTHER:
            self.vague.append(box)
        else:
            self.marks.append(Mark(kind, box, printed, self.number))
        return box

    def shade(self, box: Box, darkness: float) -> None:
        """Fill a box with grey, under its rules."""
        left, top, right, bottom = (max(int(edge), 0) for edge in box)
        area = self.rules[top:bottom, left:right]
        np.maximum(area, np.float32(darkness), out=area)

    def note(self, kind: int, box: Box, printed: bool = False) -> None:
        """Write down the truth of a mark that is drawn already."""
        self.marks.append(Mark(kind, box, printed, self.number))

    def line(
        self, start: Point, end: Point, darkness: float, width: SupportsInt, on_rules: bool = True
    ) -> None:
        """Draw a straight line from start to end, both (x, y)."""
        layer = self.rules if on_rules else self.ink
        first = round(start[0]), round(start[1])
        last = round(end[0]), round(end[1])
        cv2.line(layer, first, last, float(darkness), max(int(width), 1), cv2.LINE_AA)

    def rectangle(self, box: Box, darkness: float, width: int) -> None:
        """Draw the outline of a box in rules."""
        corners = (round(box.left), round(box.top)), (round(box.right), round(box.bottom))
        cv2.rectangle(self.rules, *corners, float(darkness), max(int(width), 1))

    def forget(self, region: Box) -> None:
        """Ask nothing of the marks whose middle lies in a region."""
        kept = []
        for mark in self.marks:
            x, y = mark.box.centre
            if region.left <= x <= region.right and region.top <= y <= region.bottom:
                self.ignored.append(mark.box)
            else:
                kept.append(mark)
        self.marks = kept
