"""The pages that the page network is shown, step by step: a function of (seed, epoch, step)."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from qdigits.augment import handwriting
from qdigits.augment.negatives import random_shapes
from qdigits.augment.pages.supplies import (
    Supplies,
    handwriting_fonts,
    printed_fonts,
    sort_digits,
    sort_lines,
)
from qdigits.augment.synthetic_pages import draw_page
from qdigits.data.split import Split
from qdigits.imaging.threads import use_one_thread
from qdigits.training.page_config import PageConfig
from qdigits.training.page_targets import target_of

DRAWN = 6000
"""Digits in European forms that are drawn once and then used again and again.

Neither they nor the lines and letters below are ever more than half as many as people's digits.
"""
LINES = 3000
"""People's digits that are turned into lines."""
LETTERS = 2600
"""Letters that are drawn likewise, and as many shapes of random strokes."""


def supplies_from(digits: Split, seed: int) -> Supplies:
    """Gather what pages are made of: people's digits, and forms and letters that are drawn."""
    rng = torch.Generator().manual_seed(seed)
    drawn, lines, letters = (min(count, len(digits) // 2) for count in (DRAWN, LINES, LETTERS))
    forms, labels = handwriting.draw_digits(drawn, rng)
    each = torch.empty(letters, 0)
    alphabets = torch.cat([handwriting.draw_letters(each, rng), random_shapes(each, rng)])
    spread = slice(None, None, max(len(digits) // lines, 1))  # some sources are sorted by label
    return Supplies(
        writers=sort_digits(digits.images.numpy(), digits.labels.numpy()),
        drawn=sort_digits(_to_tiles(forms), labels.numpy()),
        lines=sort_lines(digits.images[spread].numpy(), digits.labels[spread].numpy()),
        letters=sort_digits(_to_tiles(alphabets), np.zeros(2 * letters, int), classes=1),
        printed=printed_fonts(),
        handwriting=handwriting_fonts(),
    )


def _to_tiles(images: Tensor) -> np.ndarray:
    return (images[:, 0].numpy() * 255).astype(np.uint8)


class PageDataset(Dataset):
    """Pages by number, each with what the network should answer."""

    def __init__(self, digits: Split, config: PageConfig) -> None:
        self.digits = digits
        self.config = config

    @cached_property
    def supplies(self) -> Supplies:
        """Gathered by each process that draws: the digits are shared, and no process waits."""
        return supplies_from(self.digits, self.config.seed)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int, *tuple[np.ndarray, ...]]:
        step, number = divmod(index, self.config.batch_size)
        epoch, step = divmod(step, self.config.steps)
        page = draw_page(self.supplies, self.config.seed, epoch, step, number)
        target = target_of(page)
        heat = target.heat.astype(np.float16)  # a fifth of the time goes into handing it over
        return page.picture[None], page.turns, *target._replace(heat=heat)


def page_batches(digits: Split, config: PageConfig, first_epoch: int = 0) -> DataLoader:
    """Return all batches from an epoch on; the number of processes that draw changes nothing."""
    in_epoch = config.steps * config.batch_size
    return DataLoader(
        PageDataset(digits, config),
        batch_size=config.batch_size,
        sampler=range(first_epoch * in_epoch, config.epochs * in_epoch),
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        multiprocessing_context="spawn" if config.workers else None,  # a fork inherits locks
        worker_init_fn=_one_thread,
    )


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
    use_one_thread()
