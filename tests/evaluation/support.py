"""Labelled digits, and answers to them."""

from collections.abc import Iterable

import numpy as np
import torch

from qdigits.data.split import Split


def make_digits(count: int = 600) -> Split:
    """Make random tiles of three writers in two series."""
    number = torch.arange(count)
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 28, 28), dtype=torch.uint8, generator=rng)
    return Split(images, number % 10, writers=number % 3, series=number % 2)


def answer(split: Split, confidence: float = 0.9, wrong: Iterable[int] = ()) -> np.ndarray:
    """Name the right digits, the next ones where `wrong`, all with one confidence: (N, 10)."""
    digits = split.labels.numpy().copy()
    rows = list(wrong)
    digits[rows] = (digits[rows] + 1) % 10
    probabilities = np.full((len(split), 10), (1 - confidence) / 9, np.float32)
    probabilities[np.arange(len(split)), digits] = confidence
    return probabilities
