"""What another pen makes of a digit. Images are float32 (N, 1, 28, 28), ink 1.0 on paper 0.0."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from qdigits.augment.raster import per_image_uniform, random_field


def stroke_width(images: Tensor, rng: Generator) -> Tensor:
    """Make strokes thicker or thinner: part of the way to the dilated or the eroded digit."""
    amount = per_image_uniform(images, rng, -0.9, 1)
    share = amount.abs()
    thicker = images.lerp(dilate(images), share)
    thinner = images.lerp(erode(images), share)
    is_thicker = amount > 0
    return torch.where(is_thicker, thicker, thinner)


def dilate(images: Tensor) -> Tensor:
    """Grow ink by one pixel on every side."""
    return F.max_pool2d(images, kernel_size=3, stride=1, padding=1)


def erode(images: Tensor) -> Tensor:
    """Shrink ink by one pixel on every side."""
    return -dilate(-images)


def ink_contrast(images: Tensor, rng: Generator) -> Tensor:
    """Change soft grey towards hard black and white, around a random threshold."""
    threshold = per_image_uniform(images, rng, 0.25, 0.6)
    gain = per_image_uniform(images, rng, 1, 8)
    above = images - threshold
    contrasted = above * gain + 0.5
    return contrasted.clamp(0, 1)


def ink_dropout(images: Tensor, rng: Generator) -> Tensor:
    """Fade ink in patches, as a pen does that runs dry."""
    patches = 4 * random_field(images, rng, cells=9)
    level = per_image_uniform(images, rng, 1.0, 3.5)
    wetness = (patches + level).clamp(0, 1)
    return images * wetness


def outline(images: Tensor, rng: Generator) -> Tensor:
    """Keep the outline alone: the dilated digit less itself, its morphological gradient."""
    edge = dilate(images) - images
    threshold = per_image_uniform(images, rng, 0.2, 0.5)
    above = edge - threshold
    return (above * 8).clamp(0, 1)
