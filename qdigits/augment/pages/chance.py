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


def happens(rng: Generator, probability: float) -> bool:
    """Return whether something happens that has this probability."""
    return rng.random() < probability


def whole_number(rng: Generator, least: int, most: int) -> int:
    """Return a whole number; the least and the most may come, too."""
    return int(rng.integers(least, most + 1))


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform: 2 to 4 is as likely as 4 to 8."""
    logarithm = rng.uniform(np.log(low), np.log(high))
    return float(np.exp(logarithm))


def one_of_ranges(rng: Generator, first: Range, second: Range) -> float:
    """Return a number from one of two ranges, each as likely as the other."""
    from_first = rng.uniform(*first)
    from_second = rng.uniform(*second)
    return pick(rng, (from_first, from_second))
