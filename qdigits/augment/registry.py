"""The augmentations that recipes name. To add one: a function in its theme's file, and a line here.

Each takes images float32 (N, 1, 28, 28), ink 1.0 on paper 0.0, and a generator, and returns images
of the same kind; the same state of the generator gives the same images.
"""

from __future__ import annotations

from qdigits.augment.camera import (
    downscale,
    gaussian_noise,
    glass_blur,
    illumination,
    low_contrast,
    motion_blur,
    salt_and_pepper,
    shot_noise,
)
from qdigits.augment.clutter import neighbour_digits, ruled_lines, sheet_edge, stains, zigzag
from qdigits.augment.combine import Augmentation, one_of, random_apply
from qdigits.augment.geometry import (
    elastic_warp,
    random_translation,
    shift_batch,
    stretch_to_box,
)
from qdigits.augment.pen import ink_contrast, ink_dropout, outline, stroke_width

AUGMENTATIONS: dict[str, Augmentation] = {
    "shift": shift_batch,
    "place": random_apply(0.1, random_translation(max_pixels=7.0)),
    "warp": elastic_warp(strength=1.0),
    "wobble": elastic_warp(strength=0.4),
    "stretch": random_apply(0.2, stretch_to_box),
    "stroke": one_of(0.5, stroke_width, stroke_width, ink_contrast, ink_dropout),
    "neighbours": random_apply(0.08, neighbour_digits),
    "resolution": random_apply(0.25, downscale),
    "outline": random_apply(0.04, outline),
    "blur": one_of(0.15, motion_blur, motion_blur, glass_blur),
    "light": one_of(0.15, illumination, illumination, low_contrast),
    "clutter": one_of(0.18, ruled_lines, zigzag, sheet_edge, sheet_edge, stains),
    "noise": one_of(0.15, gaussian_noise, salt_and_pepper, shot_noise),
}
