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
    line_segments,
    per_image_uniform,
    random_field,
    resample,
    uniform,
    with_chance,
)

MAX_LINES = 3
LINE_PROBABILITIES = (1, 0.4, 0.2)  # of the first, the second and the third line
ZIGZAG_POINTS = 15


def ruled_lines(images: Tensor, rng: Generator) -> Tensor:
    """Draw one to three long lines, faint or strong, whole or dotted.

    So looks ruled, squared or struck-through paper.
    """
    lines = _draw_lines(images, rng)
    is_dotted = with_chance(images, rng, 0.3)
    column = torch.arange(TILE_SIZE, device=images.device)
    dots = (column % 4 < 2).float()
    lines = torch.where(is_dotted, lines * dots, lines)
    darkness = per_image_uniform(images, rng, 0.3, 1)
    return torch.maximum(images, lines * darkness)


def _draw_lines(images: Tensor, rng: Generator) -> Tensor:
    """Draw one to three long lines for each image: (N, 1, 28, 28)."""
    angle = _draw_angles(images, rng)
    centre = uniform(images, rng, 0, TILE_SIZE, (MAX_LINES, 2))
    direction = torch.stack([angle.cos(), angle.sin()], -1)
    reach = direction * uniform(images, rng, 8, 30, (MAX_LINES, 1))
    probabilities = torch.tensor(LINE_PROBABILITIES, device=images.device)
    dice = uniform(images, rng, shape=(MAX_LINES,))
    is_drawn = dice < probabilities
    width = uniform(images, rng, 0.1, 1.8, (MAX_LINES,))
    ends = torch.stack([centre - reach, centre + reach], 2)
    return draw_segments(ends, width * is_drawn)


def _draw_angles(images: Tensor, rng: Generator) -> Tensor:
    """Draw the angles of lines, (N, MAX_LINES): on most sheets nearly level or upright."""
    tilt = uniform(images, rng, -0.2, 0.2, (MAX_LINES,))
    is_upright = uniform(images, rng, shape=(MAX_LINES,)) < 0.4
    is_askew = uniform(images, rng, shape=(1,)) < 0.25
    any_angle = uniform(images, rng, 0, math.pi, (MAX_LINES,))
    right_angle = math.pi / 2
    near_an_axis = tilt + is_upright * right_angle
    return torch.where(is_askew, any_angle, near_an_axis)


def zigzag(images: Tensor, rng: Generator) -> Tensor:
    """Draw a wavy line from side to side."""
    steps = torch.linspace(0, 1, ZIGZAG_POINTS, device=images.device)
    length = uniform(images, rng, 18, 36, (1,))
    height = uniform(images, rng, 3, 25, (1,))
    slope = uniform(images, rng, -0.3, 0.3, (1,))
    swing = uniform(images, rng, 0, 2.5, (1,))
    number = torch.arange(ZIGZAG_POINTS, device=images.device)
    sign = 1.0 - 2.0 * (number % 2)  # up and down by turns
    x = steps * length - 2  # (N, ZIGZAG_POINTS)
    y = height + slope * (x - HALF_TILE) + sign * swing
    path = torch.stack([x, y], -1)
    width = uniform(images, rng, 0.3, 1.4, (1,))
    segments = line_segments(path)
    line = draw_segments(segments, width)
    return torch.maximum(images, line)


def sheet_edge(images: Tensor, rng: Generator) -> Tensor:
    """Brighten everything beyond a line, on one side or on two: the edge of a sheet or a frame."""
    position = torch.arange(TILE_SIZE, device=images.device).float()
    first_edge = uniform(images, rng, 0, 8, (1,))
    second_edge = uniform(images, rng, 20, 28, (1,))
    has_second = uniform(images, rng, shape=(1,)) < 0.6
    is_before = position < first_edge
    is_after = (position > second_edge) & has_second
    is_beyond = is_before | is_after  # (N, 28)
    bar = is_beyond[:, None, None, :].float()
    is_upright = with_chance(images, rng, 0.5)
    edge = torch.where(is_upright, bar, bar.mT)
    brightness = per_image_uniform(images, rng, 0.4, 1)
    return torch.maximum(images, edge * brightness)


def stains(images: Tensor, rng: Generator) -> Tensor:
    """Draw soft patches of grey, over the ink or under it."""
    field = random_field(images, rng, cells=10)
    threshold = per_image_uniform(images, rng, 0.2, 0.6)
    above = field - threshold
    stain = (above * 6).clamp(0, 1)
    grey = per_image_uniform(images, rng, 0, 0.6)
    is_over_ink = with_chance(images, rng, 0.4)
    over = images.lerp(grey.expand_as(images), stain)
    under = torch.maximum(images, stain * grey)
    return torch.where(is_over_ink, over, under)


def neighbour_digits(images: Tensor, rng: Generator) -> Tensor:
    """Draw what a crop catches of the digit beside, above or below."""
    distance = uniform(images, rng, 17, 24)
    direction = (uniform(images, rng) * 4).long()
    right = distance * (direction == 0) - distance * (direction == 1)
    down = distance * (direction == 2) - distance * (direction == 3)
    matrix = affine_matrix(
        shift_x=right / HALF_TILE,
        shift_y=down / HALF_TILE,
        like=images,
    )
    others = images.roll(1, 0)
    neighbours = resample(others, matrix)
    return torch.maximum(images, neighbours)
