"""Rows of the accuracy tables: a figure, what it was counted from, and what it should be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from qdigits.evaluation.metrics import wilson_interval

HEAD = "| set | figure | counted | 95 % interval | wanted | met |\n|---|---|---|---|---|---|"
TOLERANCE = 1e-9
UNCOUNTED_NOISE = 0.03  # of figures that are no shares of pictures


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    name: str
    figure: float
    target: float | None = None
    right: int | None = None
    count: int | None = None
    less_is_better: bool = False
    unit: str = "%"

    @property
    def met(self) -> bool:
        """Whether the target is reached; without a target it is."""
        if self.target is None:
            return True
        return self.gain_over(self.target) >= -TOLERANCE

    def gain_over(self, other: float) -> float:
        """Return by how much the figure is better than another; negative if it is worse."""
        return other - self.figure if self.less_is_better else self.figure - other

    def noise(self, count: int | None) -> float:
        """Return three standard errors of such a share over so many pictures, and one picture."""
        if not count:
            return UNCOUNTED_NOISE
        share = (min(max(self.figure, 0.0), 1.0) * count + 1) / (count + 2)
        return 3 * math.sqrt(share * (1 - share) / count) + 1 / count

    def show(self, value: float) -> str:
        """Return a value of the figure's kind as text."""
        if self.unit == "%":
            return f"{value:.2%}"
        return f"{value:.2f} {self.unit}" if self.unit else f"{value:.4f}"

    def __str__(self) -> str:
        """Return the row in Markdown."""
        counted = ""
        interval = ""
        if self.right is not None and self.count:
            counted = f"{self.right:,} of {self.count:,}"
            low, high = wilson_interval(self.right, self.count)
            interval = f"{low:.2%} to {high:.2%}"
        wanted = ""
        met = ""
        if self.target is not None:
            wanted = ("at most " if self.less_is_better else "at least ") + self.show(self.target)
            met = "yes" if self.met else "**no**"
        cells = [self.name, self.show(self.figure), counted, interval, wanted, met]
        return f"| {' | '.join(cells)} |"


def share(name: str, right: Any, target: float | None = None, less_is_better: bool = False) -> Line:
    """Return the row of a share.

    Args:
        name: What was asked.
        right: Whether each picture was right (or accepted), (n,).
        target: The share that is wanted.
        less_is_better: Whether the share should be small.
    """
    right = np.asarray(right, bool)
    return Line(name, float(right.mean()), target, int(right.sum()), len(right), less_is_better)


def find_fallen(before: list[Line], now: list[Line]) -> list[str]:
    """Return every figure that fell by more than its noise, with both values.

    Args:
        before: The figures of full sets.
        now: The same figures, perhaps of a sample.

    Raises:
        ValueError: The figures have other names.
    """
    fallen = []
    for old, new in zip(before, now, strict=False):
        if old.name != new.name:
            raise ValueError(f"{old.name} cannot be compared with {new.name}")
        noise = old.noise(new.count)
        if -new.gain_over(old.figure) > noise:
            fallen.append(f"{new.name}: {old.figure:.4f} -> {new.figure:.4f}, noise {noise:.4f}")
    return fallen
