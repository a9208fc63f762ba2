"""A sheet in the making: its ink, its rules, and the truth of every mark on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, SupportsInt

import cv2
import numpy as np
from numpy.random import Generator

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


class Rule(NamedTuple):
    """How a straight line is drawn."""

    darkness: float
    width: SupportsInt
    """Pixels."""

    @property
    def pixels(self) -> int:
        """The width that OpenCV draws it with."""
        return max(int(self.width), 1)


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
        return np.arange(rng.uniform(0, leading), self.full + leading, leading)

    def stamp(self, image: np.ndarray, left: float, top: float, darkness: float) -> Box | None:
        """Put ink (H, W) on the sheet; return its box, or None where it lies outside."""
        height, width = image.shape
        x = round(left)
        y = round(top)
        box = Box(x, y, x + width, y + height)
        down = slice(max(y, 0), min(y + height, self.full))
        across = slice(max(x, 0), min(x + width, self.full))
        if across.stop <= across.start or down.stop <= down.start:
            return None
        seen = image[down.start - y : down.stop - y, across.start - x : across.stop - x]
        target = self.ink[down, across]
        np.maximum(target, seen * darkness, out=target)
        return box

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

    def line(self, start: Point, end: Point, rule: Rule, on_rules: bool = True) -> None:
        """Draw a straight line from start to end, both (x, y), in rules or in ink."""
        layer = self.rules if on_rules else self.ink
        first = round(start[0]), round(start[1])
        last = round(end[0]), round(end[1])
        cv2.line(layer, first, last, float(rule.darkness), rule.pixels, cv2.LINE_AA)

    def line_down(self, x: float, rule: Rule, top: float = 0.0, drift: float = 0.0) -> None:
        """Draw a line down to the lower edge, which ends `drift` pixels beside where it began."""
        self.line((x, top), (x + drift, self.full), rule)

    def line_across(self, y: float, rule: Rule, left: float = 0.0, drift: float = 0.0) -> None:
        """Draw a line to the right edge, which ends `drift` pixels below where it began."""
        self.line((left, y), (self.full, y + drift), rule)

    def rectangle(self, box: Box, rule: Rule) -> None:
        """Draw the outline of a box in rules."""
        top_left = round(box.left), round(box.top)
        bottom_right = round(box.right), round(box.bottom)
        cv2.rectangle(self.rules, top_left, bottom_right, float(rule.darkness), rule.pixels)

    def disc(
        self, place: Sequence[int], radius: SupportsInt, darkness: float, on_rules=True
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
