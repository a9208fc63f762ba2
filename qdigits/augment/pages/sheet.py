"""A sheet in the making: its ink, its rules, and the truth of every mark on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, SupportsInt

import cv2
import numpy as np
from numpy.random import Generator

from qdigits.augment.pages.marks import OTHER, Box, Mark, box_of

SIDE = 256
"""Pixels of a crop."""
MARGIN = 24
"""Pixels drawn around the crop, so that a tilted crop has no empty corners."""
MOST_MARKS = 64
"""Marks on a crop of SIDE pixels after which it is full."""
SMALLEST_OTHER = 6
"""Pixels of height below which a letter may be found or not."""

Point = Sequence[float] | np.ndarray  # (x, y)


class Rule(NamedTuple):
    """How a straight line is drawn."""

    darkness: float
    width: SupportsInt
    """Pixels."""

    @property
    def pixels(self) -> int:
        """The width that OpenCV draws it with."""
        return max(int(self.width), 1)


class Overlap(NamedTuple):
    """The rows, or the columns, that an image and the sheet have in common."""

    within_sheet: slice
    within_image: slice


class Sheet:
    """Ink and rules, float32 (full, full) with 0.0 for blank paper and 1.0 for the blackest ink."""

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        """Pixels of the picture that is taken of it."""
        self.full = side + 2 * MARGIN
        self.ink: np.ndarray = np.zeros((self.full, self.full), np.float32)
        self.rules: np.ndarray = np.zeros((self.full, self.full), np.float32)
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
        share = (self.side / SIDE) ** 2
        return len(self.marks) >= MOST_MARKS * share

    def has_room(self, x: float) -> bool:
        """Return whether to go on writing a line at x."""
        return x < self.full and not self.is_full

    def baselines(self, rng: Generator, leading: float) -> np.ndarray:
        """Return the baselines of lines that fill the sheet, `leading` pixels apart."""
        first = rng.uniform(0, leading)
        return np.arange(first, self.full + leading, leading)

    def stamp(self, image: np.ndarray, left: float, top: float, darkness: float) -> Box | None:
        """Put ink (H, W) on the sheet; return its box, or None where it lies outside."""
        height, width = image.shape
        x = round(left)
        y = round(top)
        rows = self._overlap(y, height)
        columns = self._overlap(x, width)
        if rows is None or columns is None:
            return None
        seen = image[rows.within_image, columns.within_image]
        target = self.ink[rows.within_sheet, columns.within_sheet]
        np.maximum(target, seen * darkness, out=target)
        return box_of(x, y, width, height)

    def _overlap(self, start: int, length: int) -> Overlap | None:
        """Return the pixels that an image shares with the sheet, down or across, if any.

        Args:
            start: The row or column of the sheet where the image starts.
            length: Rows or columns of the image.
        """
        first = max(start, 0)
        end = min(start + length, self.full)
        if end <= first:
            return None
        within_image = slice(first - start, end - start)
        return Overlap(slice(first, end), within_image)

    def add(
        self,
        image: np.ndarray,
        kind: int,
        left: float,
        top: float,
        darkness: float,
        printed: bool = False,
    ) -> Box | None:
        """Put a mark on the sheet and write down its truth."""
        box = self.stamp(image, left, top, darkness)
        if box is None:
            return None
        if kind == OTHER and box.height < SMALLEST_OTHER:
            self.vague.append(box)
        else:
            self.note(kind, box, printed)
        return box

    def shade(self, box: Box, darkness: float) -> None:
        """Fill a box with grey, under its rules."""
        edges = [max(int(edge), 0) for edge in box]
        left, top, right, bottom = edges
        area = self.rules[top:bottom, left:right]
        np.maximum(area, np.float32(darkness), out=area)

    def note(self, kind: int, box: Box, printed: bool = False) -> None:
        """Write down the truth of a mark that is drawn already."""
        mark = Mark(kind, box, printed, self.number)
        self.marks.append(mark)

    def line(self, start: Point, end: Point, rule: Rule, on_rules: bool = True) -> None:
        """Draw a straight line from start to end, both (x, y), in rules or in ink."""
        layer = self.rules if on_rules else self.ink
        first = _nearest_pixel(start)
        last = _nearest_pixel(end)
        cv2.line(layer, first, last, float(rule.darkness), rule.pixels, cv2.LINE_AA)

    def line_down(
        self,
        x: float,
        rule: Rule,
        top: float = 0.0,
        drift: float = 0.0,
    ) -> None:
        """Draw a line down to the lower edge, which ends `drift` pixels beside where it began."""
        start = (x, top)
        end = (x + drift, self.full)
        self.line(start, end, rule)

    def line_across(
        self,
        y: float,
        rule: Rule,
        left: float = 0.0,
        drift: float = 0.0,
    ) -> None:
        """Draw a line to the right edge, which ends `drift` pixels below where it began."""
        start = (left, y)
        end = (self.full, y + drift)
        self.line(start, end, rule)

    def rectangle(self, box: Box, rule: Rule) -> None:
        """Draw the outline of a box in rules."""
        top_left = _nearest_pixel((box.left, box.top))
        bottom_right = _nearest_pixel((box.right, box.bottom))
        darkness = float(rule.darkness)
        cv2.rectangle(self.rules, top_left, bottom_right, darkness, rule.pixels)

    def disc(
        self,
        place: Sequence[int],
        radius: SupportsInt,
        darkness: float,
        on_rules: bool = True,
    ) -> None:
        """Draw a filled circle around a place (x, y)."""
        layer = self.rules if on_rules else self.ink
        cv2.circle(layer, place, int(radius), float(darkness), cv2.FILLED, cv2.LINE_AA)

    def forget(self, region: Box) -> None:
        """Ask nothing of the marks whose middle lies in a region."""
        kept = []
        for mark in self.marks:
            if region.holds(mark.box.centre):
                self.ignored.append(mark.box)
            else:
                kept.append(mark)
        self.marks = kept


def _nearest_pixel(place: Point) -> tuple[int, int]:
    """Return the pixel (x, y) nearest to a place."""
    x, y = place
    return round(x), round(y)
