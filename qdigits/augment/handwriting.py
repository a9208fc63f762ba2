"""Handwriting from splines: digits in shapes that MNIST's American writers hardly use, and letters.

The digits are the flagged 1, the crossed 7, the open 4, the hooked 9 and others; the letters are no
digits. glyphs.json holds the shapes. A glyph is one or more strokes, divided by "/"; a stroke is a
curve past points "x,y" on a page ten high, and turns sharply at those marked "!". Every point moves
a little each time. To add a glyph: a text in glyphs.json.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from qdigits.augment.raster import HALF_TILE, draw_segments, line_segments, uniform

GLYPHS_FILE = Path(__file__).parent / "glyphs.json"
PAGE_HEIGHT = 10  # of the coordinates in glyphs.json
SEGMENTS_PER_STROKE = 16
MAX_JITTER = 0.08  # how far a control point may move, in heights of the page
SHARP = 3  # a spline that meets a point three times turns there sharply

Point = tuple[float, float]


class Glyphs(NamedTuple):
    """A set of F glyphs, each padded to P control points and S strokes."""

    control_points: Tensor  # (F, P, 2), in heights of the page
    weights: Tensor  # (F, S, SEGMENTS_PER_STROKE + 1, P): control points to points on the strokes


def parse_stroke(text: str) -> list[Point]:
    """Return the control points of a stroke; sharp turns are repeated."""
    points: list[Point] = []
    for word in text.split():
        is_sharp = word.endswith("!")
        times = SHARP if is_sharp else 1
        point = parse_point(word.rstrip("!"))
        points += [point] * times
    return points


def parse_point(text: str) -> Point:
    """Return the point "x,y" in heights of the page."""
    x, y = text.split(",")
    return float(x) / PAGE_HEIGHT, float(y) / PAGE_HEIGHT


def parse_glyph(text: str) -> list[list[Point]]:
    """Return the strokes of a glyph."""
    return [parse_stroke(stroke) for stroke in text.split("/")]


def spline_weights(stroke: list[Point], control_points: list[Point], columns: int) -> Tensor:
    """Return how much each control point adds to each point of a quadratic B-spline.

    Args:
        stroke: The control points that the spline follows.
        control_points: All control points of the glyph, each once.
        columns: How many columns the table has; those without a control point stay zero.

    Returns:
        Weights (SEGMENTS_PER_STROKE + 1, columns).
    """
    stroke = [stroke[0], *stroke, stroke[-1]]  # so the spline starts and ends on its ends
    end = len(stroke) - 2 - 1e-3
    positions = torch.linspace(0, end, SEGMENTS_PER_STROKE + 1)
    weights = torch.zeros(len(positions), columns)
    for row, position in enumerate(positions):
        first = int(position)
        fraction = float(position % 1)
        near_points = stroke[first : first + 3]
        shares = _spline_shares(fraction)
        for point, share in zip(near_points, shares, strict=True):
            column = control_points.index(point)
            weights[row, column] += share
    return weights


def _spline_shares(t: float) -> tuple[float, float, float]:
    """Return what three neighbouring control points add at t, 0 to 1, of the way past them."""
    before = (1 - t) ** 2
    middle = 1 + 2 * t - 2 * t * t
    after = t * t
    return before / 2, middle / 2, after / 2


def build_glyphs(texts: list[str]) -> Glyphs:
    """Build the tables of glyphs; a glyph of few strokes draws some of them twice."""
    glyphs = [parse_glyph(text) for text in texts]
    points_of = [_distinct_points(strokes) for strokes in glyphs]
    point_count = max(map(len, points_of))
    stroke_count = max(map(len, glyphs))
    control_points = []
    weights = []
    for strokes, points in zip(glyphs, points_of, strict=True):
        missing = point_count - len(points)
        padding = points[-1:] * missing
        control_points.append(points + padding)
        repeated = strokes * stroke_count
        drawn = repeated[:stroke_count]
        tables = [spline_weights(stroke, points, point_count) for stroke in drawn]
        weights.append(torch.stack(tables))
    return Glyphs(torch.tensor(control_points), torch.stack(weights))


def _distinct_points(strokes: list[list[Point]]) -> list[Point]:
    """Return all control points of a glyph, each once."""
    all_points = chain(*strokes)
    return sorted(set(all_points))


_TEXTS = json.loads(GLYPHS_FILE.read_text())
_DIGIT_TEXTS: dict[str, list[str]] = _TEXTS["digits"]
_SHAPE_COUNTS = torch.tensor([len(texts) for texts in _DIGIT_TEXTS.values()])
_DIGITS = torch.tensor([int(digit) for digit in _DIGIT_TEXTS])
DIGIT_LABELS = _DIGITS.repeat_interleave(_SHAPE_COUNTS)
DIGIT_GLYPHS = build_glyphs(list(chain(*_DIGIT_TEXTS.values())))
LETTER_GLYPHS = build_glyphs(_TEXTS["letters"])


def write_glyphs(glyphs: Glyphs, which: Tensor, rng: Generator) -> Tensor:
    """Write glyphs, each as a writer of its own.

    Args:
        glyphs: The set to write from.
        which: The number of each glyph in the set, (N,).
        rng: The generator.

    Returns:
        Images (N, 1, 28, 28), ink 1.0 on paper 0.0.
    """
    control_points = glyphs.control_points[which].to(rng.device)
    weights = glyphs.weights[which].to(rng.device)
    moved_points = control_points + _jitter(control_points, rng)
    points = torch.einsum("nskp,npd->nskd", weights, moved_points)
    points = _slant(points, rng)
    points = _fit_tile(points, rng)  # (N, S, SEGMENTS_PER_STROKE + 1, 2)
    segments = line_segments(points)  # (N, S * SEGMENTS_PER_STROKE, 2, 2)
    breadth = uniform(points, rng, shape=(1,))
    pen_width = 1.3 + 3.7 * breadth**1.5  # few felt pens, many ball pens
    return draw_segments(segments, pen_width)


def _jitter(control_points: Tensor, rng: Generator) -> Tensor:
    """Draw how far each control point moves."""
    _, *shape = control_points.shape
    return uniform(control_points, rng, -MAX_JITTER, MAX_JITTER, tuple(shape))


def _slant(points: Tensor, rng: Generator) -> Tensor:
    """Make each glyph narrower, and slant it."""
    width = uniform(points, rng, 0.5, 1.0, (1, 1))
    slant = uniform(points, rng, -0.1, 0.45, (1, 1))
    x, y = points.unbind(-1)
    height = 1 - y
    slanted_x = x * width + height * slant
    return torch.stack([slanted_x, y], -1)


def _fit_tile(points: Tensor, rng: Generator) -> Tensor:
    """Scale each glyph to about MNIST's box, in the middle of the tile."""
    low = points.amin((1, 2), keepdim=True)
    high = points.amax((1, 2), keepdim=True)
    longest = (high - low).amax(-1, keepdim=True)
    size = uniform(points, rng, 16, 18.5, (1, 1, 1))
    scale = size / longest
    middle = (low + high) / 2
    return (points - middle) * scale + HALF_TILE


def _choose(glyph_count: int, count: int, rng: Generator) -> Tensor:
    """Draw the numbers of `count` glyphs, on the CPU."""
    chosen = torch.randint(glyph_count, (count,), generator=rng, device=rng.device)
    return chosen.cpu()


def draw_digits(count: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """Draw digits.

    Args:
        count: How many.
        rng: The generator.

    Returns:
        Images (count, 1, 28, 28), ink 1.0 on paper 0.0, and their labels (count,).
    """
    which = _choose(len(DIGIT_LABELS), count, rng)
    images = write_glyphs(DIGIT_GLYPHS, which, rng)
    labels = DIGIT_LABELS[which].to(rng.device)
    return images, labels


def draw_letters(like: Tensor, rng: Generator) -> Tensor:
    """Draw as many letters as a batch has images; nobody takes one of them for a digit.

    Args:
        like: A batch whose length is taken.
        rng: The generator.

    Returns:
        Images (N, 1, 28, 28), ink 1.0 on paper 0.0.
    """
    letter_count = len(LETTER_GLYPHS.control_points)
    which = _choose(letter_count, len(like), rng)
    return write_glyphs(LETTER_GLYPHS, which, rng)
