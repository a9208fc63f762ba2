"""Find the digits that later epochs repeat.

Source: Shrivastava et al. 2016, "Training Region-based Object Detectors with Online Hard Example
Mining", arXiv:1604.03540; here once, after the first epoch.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from qdigits.training.distributed import World


class StepOutput(NamedTuple):
    """What the network answered at one step."""

    indices: Tensor  # of the real digits of the whole batch
    logits: Tensor  # (n, 10) or (n, 11), of this process's share: the real digits come first
    labels: Tensor  # (n,)


def find_hardest(outputs: list[StepOutput], count: int, fraction: float, world: World) -> Tensor:
    """Return the indices of the digits with the highest losses, each judged within its batch.

    Within its batch, because to the network of an early batch everything is hard.

    Args:
        outputs: Of an epoch that showed each digit once.
        count: How many training digits there are.
        fraction: Which share of them is returned.
        world: Each process knows the losses of its share.
    """
    losses = torch.zeros(count, device=world.device)
    for output in outputs:
        mine = world.shard(output.indices)
        real = slice(len(mine))
        losses[mine] = F.cross_entropy(output.logits[real], output.labels[real], reduction="none")
    hardness = world.all_reduce(losses)
    for output in outputs:
        rank_in_batch = hardness[output.indices].argsort().argsort()
        hardness[output.indices] = rank_in_batch / len(output.indices)
    return hardness.topk(math.ceil(fraction * count)).indices.cpu()
