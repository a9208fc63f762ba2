"""What else lies on the tile: ruled lines, sheet edges, stains, a neighbouring digit.

Images are float32 (N, 1, 28, 28), ink 1.0 on paper 0.0.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from qdigits.augment.raster import (
    HALF_TILE,
    TILE_SIZE,
    affine_matrix,
    draw_segments,
    per_image_uniform,
    random_field,
    resample,
    uniform,
)

MAX_LINES = 3
LINE_PROBABILITIES = (1, 0.4, 0.2)  # of the first, the second and the third line
ZIGZAG_POINTS = 15


def ruled_lines(images: Tensor, rng: Generator) -> Tensor:
    """Draw one to three long lines, faint or strong, whole or dotted.

    So looks ruled, squared or struck-through paper.
    """
    angle = _draw_angles(images, rng)
    centre = uniform(images, rng, 0, TILE_SIZE, (MAX_LINES, 2))
    direction = torch.stack([angle.cos(), angle.sin()], -1)
    reach = direction * uniform(images, rng, 8, 30, (MAX_LINES, 1))
    probabilities = torch.tensor(LINE_PROBABILITIES, device=images.device)
    is_drawn = uniform(images, rng, shape=(MAX_LINES,)) < probabilities
    width = uniform(images, rng, 0.1, 1.8, (MAX_LINES,)) * is_drawn
    lines = draw_segments(torch.stack([centre - reach, centre + reach], 2), width)

    is_dotted = per_image_uniform(images, rng) < 0.3
    dots = (torch.arange(TILE_SIZE, device=images.device) % 4 < 2).float()
    lines = torch.where(is_dotted, lines * dots.view(1, 1, 1, TILE_SIZE), lines)
    return torch.maximum(images, lines * per_image_uniform(images, rng, 0.3, 1))


def _draw_angles(images: Tensor, rng: Generator) -> Tensor:
    """Draw the angles of lines, (N, MAX_LINES): on most sheets nearly level or upright."""
    tilt = uniform(images, rng, -0.2, 0.2, (MAX_LINES,))
    is_upright = uniform(images, rng, shape=(MAX_LINES,)) < 0.4
    is_askew = uniform(images, rng)[:, None] < 0.25
    any_angle = uniform(images, rng, 0, math.pi, (MAX_LINES,))
    return torch.where(is_askew, any_angle, tilt + is_upright * (math.pi / 2))


def zigzag(images: Tensor, rng: Generator) -> Tensor:
    """Draw a wavy line from side to side."""
    steps = torch.linspace(0, 1, ZIGZAG_POINTS, device=images.device)
    x = steps * uniform(images, rng, 18, 36)[:, None] - 2  # (N, ZIGZAG_POINTS)
    height = uniform(images, rng, 3, 25)[:, None]
    slope = uniform(images, rng, -0.3, 0.3)[:, None]
    sign = torch.tensor([1.0, -1.0], device=images.device).repeat(ZIGZAG_POINTS)[:ZIGZAG_POINTS]
    y = height + slope * (x - HALF_TILE) + sign * uniform(images, rng, 0, 2.5)[:, None]
    path = torch.stack([x, y], -1)
    segments = torch.stack([path[:, :-1], path[:, 1:]], 2)
    line = draw_segments(segments, uniform(images, rng, 0.3, 1.4, (1,)))
    return torch.maximum(images, line)


def sheet_edge(images: Tensor, rng: Generator) -> Tensor:
    """Brighten everything beyond a line, on one side or on two: the edge of a sheet or a frame."""
    position = torch.arange(TILE_SIZE, device=images.device).float()
    is_before = position < uniform(images, rng, 0, 8)[:, None]
    is_after = position > uniform(images, rng, 20, 28)[:, None]
    has_second = (uniform(images, rng) < 0.6)[:, None]
    bar = (is_before | (is_after & has_second)).float()
    is_upright = per_image_uniform(images, rng) < 0.5
    edge = torch.where(is_upright, bar[:, None, None, :], bar[:, None, :, None])
    return torch.maximum(images, edge * per_image_uniform(images, rng, 0.4, 1))


def stains(images: Tensor, rng: Generator) -> Tensor:
    """Draw soft patches of grey, over the ink or under it."""
    field = random_field(images, rng, cells=10)
    stain = ((field - per_image_uniform(images, rng, 0.2, 0.6)) * 6).clamp(0, 1)
    grey = per_image_uniform(images, rng, 0, 0.6)
    is_over_ink = per_image_uniform(images, rng) < 0.4
    over = images.lerp(grey.expand_as(images), stain)
    under = torch.maximum(images, stain * grey)
    return torch.where(is_over_ink, over, under)


def neighbour_digits(images: Tensor, rng: Generator) -> Tensor:
    """Draw what a crop catches of the digit beside, above or below."""
    distance = uniform(images, rng, 17, 24)
    direction = (uniform(images, rng) * 4).long()
    right = distance * (direction == 0) - distance * (direction == 1)
    down = distance * (direction == 2) - distance * (direction == 3)
    matrix = affine_matrix(shift_x=right / HALF_TILE, shift_y=down / HALF_TILE, like=images)
    return torch.maximum(images, resample(images.roll(1, 0), matrix))
