"""One process or several: under torchrun each is a rank of one group, on processors too, not only on CUDA."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from qdigits.device import pick_device

TIMEOUT = timedelta(
    seconds=20
)  # a rank silent for longer is gone; torchrun grants the others 30 s more


@dataclass(frozen=True)
class World:
    """Who this process is among those that train together."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def shard(self, rows: Tensor) -> Tensor:
        """This process's share of the rows of a batch."""
        return rows[self.rank :: self.size] if self.size > 1 else rows

    def broadcast(self, rank: int, values: Tensor) -> Tensor:
        """What one process has, on each of them, in place: the others give room for as much."""
        if self.size > 1:
            dist.broadcast(values, rank)
        return values

    def all_reduce(self, values: Tensor) -> Tensor:
        """The sum over all processes, on each of them."""
        if self.size > 1:
            dist.all_reduce(values)
        return values


@contextmanager
def init_distributed(device: str = "auto") -> Iterator[World]:
    """The world that torchrun's environment describes; a world of one without it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield World(0, 1, pick_device(device))
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(
            1, signal.SIGKILL
        )  # PR_SET_PDEATHSIG: if the agent is killed, no trainer stays behind
    picked = pick_device(device)
    if picked.type == "cuda":
        picked = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(picked)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if picked.type == "cuda" else "gloo", timeout=TIMEOUT
    )
    try:
        yield World(dist.get_rank(), dist.get_world_size(), picked)
    finally:
        gc.collect()  # what still holds the group outlives it, and may abort the process on its way out
        dist.destroy_process_group()
