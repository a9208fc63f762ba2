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
        x, y = map(float, word.rstrip("!").split(","))
        point = (x / PAGE_HEIGHT, y / PAGE_HEIGHT)
        times = SHARP if word.endswith("!") else 1
        points += [point] * times
    return points


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
    positions = torch.linspace(0, len(stroke) - 2 - 1e-3, SEGMENTS_PER_STROKE + 1)
    starts = positions.long().tolist()
    fractions = (positions % 1).tolist()
    weights = torch.zeros(SEGMENTS_PER_STROKE + 1, columns)
    for row, (start, t) in enumerate(zip(starts, fractions, strict=True)):
        shares = [(1 - t) ** 2, 1 + 2 * t - 2 * t * t, t * t]
        near_points = stroke[start : start + 3]
        for point, share in zip(near_points, shares, strict=True):
            column = control_points.index(point)
            weights[row, column] += share / 2
    return weights


def build_glyphs(texts: list[str]) -> Glyphs:
    """Build the tables of glyphs; a glyph of few strokes draws some of them twice."""
    glyphs = [parse_glyph(text) for text in texts]
    points_of = [sorted(set(chain(*strokes))) for strokes in glyphs]
    point_count = max(map(len, points_of))
    stroke_count = max(map(len, glyphs))
    control_points = []
    weights = []
    for strokes, points in zip(glyphs, points_of, strict=True):
        padding = points[-1:] * (point_count - len(points))
        control_points.append(points + padding)
        repeated = (strokes * stroke_count)[:stroke_count]
        tables = [spline_weights(stroke, points, point_count) for stroke in repeated]
        weights.append(torch.stack(tables))
    return Glyphs(torch.tensor(control_points), torch.stack(weights))


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
    jitter_shape = tuple(control_points.shape[1:])
    jitter = uniform(control_points, rng, -MAX_JITTER, MAX_JITTER, jitter_shape)
    points = torch.einsum("nskp,npd->nskd", weights, control_points + jitter)
    points = _slant(points, rng)
    points = _fit_tile(points, rng)  # (N, S, SEGMENTS_PER_STROKE + 1, 2)
    segments = line_segments(points)  # (N, S * SEGMENTS_PER_STROKE, 2, 2)
    # Few felt pens, many ball pens.
    pen_width = 1.3 + 3.7 * uniform(points, rng, shape=(1,)) ** 1.5
    return draw_segments(segments, pen_width.expand(-1, segments.shape[1]))


def _slant(points: Tensor, rng: Generator) -> Tensor:
    """Make each glyph narrower, and slant it."""
    width = uniform(points, rng, 0.5, 1.0, (1, 1))
    slant = uniform(points, rng, -0.1, 0.45, (1, 1))
    x, y = points.unbind(-1)
    slanted_x = x * width + (1 - y) * slant
    return torch.stack([slanted_x, y], -1)


def _fit_tile(points: Tensor, rng: Generator) -> Tensor:
    """Scale each glyph to about MNIST's box, in the middle of the tile."""
    low = points.amin((1, 2), keepdim=True)
    high = points.amax((1, 2), keepdim=True)
    longest = (high - low).amax(-1, keepdim=True)
    scale = uniform(points, rng, 16, 18.5, (1, 1, 1)) / longest
    middle = (low + high) / 2
    return (points - middle) * scale + HALF_TILE


def _choose(glyph_count: int, count: int, rng: Generator) -> Tensor:
    """Draw the numbers of `count` glyphs, on the CPU."""
    return torch.randint(glyph_count, (count,), generator=rng, device=rng.device).cpu()


def draw_digits(count: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """Draw digits.

    Args:
        count: How many.
        rng: The generator.

    Returns:
        Images (count, 1, 28, 28), ink 1.0 on paper 0.0, and their labels (count,).
    """
    which = _choose(len(DIGIT_LABELS), count, rng)
    return write_glyphs(DIGIT_GLYPHS, which, rng), DIGIT_LABELS[which].to(rng.device)


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
