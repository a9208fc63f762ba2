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
        dice = uniform(images, rng)
        chosen = find_true(dice < probability)
        return _replace_chosen(images, chosen, augmentation, rng)

    return apply


def one_of(probability: float, *augmentations: Augmentation) -> Augmentation:
    """Apply one of several augmentations to each of a random part of the images.

    Args:
        probability: About what share of the images is changed.
        augmentations: Each is as likely as the others; name one twice to make it twice as likely.
    """

    def apply(images: Tensor, rng: Generator) -> Tensor:
        share = uniform(images, rng) / probability
        which = (share * len(augmentations)).long()
        for number, augmentation in enumerate(augmentations):
            chosen = find_true(which == number)
            images = _replace_chosen(images, chosen, augmentation, rng)
        return images

    return apply


def find_true(flags: Tensor) -> Tensor:
    """Return the places of the flags (N,) that are set."""
    return flags.nonzero().squeeze(1)


def _replace_chosen(
    images: Tensor,
    chosen: Tensor,
    augmentation: Augmentation,
    rng: Generator,
) -> Tensor:
    if len(chosen) == 0:
        return images
    changed = augmentation(images[chosen], rng)
    return images.index_copy(0, chosen, changed)
