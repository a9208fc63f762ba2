"""Signs and symbols as a pen draws them: a few strokes each, every point moved a little.

strokes.json holds the shapes of each. Strokes are divided by "/". A stroke is a line past points
"x,y" in heights of a digit, where y rises from the baseline, or an arc: "arc", its middle, its two
radii, and the angles in degrees at which it starts and ends. To add a symbol or a shape: a text in
strokes.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from qdigits.augment.pages.chance import happens, pick, whole_number
from qdigits.augment.pages.marks import SIGNS
from qdigits.augment.pages.pens import tight

STROKES_FILE = Path(__file__).parent / "strokes.json"
ARC_POINTS = 9
SUBPIXELS = 16
"""Points are given to OpenCV in sixteenths of a pixel."""
SUBPIXEL_BITS = 4
EDGE = 2
"""Pixels that are left free around the strokes over a cell."""


def parse_pairs(words: list[str]) -> np.ndarray:
    """Return an array (N, 2) of words "x,y"."""
    return np.array([word.split(",") for word in words], float)


def parse_stroke(text: str) -> np.ndarray:
    """Return the points (N, 2) of one stroke of strokes.json."""
    words = text.split()
    if words[0] != "arc":
        return parse_pairs(words)
    middle, radii, (start, end) = parse_pairs(words[1:])
    degrees = np.linspace(start, end, ARC_POINTS)
    angles = degrees * np.pi / 180
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return middle + radii * circle


def parse_shape(text: str) -> list[np.ndarray]:
    """Return the strokes of one shape of strokes.json."""
    return [parse_stroke(stroke) for stroke in text.split("/")]


_TEXTS: dict[str, list[str]] = json.loads(STROKES_FILE.read_text(encoding="utf-8"))
SHAPES = {character: list(map(parse_shape, texts)) for character, texts in _TEXTS.items()}
MIDDLE_DOT = "·"
"""The point that some writers put halfway up the line."""
SIGN_STROKES = SIGNS + MIDDLE_DOT
DOTS = {".": 1.25, MIDDLE_DOT: 1.25, ":": 1.2}
"""Marks made of dots, whose pen rests: their width in pens."""
SYMBOLS = tuple(character for character in SHAPES if character not in SIGN_STROKES)


class Drawing(NamedTuple):
    """Ink, and how far its top edge lies above the baseline in pixels."""

    ink: np.ndarray
    rise: float


def draw_symbol(
    rng: Generator,
    character: str,
    height: float,
    pen: float,
    looseness: float = 0.035,
) -> Drawing | None:
    """Draw one of SHAPES beside digits of `height` pixels with a pen of `pen` pixels."""
    side = int(2.4 * height) + 8
    baseline = 1.6 * height + 4
    origin = (side / 2, baseline)
    stretch = np.exp(rng.normal(0, 0.16, 2)) * height
    pen_width = pen * DOTS.get(character, 1) * rng.uniform(0.8, 1.2)
    ink = np.zeros((side, side), np.uint8)
    for stroke in pick(rng, SHAPES[character]):
        jitter = rng.normal(0, looseness, stroke.shape)
        points = (stroke + jitter) * stretch
        upright = points * (1, -1)
        draw_polyline(ink, upright + origin, pen_width, 255)
    return _crop_drawing(ink, baseline)


def _crop_drawing(ink: np.ndarray, baseline: float) -> Drawing | None:
    """Crop uint8 ink (H, W) to what is drawn; None where nothing is."""
    is_ink = ink > 64
    if not is_ink.any():
        return None
    rows = np.flatnonzero(is_ink.any(1))
    top = rows[0]
    darkness = ink.astype(np.float32) / 255
    found = tight(darkness)
    if found is None:  # a single row, as of a thin dash
        columns = is_ink.any(0)
        found = darkness[top : top + 1, columns]
    return Drawing(found, baseline - top)


def draw_polyline(ink: np.ndarray, points: np.ndarray, pen: float, darkness: float) -> None:
    """Draw a line past points (N, 2) with a pen of `pen` pixels, in place."""
    fixed = np.round(points * SUBPIXELS).astype(np.int32)
    width = max(round(pen), 1)
    cv2.polylines(ink, [fixed], False, darkness, width, cv2.LINE_AA, SUBPIXEL_BITS)


def _blank_cell(width: float, height: float) -> np.ndarray:
    """Return blank ink (H, W) for what is drawn over a cell."""
    rows = int(height) + 3 * EDGE
    columns = int(width) + 3 * EDGE
    return np.zeros((rows, columns), np.float32)


def draw_cross(rng: Generator, width: float, height: float, pen: float) -> np.ndarray:
    """Draw the X that strikes out a cell."""
    ink = _blank_cell(width, height)
    wobble = rng.normal(0, 0.05, (2, 2, 2)) * min(width, height)
    right = width + EDGE
    bottom = height + EDGE
    falling = ((EDGE, EDGE), (right, bottom))
    rising = ((EDGE, bottom), (right, EDGE))
    strokes = np.round(np.array([falling, rising]) + wobble)
    thickness = max(round(pen), 1)
    for start, end in strokes.astype(int).tolist():
        cv2.line(ink, start, end, 1.0, thickness, cv2.LINE_AA)
    return ink


def draw_scribble(rng: Generator, width: float, height: float, pen: float) -> np.ndarray:
    """Draw a pen that goes to and fro until nothing can be read underneath."""
    ink = _blank_cell(width, height)
    turns = whole_number(rng, 5, 13)
    is_orderly = happens(rng, 0.5)
    across = np.linspace(0, 1, turns) if is_orderly else rng.uniform(0, 1, turns)
    top_and_bottom = np.arange(turns) % 2
    across = across + rng.normal(0, 0.08, turns)
    down = top_and_bottom + rng.normal(0, 0.18, turns)
    x = across.clip(0, 1) * width
    y = down.clip(0, 1) * height
    points = np.stack([x, y], axis=1) + EDGE
    draw_polyline(ink, points, pen, 1.0)
    return ink
