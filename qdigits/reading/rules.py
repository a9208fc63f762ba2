"""Rules between the digits of a line: the cells that a table or a form gives."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from qdigits.augment.pages.marks import Box
from qdigits.reading.lines import Glyph, Line, is_digit

BEYOND = 0.25  # digit heights that a rule reaches above and below the digits, at least
TALLEST = 36  # pixels: a taller place is shrunk to this before a rule is looked for
NARROWEST = 3  # pixels of a place that may hold a rule
CONTRAST = 12  # grey levels between a rule and the paper
UNBROKEN = 0.9  # of a rule's length that is inked, at least
LEANS = np.linspace(-0.15, 0.15, 7)  # of a rule, against a right angle to the line


def find_ruled_gaps(photo: np.ndarray, line: Line) -> list[bool]:
    """Say for each gap of a line whether a rule stands in it and keeps two cells apart.

    Where a rule runs through a digit, the paper is lined and no table: then no gap counts.

    Args:
        photo: uint8 (H, W, 3), RGB.
        line: Digits and signs of one line, from left to right.
    """
    glyphs = line.glyphs
    room = BEYOND * line.height
    gaps = [
        _place(one.right, other.left, (one, other), room)
        for one, other in zip(glyphs, glyphs[1:], strict=False)
    ]
    ruled = [_has_rule(photo, gap, line.slope) for gap in gaps]
    if not any(ruled):
        return ruled
    digits = [
        _place(glyph.left, glyph.right, glyphs[max(at - 1, 0) : at + 2], room)
        for at, glyph in enumerate(glyphs)
        if is_digit(glyph)
    ]
    is_lined_paper = any(_has_rule(photo, digit, line.slope) for digit in digits)
    return [False] * len(ruled) if is_lined_paper else ruled


def _place(left: float, right: float, beside: Sequence[Glyph], room: float) -> Box:
    """Return a place as high as the glyphs beside it, with some room above and below them."""
    top = min(glyph.top for glyph in beside) - room
    bottom = max(glyph.bottom for glyph in beside) + room
    return Box(left, top, right, bottom)


def _has_rule(photo: np.ndarray, place: Box, slope: float) -> bool:
    """Say whether a line as on a form runs down all of a place."""
    left, right = (int(np.clip(edge, 0, photo.shape[1])) for edge in (place.left, place.right))
    top, bottom = (int(np.clip(edge, 0, photo.shape[0])) for edge in (place.top, place.bottom))
    if bottom - top < NARROWEST or right - left < NARROWEST:
        return False
    part = cv2.cvtColor(photo[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    scale = min(TALLEST / (bottom - top), 1.0)
    width = max(round((right - left) * scale), 1)
    rows = max(round((bottom - top) * scale), 1)
    small = cv2.resize(part, (width, rows), interpolation=cv2.INTER_AREA)
    paper = np.median(small, axis=1, keepdims=True)
    ink = (np.abs(small - paper) > CONTRAST).astype(np.uint8)
    ink = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    if ink.any(1).mean() <= UNBROKEN:  # no column can be fuller, however it leans
        return False
    return any(_longest_column(ink, lean - slope) > UNBROKEN for lean in LEANS)


def _longest_column(ink: np.ndarray, lean: float) -> float:
    """Return the inked share of the fullest column once ink (H, W) is made upright."""
    rows, width = ink.shape
    shear = np.array([[1, -lean, lean * rows / 2], [0, 1, 0]])
    upright = cv2.warpAffine(ink, shear, (width, rows), flags=cv2.INTER_NEAREST)
    return float(upright.mean(0).max())
