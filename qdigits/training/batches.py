"""What the network is shown at each step.

It is a function of (seed, epoch, step) alone, whatever was shown before: a resumed training goes
on as if it had never stopped, and any number of processes sees the same digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from qdigits.augment.handwriting import draw_digits
from qdigits.augment.negatives import draw_negatives
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.split import Split
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import World

NOT_A_DIGIT = 10  # the label of a negative


class Batch(NamedTuple):
    """One step's digits."""

    indices: Tensor  # of the digits chosen among the training digits: the whole batch
    images: Tensor  # float32 (n, 1, 28, 28): this process's share
    labels: Tensor  # int64 (n,)
    loss_weight: float  # of this share's mean loss: the shares may differ in size by one


class LabelledImages(NamedTuple):
    """Images as the network is to see them, with their labels."""

    images: Tensor  # float32 (N, 1, 28, 28)
    labels: Tensor  # int64 (N,): 0 to 9, or NOT_A_DIGIT


def make_generator(device: torch.device, *key: int) -> torch.Generator:
    """Make random numbers that depend on the key, such as (seed, epoch, step), and nothing else."""
    mixed = 0
    for part in key:
        mixed = (mixed * 1_000_003 + part + 1) % 2**63
    return torch.Generator(device).manual_seed(mixed)


def epoch_order(indices: Tensor, length: int, seed: int, epoch: int) -> Tensor:
    """Shuffle an epoch's digits.

    Args:
        indices: The digits to learn from.
        length: Digits in an epoch; where there are fewer to learn from, each comes several times.
        seed: Of the training.
        epoch: From 0.
    """
    generator = make_generator(torch.device("cpu"), seed, epoch)
    places = torch.randperm(length, generator=generator)
    return indices[places % len(indices)]


def batches(
    train: Split, order: Tensor, config: TrainConfig, epoch: int, world: World
) -> Iterator[Batch]:
    """Yield a batch for each step of an epoch.

    Several processes share the work in rounds: each draws one of the next batches, then all hand
    round what they drew.

    Args:
        train: The training digits.
        order: Indices of the epoch's digits, in the order in which they are shown.
        config: How many make a batch, and what is drawn and done to them.
        epoch: From 0.
        world: This process among those that train together.
    """
    steps = order.split(config.batch_size)
    for first in range(0, len(steps), world.size):
        mine = first + world.rank
        own = None
        if mine < len(steps):
            own = draw_batch(train, steps[mine], config, key=(config.seed, epoch, mine))
        for owner, indices in enumerate(steps[first : first + world.size]):
            size = full_batch_size(len(indices), config)
            whole = own if owner == world.rank else empty_batch(train, size)
            assert whole is not None  # for mypy: an owner's step is one of the epoch's
            images = world.shard(world.broadcast(owner, whole.images))
            labels = world.shard(world.broadcast(owner, whole.labels))
            yield Batch(indices, images, labels, world.size * len(labels) / size)


def draw_batch(
    train: Split, indices: Tensor, config: TrainConfig, key: tuple[int, ...]
) -> LabelledImages:
    """Make the batch of the digits that the indices choose."""
    tiles = train.images.index_select(0, indices)
    labels = train.labels.index_select(0, indices)
    return make_batch(tiles, labels, config, key)


def make_batch(
    tiles: Tensor, labels: Tensor, config: TrainConfig, key: tuple[int, ...]
) -> LabelledImages:
    """Add what is drawn to real digits, and augment all of it.

    Args:
        tiles: uint8 (N, 28, 28).
        labels: int64 (N,).
        config: Which augmentations; how many synthetic digits and negatives.
        key: What the random numbers depend on.
    """
    images = tiles[:, None].float() / 255
    if not (config.negative_fraction or config.synthetic_fraction or config.augment):
        return LabelledImages(images, labels)
    rng = make_generator(images.device, *key)
    if config.negative_fraction or config.synthetic_fraction:
        synthetic, digits = draw_digits(round(config.synthetic_fraction * len(labels)), rng)
        others = draw_negatives(round(config.negative_fraction * len(labels)), images, labels, rng)
        not_digits = labels.new_full((len(others),), NOT_A_DIGIT)
        images = torch.cat([images, synthetic, others])
        labels = torch.cat([labels, digits, not_digits])
    for name in config.augment:
        images = AUGMENTATIONS[name](images, rng)
    return LabelledImages(images.contiguous(), labels)


def full_batch_size(digits: int, config: TrainConfig) -> int:
    """Count the images of a batch: real digits, synthetic ones and negatives."""
    synthetic = round(config.synthetic_fraction * digits)
    return digits + synthetic + round(config.negative_fraction * digits)


def empty_batch(train: Split, size: int) -> LabelledImages:
    """Make room for a batch that another process has drawn."""
    return LabelledImages(
        images=train.images.new_empty((size, 1, 28, 28), dtype=torch.float32),
        labels=train.labels.new_empty(size),
    )
