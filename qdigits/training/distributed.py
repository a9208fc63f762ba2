"""One process or several: under torchrun each is a rank of one group, on processors too."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from qdigits.device import pick_device
from qdigits.parallel_map import end_with_parent

TIMEOUT = timedelta(seconds=20)  # a rank that is silent for longer has ended


@dataclass(frozen=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: Which of the processes this one is, from 0.
        size: How many there are.
        device: Where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def shard(self, rows: Tensor) -> Tensor:
        """Return this process's share of the rows of a batch."""
        return rows[self.rank :: self.size] if self.size > 1 else rows

    def broadcast(self, rank: int, values: Tensor) -> Tensor:
        """Send a tensor from one process to all, in place: the others give one of its size."""
        if self.size > 1:
            dist.broadcast(values, rank)
        return values

    def all_reduce(self, values: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place on each."""
        if self.size > 1:
            dist.all_reduce(values)
        return values


@contextmanager
def init_distributed(device: str = "auto") -> Iterator[World]:
    """Join the processes that torchrun started; without torchrun there is one.

    Args:
        device: auto, cpu, cuda or mps.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield World(0, 1, pick_device(device))
        return
    end_with_parent()
    picked = pick_device(device)
    if picked.type == "cuda":
        picked = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(picked)
    backend = "cpu:gloo,cuda:nccl" if picked.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=TIMEOUT)
    try:
        yield World(dist.get_rank(), dist.get_world_size(), picked)
    finally:
        gc.collect()  # what still holds the group may abort the process on its way out
        dist.destroy_process_group()
