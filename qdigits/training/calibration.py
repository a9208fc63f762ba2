"""Confidence that means what it says: temperature and the logit of "not a digit", fitted on held-out writers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from qdigits.augment.negatives import negatives
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.split import Split
from qdigits.models.base import DigitModel

TARGET_COVERAGE = 0.992  # share of held-out digits that the threshold lets pass
BATCH_SIZE = 100  # images at once: they fit the cache
NON_DIGIT_PRIOR = (
    0.02  # how often a user shows something that is no digit, as the calibration assumes
)


@torch.no_grad()
def logits_of(model: DigitModel, images: Tensor) -> Tensor:
    """Logits (N, 10) of images (N, 1, 28, 28)."""
    return torch.cat([model(part) for part in images.split(BATCH_SIZE)])


def calibrate(model: DigitModel, held_out: Split, has_negatives: bool) -> None:
    """Set temperature, nothing and threshold to what makes held-out digits, and drawn non-digits, least surprising.

    Takes   has_negatives: whether the model was trained on negatives; if not, `reject_logit` stays where it is.
    Source  Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599.
    """
    model.eval()
    images, labels = held_out.images[:, None].float().div_(255), held_out.labels
    logits = logits_of(model, images)
    fitted, truth, weight = logits, labels, torch.ones_like(logits[:, 0])
    if has_negatives:
        rng = torch.Generator(images.device).manual_seed(0)
        others = AUGMENTATIONS["warp"](negatives(len(images) // 4, images, labels, rng), rng)
        fitted = torch.cat([logits, logits_of(model, others)])
        truth = torch.cat([labels, labels.new_full((len(others),), 10)])
        weight = torch.cat(
            [weight, weight.new_full((len(others),), NON_DIGIT_PRIOR * len(images) / len(others))]
        )
    scale = torch.zeros((), requires_grad=True, device=logits.device)  # log of the temperature
    nothing = model.reject_logit.clone().requires_grad_(has_negatives)
    optimizer = torch.optim.LBFGS(
        [scale, nothing] if has_negatives else [scale], max_iter=100, line_search_fn="strong_wolfe"
    )

    def nll() -> Tensor:
        optimizer.zero_grad()
        answers = torch.cat([fitted / scale.exp(), nothing.expand(len(fitted), 1)], 1)
        loss = (F.cross_entropy(answers, truth, reduction="none") * weight).sum() / weight.sum()
        loss.backward()
        return loss

    optimizer.step(nll)
    with torch.no_grad():
        model.temperature.copy_(scale.exp())
        model.reject_logit.copy_(nothing)
        confidence = model.calibrated(logits).amax(1)
        model.threshold.copy_(confidence.quantile(1 - TARGET_COVERAGE))
