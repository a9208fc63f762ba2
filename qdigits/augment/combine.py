"""Augmentations made of others: applied to some of the images, or one of several to each."""

from __future__ import annotations

from collections.abc import Callable

from torch import Generator, Tensor

from qdigits.augment.raster import uniform

Augmentation = Callable[[Tensor, Generator], Tensor]
"""From images (N, 1, 28, 28), ink 1.0 on paper 0.0, and a generator to images of the same kind."""


def random_apply(probability: float, augmentation: Augmentation) -> Augmentation:
    """Apply an augmentation to a random part of the images.

    Args:
        probability: About what share of the images is changed.
        augmentation: What changes them.
    """

    def apply(images: Tensor, rng: Generator) -> Tensor:
        chosen = (uniform(images, rng) < probability).nonzero().squeeze(1)
        return _replace_chosen(images, chosen, augmentation, rng)

    return apply


def one_of(probability: float, *augmentations: Augmentation) -> Augmentation:
    """Apply one of several augmentations to each of a random part of the images.

    Args:
        probability: About what share of the images is changed.
        augmentations: Each is as likely as the others; name one twice to make it twice as likely.
    """

    def apply(images: Tensor, rng: Generator) -> Tensor:
        which = (uniform(images, rng) / probability * len(augmentations)).long()
        for number, augmentation in enumerate(augmentations):
            chosen = (which == number).nonzero().squeeze(1)
            images = _replace_chosen(images, chosen, augmentation, rng)
        return images

    return apply


def _replace_chosen(
    images: Tensor, chosen: Tensor, augmentation: Augmentation, rng: Generator
) -> Tensor:
    if len(chosen) == 0:
        return images
    return images.index_copy(0, chosen, augmentation(images[chosen], rng))
