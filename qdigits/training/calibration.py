"""Confidence that means what it says, fitted on held-out writers.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from qdigits.augment.negatives import draw_negatives
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.split import Split
from qdigits.models.base import DigitModel
from qdigits.training.batches import NOT_A_DIGIT

TARGET_COVERAGE = 0.992  # share of held-out digits that the threshold accepts
NON_DIGIT_PRIOR = 0.02  # how often a user shows something that is no digit: assumed
DIGITS_PER_NEGATIVE = 4
BATCH_SIZE = 100  # images at once: they fit the cache


class CalibrationSet(NamedTuple):
    """Logits with the truth, and how much each row counts."""

    logits: Tensor  # (N, 10)
    labels: Tensor  # (N,): 0 to 9, or NOT_A_DIGIT
    weights: Tensor  # (N,)


@torch.no_grad()
def compute_logits(model: DigitModel, images: Tensor) -> Tensor:
    """Return the logits (N, 10) of images (N, 1, 28, 28)."""
    return torch.cat([model(part) for part in images.split(BATCH_SIZE)])


def calibrate(model: DigitModel, held_out: Split, has_negatives: bool) -> None:
    """Set a model's temperature, reject logit and threshold.

    Temperature and reject logit minimise the negative log-likelihood of held-out digits and of
    drawn non-digits; the threshold accepts TARGET_COVERAGE of the held-out digits.

    Args:
        model: Gets the three buffers.
        held_out: Digits that the model has not learned from.
        has_negatives: Whether it was trained on non-digits; if not, its reject logit stays.
    """
    model.eval()
    images = held_out.images[:, None].float().div_(255)  # (N, 1, 28, 28)
    logits = compute_logits(model, images)
    known = CalibrationSet(logits, held_out.labels, torch.ones_like(logits[:, 0]))
    if has_negatives:
        known = add_negatives(known, model, images, held_out.labels)
    fit_temperature(model, known, has_negatives)
    with torch.no_grad():
        confidence = model.calibrated(logits).amax(1)
        model.threshold.copy_(confidence.quantile(1 - TARGET_COVERAGE))


def add_negatives(
    known: CalibrationSet, model: DigitModel, images: Tensor, labels: Tensor
) -> CalibrationSet:
    """Add drawn non-digits, weighted by how often people show such things."""
    rng = torch.Generator(images.device).manual_seed(0)
    others = draw_negatives(len(images) // DIGITS_PER_NEGATIVE, images, labels, rng)
    others = AUGMENTATIONS["warp"](others, rng)
    count = len(others)
    weight = NON_DIGIT_PRIOR * len(images) / count
    return CalibrationSet(
        torch.cat([known.logits, compute_logits(model, others)]),
        torch.cat([known.labels, labels.new_full((count,), NOT_A_DIGIT)]),
        torch.cat([known.weights, known.weights.new_full((count,), weight)]),
    )


def fit_temperature(model: DigitModel, known: CalibrationSet, has_negatives: bool) -> None:
    """Fit the temperature, and with negatives the reject logit, by maximum likelihood."""
    log_temperature = torch.zeros((), requires_grad=True, device=known.logits.device)
    reject_logit = model.reject_logit.clone().requires_grad_(has_negatives)
    parameters = [log_temperature, reject_logit] if has_negatives else [log_temperature]
    optimizer = torch.optim.LBFGS(parameters, max_iter=100, line_search_fn="strong_wolfe")

    def nll() -> Tensor:
        optimizer.zero_grad()
        reject_logits = reject_logit.expand(len(known.logits), 1)
        eleven = torch.cat([known.logits / log_temperature.exp(), reject_logits], 1)
        losses = F.cross_entropy(eleven, known.labels, reduction="none")
        loss = (losses * known.weights).sum() / known.weights.sum()
        loss.backward()
        return loss

    optimizer.step(nll)
    with torch.no_grad():
        model.temperature.copy_(log_temperature.exp())
        model.reject_logit.copy_(reject_logit)
