"""Random choices that the kinds of pages share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.random import Generator

Option = TypeVar("Option")
Range = tuple[float, float]


def pick(rng: Generator, options: Sequence[Option]) -> Option:
    """Return one of several, each as likely as the others; name one twice to double its chance."""
    return options[int(rng.integers(len(options)))]


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform: 2 to 4 is as likely as 4 to 8."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def one_of_ranges(rng: Generator, first: Range, second: Range) -> float:
    """Return a number from one of two ranges, each as likely as the other."""
    return pick(rng, [rng.uniform(*first), rng.uniform(*second)])
