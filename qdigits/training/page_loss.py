"""How far the page network's answer is from the truth."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from qdigits.models.page_net import PageAnswer
from qdigits.training.page_targets import PageTarget


class PageLoss(NamedTuple):
    """The parts of the loss, each a scalar."""

    heat: Tensor
    box: Tensor
    printed: Tensor
    turn: Tensor

    @property
    def total(self) -> Tensor:
        """The sum that training makes small."""
        return self.heat + self.box + 0.3 * self.printed + 0.3 * self.turn


def page_loss(answer: PageAnswer, target: PageTarget[Tensor], turns: Tensor) -> PageLoss:
    """Compare an answer with the truth.

    Args:
        answer: Of N pages.
        target: The same in tensors (N, channels, CELLS, CELLS).
        turns: int64 (N,), quarter turns of each page.
    """
    held = target.held
    count = held.sum().clamp(min=1)
    box = F.smooth_l1_loss(answer.box, target.box, reduction="none", beta=0.1)
    printed = F.binary_cross_entropy_with_logits(answer.printed, target.printed, reduction="none")
    where = target.turn[:, 0]
    turn_of_cells = turns[:, None, None].expand_as(where)
    turn = F.cross_entropy(answer.turn, turn_of_cells, reduction="none")
    return PageLoss(
        heat=focal_loss(answer.heat, target.heat, target.asked),
        box=(box * held).sum() / count,
        printed=(printed * held).sum() / count,
        turn=(turn * where).sum() / where.sum().clamp(min=1),
    )


def focal_loss(logits: Tensor, heat: Tensor, asked: Tensor) -> Tensor:
    """Compare heat maps so that the many easy cells do not drown the few hard ones.

    Args:
        logits: (N, classes, CELLS, CELLS).
        heat: The same shape; 1.0 at the middle of a mark.
        asked: (N, 2, CELLS, CELLS): what digits with signs, and what "other", count for.

    Source: Zhou et al. 2019, arXiv:1904.07850, equation 1, with alpha 2 and beta 4.
    """
    probability = logits.sigmoid()
    middle = (heat == 1).float()
    found = middle * (1 - probability).square() * F.logsigmoid(logits)
    weight = (1 - middle) * (1 - heat).pow(4)
    elsewhere = weight * probability.square() * F.logsigmoid(-logits)
    each = found + elsewhere
    signed = (each[:, :-1] * asked[:, :1]).sum()
    other = (each[:, -1:] * asked[:, 1:]).sum()
    return -(signed + other) / middle.sum().clamp(min=1)
