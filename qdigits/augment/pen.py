"""What another pen makes of a digit. Images are float32 (N, 1, 28, 28), ink 1.0 on paper 0.0."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from qdigits.augment.raster import per_image_uniform, random_field


def stroke_width(images: Tensor, rng: Generator) -> Tensor:
    """Make strokes thicker or thinner: part of the way to the dilated or the eroded digit."""
    amount = per_image_uniform(images, rng, -0.9, 1)
    thick = F.max_pool2d(images, 3, 1, 1)
    thin = -F.max_pool2d(-images, 3, 1, 1)
    thicker = images.lerp(thick, amount.abs())
    thinner = images.lerp(thin, amount.abs())
    return torch.where(amount > 0, thicker, thinner)


def ink_contrast(images: Tensor, rng: Generator) -> Tensor:
    """Change soft grey towards hard black and white, around a random threshold."""
    threshold = per_image_uniform(images, rng, 0.25, 0.6)
    gain = per_image_uniform(images, rng, 1, 8)
    return ((images - threshold) * gain + 0.5).clamp(0, 1)


def ink_dropout(images: Tensor, rng: Generator) -> Tensor:
    """Fade ink in patches, as a pen does that runs dry."""
    patches = 4 * random_field(images, rng, cells=9)
    level = per_image_uniform(images, rng, 1.0, 3.5)
    return images * (patches + level).clamp(0, 1)


def outline(images: Tensor, rng: Generator) -> Tensor:
    """Keep the outline alone: the dilated digit less itself, its morphological gradient."""
    edge = F.max_pool2d(images, 3, 1, 1) - images
    threshold = per_image_uniform(images, rng, 0.2, 0.5)
    return ((edge - threshold) * 8).clamp(0, 1)
