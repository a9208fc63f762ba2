"""Where a digit lies on its tile and how it is shaped: shift, slant, size, elastic deformation.

Images are float32 (N, 1, 28, 28), ink 1.0 on paper 0.0.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from qdigits.augment.combine import Augmentation
from qdigits.augment.raster import (
    HALF_TILE,
    TILE_SIZE,
    affine_matrix,
    per_image,
    random_field,
    resample,
    uniform,
)

BOX_SIZE = 20  # pixels of MNIST's box
INK_THRESHOLD = 0.3


def shift_batch(images: Tensor, rng: Generator) -> Tensor:
    """Shift a whole batch by one pixel at most.

    It teaches as much as a shift of each image by itself, and costs nearly nothing.
    """
    shifts = torch.randint(-1, 2, (2,), generator=rng, device=images.device)
    right, down = shifts.tolist()
    return images.roll((down, right), (2, 3))


def random_translation(max_pixels: float) -> Augmentation:
    """Shift each image by up to so many pixels either way."""

    def apply(images: Tensor, rng: Generator) -> Tensor:
        limit = max_pixels / HALF_TILE
        matrix = affine_matrix(
            shift_x=uniform(images, rng, -limit, limit),
            shift_y=uniform(images, rng, -limit, limit),
            like=images,
        )
        return resample(images, matrix)

    return apply


def elastic_warp(strength: float) -> Augmentation:
    """Slant, turn, scale, shift and bend each image; most change little, a few much.

    Args:
        strength: The greatest magnitude; 1 is as far as people's digits differ.

    Source:
        Simard et al. 2003, "Best practices for convolutional neural networks applied to visual
        document analysis".
    """

    def apply(images: Tensor, rng: Generator) -> Tensor:
        magnitude = strength * uniform(images, rng) ** 1.5

        def within(limit: float) -> Tensor:
            return uniform(images, rng, -limit, limit) * magnitude

        size = within(0.3) - 0.12 * magnitude
        scale_x = (size + within(0.2)).exp()
        scale_y = (size + within(0.15)).exp()
        matrix = affine_matrix(
            rotation=within(0.55),
            shear=within(0.5),
            scale_x=scale_x,
            scale_y=scale_y,
            shift_x=within(0.3),
            shift_y=within(0.3),
            like=images,
        )
        field = random_field(images, rng, cells=5, channels=2)
        elastic = field * per_image(within(0.17))
        displacement = elastic.permute(0, 2, 3, 1)
        return resample(images, matrix, displacement)

    return apply


def stretch_to_box(images: Tensor, rng: Generator) -> Tensor:
    """Stretch each digit towards filling the box both ways, whatever its proportions.

    Many other data sets are made so.
    """
    ink = images.squeeze(1) > INK_THRESHOLD
    columns_with_ink = ink.any(1).float()  # (N, 28)
    rows_with_ink = ink.any(2).float()
    with_ink = torch.stack([columns_with_ink, rows_with_ink], 1)  # (N, 2, 28)
    position = torch.arange(TILE_SIZE, device=images.device)
    first = with_ink.argmax(2)  # (N, 2)
    last = (with_ink * position).argmax(2)

    centre = (first + last + 1) / TILE_SIZE - 1  # (N, 2) in half tiles
    size = (last - first + 1).clamp(4) / BOX_SIZE
    strength = uniform(images, rng, 0.5, 1, (1,))
    size = size**strength
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0] = size[:, 0]
    matrix[:, 1, 1] = size[:, 1]
    matrix[:, :, 2] = centre
    return resample(images, matrix)
