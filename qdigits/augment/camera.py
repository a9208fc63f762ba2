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
    normal_like,
    per_image_uniform,
    random_field,
    resample,
    uniform,
    whole_number,
    with_chance,
)


def downscale(images: Tensor, rng: Generator) -> Tensor:
    """Make images small and enlarge them again; half of them lose their greys, as by fax."""
    cells = whole_number(images, rng, 9, 19)
    small = F.interpolate(images, size=cells, mode="area")
    is_bitmap = with_chance(images, rng, 0.5)
    threshold = per_image_uniform(images, rng, 0.2, 0.5)
    bitmap = (small > threshold).float()
    small = torch.where(is_bitmap, bitmap, small)
    dice = torch.rand((), generator=rng, device=images.device)
    shows_pixels = float(dice) < 0.3
    mode = "nearest" if shows_pixels else "bilinear"
    return F.interpolate(small, size=TILE_SIZE, mode=mode)


def motion_blur(images: Tensor, rng: Generator) -> Tensor:
    """Blur along a random line, as a moving camera does, then a little all around."""
    angle = uniform(images, rng, 0, math.pi)
    length = uniform(images, rng, 0, 3.5) / TILE_SIZE
    right = length * angle.cos()
    down = length * angle.sin()
    copies = []
    for step in (-1, -0.5, 0, 0.5, 1):
        matrix = affine_matrix(
            shift_x=step * right,
            shift_y=step * down,
            like=images,
        )
        copy = resample(images, matrix)
        copies.append(copy)
    moved = torch.stack(copies).mean(0)
    soft = F.avg_pool2d(
        moved,
        kernel_size=3,
        stride=1,
        padding=1,
        count_include_pad=False,
    )
    softness = per_image_uniform(images, rng)
    return moved.lerp(soft, softness)


def glass_blur(images: Tensor, rng: Generator) -> Tensor:
    """Take each pixel from a neighbour, as frosted glass does."""
    direction = uniform(images, rng, -1, 1, (TILE_SIZE, TILE_SIZE, 2))
    distance = per_image_uniform(images, rng, 0, 3.5)
    displacement = direction * distance / TILE_SIZE
    identity = torch.eye(2, 3, device=images.device)
    matrices = identity.expand(len(images), 2, 3)
    return resample(images, matrices, displacement)


def illumination(images: Tensor, rng: Generator) -> Tensor:
    """Lighten the paper by fog, a gradient or a level; ink stays the brightest."""
    cells = whole_number(images, rng, 2, 5)
    field = random_field(images, rng, cells)
    gradient = field * per_image_uniform(images, rng, 0, 0.4)
    fog = per_image_uniform(images, rng, 0, 0.65)
    haze = (gradient + fog).clamp(0, 0.9)
    ink = per_image_uniform(images, rng, 0.25, 1)
    faded = images * (1 - haze) * ink
    return (haze + faded).clamp(0, 1)


def low_contrast(images: Tensor, rng: Generator) -> Tensor:
    """Weaken the ink."""
    strength = per_image_uniform(images, rng, 0.3, 1)
    return images * strength


def gaussian_noise(images: Tensor, rng: Generator) -> Tensor:
    """Add noise of the same strength everywhere."""
    noise = normal_like(images, rng)
    strength = per_image_uniform(images, rng, 0, 0.35)
    noisy = images + noise * strength
    return noisy.clamp(0, 1)


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
    noise = normal_like(images, rng) * images.sqrt()
    strength = per_image_uniform(images, rng, 0, 0.6)
    noisy = images + noise * strength
    return noisy.clamp(0, 1)
