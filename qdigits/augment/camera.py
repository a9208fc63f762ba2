"""What a camera or a scanner does: few pixels, blur, uneven light, noise.

Images are float32 (N, 1, 28, 28), ink 1.0 on paper 0.0.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from qdigits.augment.raster import (
    TILE_SIZE,
    affine_matrix,
    per_image_uniform,
    random_field,
    resample,
    uniform,
    with_chance,
)


def downscale(images: Tensor, rng: Generator) -> Tensor:
    """Make images small and enlarge them again; half of them lose their greys, as by fax."""
    cells = int(torch.randint(9, 20, (), generator=rng, device=images.device))
    small = F.interpolate(images, size=cells, mode="area")
    is_bitmap = with_chance(images, rng, 0.5)
    threshold = per_image_uniform(images, rng, 0.2, 0.5)
    bitmap = (small > threshold).float()
    small = torch.where(is_bitmap, bitmap, small)
    dice = torch.rand((), generator=rng, device=images.device)
    if float(dice) < 0.3:
        return F.interpolate(small, size=TILE_SIZE, mode="nearest")
    return F.interpolate(small, size=TILE_SIZE, mode="bilinear", align_corners=False)


def motion_blur(images: Tensor, rng: Generator) -> Tensor:
    """Blur along a random line, as a moving camera does, then a little all around."""
    angle = uniform(images, rng, 0, math.pi)
    length = uniform(images, rng, 0, 3.5) / TILE_SIZE
    right = length * angle.cos()
    down = length * angle.sin()
    copies = []
    for step in (-1, -0.5, 0, 0.5, 1):
        matrix = affine_matrix(shift_x=step * right, shift_y=step * down, like=images)
        copies.append(resample(images, matrix))
    moved = torch.stack(copies).mean(0)
    soft = F.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    return moved.lerp(soft, per_image_uniform(images, rng))


def glass_blur(images: Tensor, rng: Generator) -> Tensor:
    """Take each pixel from a neighbour, as frosted glass does."""
    direction = uniform(images, rng, -1, 1, (TILE_SIZE, TILE_SIZE, 2))
    displacement = direction * per_image_uniform(images, rng, 0, 3.5) / TILE_SIZE
    identity = torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
    return resample(images, identity, displacement)


def illumination(images: Tensor, rng: Generator) -> Tensor:
    """Lighten the paper by fog, a gradient or a level; ink stays the brightest."""
    cells = int(torch.randint(2, 6, (), generator=rng, device=images.device))
    field = random_field(images, rng, cells)
    gradient = field * per_image_uniform(images, rng, 0, 0.4)
    fog = per_image_uniform(images, rng, 0, 0.65)
    haze = (gradient + fog).clamp(0, 0.9)
    ink = per_image_uniform(images, rng, 0.25, 1)
    return (haze + images * (1 - haze) * ink).clamp(0, 1)


def low_contrast(images: Tensor, rng: Generator) -> Tensor:
    """Weaken the ink."""
    return images * per_image_uniform(images, rng, 0.3, 1)


def gaussian_noise(images: Tensor, rng: Generator) -> Tensor:
    """Add noise of the same strength everywhere."""
    noise = torch.randn(images.shape, generator=rng, device=images.device)
    strength = per_image_uniform(images, rng, 0, 0.35)
    return (images + noise * strength).clamp(0, 1)


def salt_and_pepper(images: Tensor, rng: Generator) -> Tensor:
    """Turn single pixels black or white."""
    dice = uniform(images, rng, shape=(1, TILE_SIZE, TILE_SIZE))
    share = per_image_uniform(images, rng, 0, 0.2)
    is_black = dice < share / 2
    is_white = dice > 1 - share / 2
    salted = torch.where(is_white, 1.0, images)
    return torch.where(is_black, 0.0, salted)


def shot_noise(images: Tensor, rng: Generator) -> Tensor:
    """Add noise that grows with brightness, as few photons give."""
    noise = torch.randn(images.shape, generator=rng, device=images.device)
    strength = per_image_uniform(images, rng, 0, 0.6)
    return (images + noise * images.sqrt() * strength).clamp(0, 1)
