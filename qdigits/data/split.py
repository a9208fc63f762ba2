"""Labelled digits in memory, and how they are divided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from qdigits.errors import DataError


@dataclass(frozen=True, eq=False)
class Split:
    """Digits; the same row in every tensor. Only QMNIST's have known writers and series."""

    images: Tensor  # uint8 (N, 28, 28), ink 255 on paper 0
    labels: Tensor  # int64 (N,)
    writers: Tensor | None = None  # int64 (N,)
    series: Tensor | None = None  # int64 (N,), NIST's hsf number

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Split:
        """Move all tensors to a device."""
        return self._map(lambda column: column.to(device))

    def take(self, index: Tensor) -> Split:
        """Return the chosen rows, by their numbers or by a mask (N,)."""
        return self._map(lambda column: column[index])

    def _map(self, change: Callable[[Tensor], Tensor]) -> Split:
        return Split(
            change(self.images),
            change(self.labels),
            None if self.writers is None else change(self.writers),
            None if self.series is None else change(self.series),
        )


def join_splits(parts: list[Split]) -> Split:
    """Put the rows of several splits together; what one of them doesn't know is known of none."""
    return Split(
        torch.cat([part.images for part in parts]),
        torch.cat([part.labels for part in parts]),
        _join_known([part.writers for part in parts]),
        _join_known([part.series for part in parts]),
    )


def _join_known(columns: list[Tensor | None]) -> Tensor | None:
    known = [column for column in columns if column is not None]
    return torch.cat(known) if len(known) == len(columns) else None


def hold_out(split: Split, fraction: float, seed: int, by_writer: bool) -> tuple[Split, Split]:
    """Divide digits at random into a rest and a part held out.

    Args:
        split: The digits to divide.
        fraction: The share of writers, or of digits, to hold out.
        seed: The seed of the draw.
        by_writer: Whether to keep each writer's digits together, where writers are known.

    Returns:
        The rest, and the part held out.

    Raises:
        DataError: There are so few digits that one of the two would be empty.
    """
    if by_writer and split.writers is not None:
        _, group = split.writers.unique(return_inverse=True)
    else:
        group = torch.arange(len(split))
    group_count = int(group.max()) + 1
    shuffled = torch.randperm(group_count, generator=torch.Generator().manual_seed(seed))
    is_group_held_out = torch.zeros(group_count, dtype=torch.bool)
    is_group_held_out[shuffled[: round(fraction * group_count)]] = True
    held_out = is_group_held_out[group]
    if held_out.all() or not held_out.any():
        raise DataError(
            f"{len(split)} digits are too few to hold out {fraction:.0%} of them; bring more"
        )
    return split.take(~held_out), split.take(held_out)
