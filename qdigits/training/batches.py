"""What the network is shown, step by step: a function of (seed, epoch, step), whatever was shown before."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from qdigits.augment.handwriting import drawn
from qdigits.augment.negatives import negatives
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.split import Split
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import World

NOT_A_DIGIT = 10  # the label of a negative


def generator(device: torch.device, *key: int) -> torch.Generator:
    """Random numbers that depend on (seed, epoch, step) and nothing else."""
    mixed = 0
    for part in key:
        mixed = (mixed * 1_000_003 + part + 1) % 2**63
    return torch.Generator(device).manual_seed(mixed)


def batch_of(
    tiles: Tensor, labels: Tensor, config: TrainConfig, key: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """A batch of uint8 tiles (N, 28, 28) as the network is to see it: images (M, 1, 28, 28) and labels (M,)."""
    images = tiles[:, None].float() / 255
    if config.negative_fraction or config.synthetic_fraction or config.augment:
        rng = generator(images.device, *key)
        if config.negative_fraction or config.synthetic_fraction:
            forms, digits = drawn(round(config.synthetic_fraction * len(labels)), rng)
            others = negatives(round(config.negative_fraction * len(labels)), images, labels, rng)
            images = torch.cat([images, forms, others])
            labels = torch.cat([labels, digits, labels.new_full((len(others),), NOT_A_DIGIT)])
        for name in config.augment:
            images = AUGMENTATIONS[name](images, rng)
    return images, labels


def batches(
    train: Split, order: Tensor, config: TrainConfig, epoch: int, world: World
) -> Iterator[tuple[Tensor, Tensor, Tensor, float]]:
    """Of each step the digits chosen, this rank's share of images and labels, and what its mean loss weighs.

    The ranks draw in turn and hand each other what they drew: any number of processes sees the same.
    """
    steps = order.split(config.batch_size)
    for step, chosen in enumerate(steps):
        turn = step % world.size
        if turn == 0 and step + world.rank < len(steps):
            own = steps[step + world.rank]
            tiles, true = train.images.index_select(0, own), train.labels.index_select(0, own)
            images, labels = batch_of(tiles, true, config, (config.seed, epoch, step + world.rank))
            made = images.contiguous(), labels
        size = sum(
            round(share * len(chosen))
            for share in (1, config.synthetic_fraction, config.negative_fraction)
        )
        if turn == world.rank:
            whole = made
        else:
            whole = (
                train.images.new_empty((size, 1, 28, 28), dtype=torch.float32),
                train.labels.new_empty(size),
            )
        images, labels = (world.shard(world.broadcast(turn, part)) for part in whole)
        yield chosen, images, labels, world.size * len(labels) / size
