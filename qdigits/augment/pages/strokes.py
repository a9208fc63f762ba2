"""Signs and symbols as a pen draws them: a few strokes each, every point moved a little."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from qdigits.augment.pages.pens import tight

Stroke = tuple[tuple[float, float], ...]
"""Points (x, y) in heights of a digit; y rises from the baseline."""


def _arc(x: float, y: float, wide: float, high: float, start: float, end: float) -> Stroke:
    angles = np.linspace(start, end, 9) * np.pi / 180
    return tuple((x + wide * np.cos(a), y + high * np.sin(a)) for a in angles)


STROKES: dict[str, tuple[Stroke, ...]] = {
    ".": (((0, 0.03), (0.01, 0.0)),),
    "·": (((0, 0.42), (0.01, 0.39)),),
    ",": (((0.04, 0.06), (0.03, -0.02), (-0.06, -0.17)),),
    "-": (((-0.2, 0.44), (0.2, 0.44)),),
    "/": (((-0.28, -0.18), (0.28, 1.15)),),
    ":": (((0, 0.18), (0.01, 0.15)), ((0, 0.6), (0.01, 0.57))),
    "+": (((-0.3, 0.45), (0.3, 0.45)), ((0, 0.15), (0, 0.75))),
    "=": (((-0.3, 0.32), (0.3, 0.32)), ((-0.3, 0.58), (0.3, 0.58))),
    "x": (((-0.22, 0.15), (0.22, 0.65)), ((-0.22, 0.65), (0.22, 0.15))),
    "X": (((-0.32, 0.02), (0.32, 0.95)), ((-0.32, 0.95), (0.32, 0.02))),
    "(": (_arc(0.3, 0.45, 0.3, 0.65, 110, 250),),
    ")": (_arc(-0.3, 0.45, 0.3, 0.65, 70, -70),),
    "%": (
        ((-0.25, 0.0), (0.3, 0.95)),
        _arc(-0.2, 0.75, 0.13, 0.16, 0, 380),
        _arc(0.25, 0.2, 0.13, 0.16, 0, 380),
    ),
    "*": (((-0.2, 0.45), (0.2, 0.75)), ((-0.2, 0.75), (0.2, 0.45)), ((0, 0.4), (0, 0.8))),
    "#": (
        ((-0.2, 0), (-0.1, 0.9)),
        ((0.12, 0), (0.22, 0.9)),
        ((-0.35, 0.3), (0.35, 0.32)),
        ((-0.32, 0.6), (0.38, 0.62)),
    ),
    "√": (((-0.4, 0.45), (-0.25, 0.5), (-0.1, 0.0), (0.1, 1.05), (0.9, 1.08)),),
    "✓": (((-0.25, 0.4), (-0.05, 0.05), (0.5, 0.95)),),
    "÷": (((-0.3, 0.45), (0.3, 0.45)), ((0, 0.72), (0.01, 0.69)), ((0, 0.2), (0.01, 0.17))),
    "→": (((-0.5, 0.4), (0.5, 0.42)), ((0.3, 0.6), (0.5, 0.42), (0.3, 0.22))),
    "<": (((0.3, 0.8), (-0.25, 0.45), (0.3, 0.1)),),
    ">": (((-0.3, 0.8), (0.25, 0.45), (-0.3, 0.1)),),
    "$": (
        ((0.25, 0.8), (0, 0.92), (-0.22, 0.72), (0, 0.5), (0.24, 0.25), (0, 0.03), (-0.26, 0.15)),
        ((0.0, 1.1), (0.0, -0.15)),
    ),
    "~": (((-0.3, 0.4), (-0.15, 0.52), (0.1, 0.36), (0.3, 0.5)),),
    "?": (
        ((-0.2, 0.75), (0, 0.95), (0.22, 0.75), (0.02, 0.45), (0, 0.28)),
        ((0, 0.03), (0.01, 0.0)),
    ),
    "!": (((0, 1.0), (0, 0.25)), ((0, 0.03), (0.01, 0.0))),
    "{": (((0.2, 1.1), (0, 1.0), (0, 0.55), (-0.12, 0.45), (0, 0.35), (0, -0.1), (0.2, -0.2)),),
    "}": (((-0.2, 1.1), (0, 1.0), (0, 0.55), (0.12, 0.45), (0, 0.35), (0, -0.1), (-0.2, -0.2)),),
}
DOTS = {".": 1.25, "·": 1.25, ":": 1.2}
"""Marks made of dots, whose pen rests: their width in pens."""
SYMBOLS = tuple(character for character in STROKES if character not in ".,-/:·")


class Drawing(NamedTuple):
    """Ink, and how far its top edge lies above the baseline in pixels."""

    ink: np.ndarray
    rise: float


def draw_symbol(
    rng: np.random.Generator, character: str, height: float, pen: float, looseness: float = 0.035
) -> Drawing | None:
    """Draw one of STROKES beside digits of `height` pixels with a pen of `pen` pixels."""
    side = int(2.4 * height) + 8
    ink = np.zeros((side, side), np.uint8)
    stretch = np.exp(rng.normal(0, 0.12, 2)) * height
    wide = max(pen * DOTS.get(character, 1) * rng.uniform(0.8, 1.2), 1)
    baseline = 1.6 * height + 4
    for stroke in STROKES[character]:
        points = np.array(stroke) + rng.normal(0, looseness, (len(stroke), 2))
        points = points * stretch * (1, -1) + (side / 2, baseline)
        fixed = np.round(points * 16).astype(np.int32)
        cv2.polylines(ink, [fixed], False, 255, max(round(wide), 1), cv2.LINE_AA, 4)
    rows = np.flatnonzero((ink > 64).any(1))
    found = tight(ink.astype(np.float32) / 255)
    if found is None or not len(rows):
        if not len(rows):
            return None
        found = ink[rows[0] : rows[0] + 1, (ink > 64).any(0)].astype(np.float32) / 255
    return Drawing(found, baseline - rows[0])


def draw_cross(rng: np.random.Generator, width: float, height: float, pen: float) -> np.ndarray:
    """Draw the X that strikes out a cell."""
    ink = np.zeros((int(height) + 6, int(width) + 6), np.float32)
    wobble = rng.normal(0, 0.05, 8) * min(width, height)
    lines = (((2, 2), (width + 2, height + 2)), ((2, height + 2), (width + 2, 2)))
    for index, (start, end) in enumerate(lines):
        ends = np.array([*start, *end]) + wobble[4 * index : 4 * index + 4]
        x0, y0, x1, y1 = np.round(ends).astype(int).tolist()
        cv2.line(ink, (x0, y0), (x1, y1), 1.0, max(round(pen), 1), cv2.LINE_AA)
    return ink


def draw_scribble(rng: np.random.Generator, width: float, height: float, pen: float) -> np.ndarray:
    """Draw a pen that goes to and fro until nothing can be read underneath."""
    ink = np.zeros((int(height) + 6, int(width) + 6), np.float32)
    turns = int(rng.integers(5, 14))
    across = np.linspace(0, 1, turns) if rng.random() < 0.5 else rng.uniform(0, 1, turns)
    x = (across + rng.normal(0, 0.08, turns)).clip(0, 1) * width + 2
    y = (np.arange(turns) % 2 + rng.normal(0, 0.18, turns)).clip(0, 1) * height + 2
    points = np.round(np.stack([x, y], 1) * 16).astype(np.int32)
    cv2.polylines(ink, [points], False, 1.0, max(round(pen), 1), cv2.LINE_AA, 4)
    return ink
