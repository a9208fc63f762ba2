"""Calibration makes the confidence true."""

import pytest
import torch

from qdigits.data.split import Split
from qdigits.models.base import NO_REJECT
from qdigits.models.registry import build
from qdigits.training.calibration import TARGET_COVERAGE, calibrate


class OverconfidentBackbone(torch.nn.Module):
    """Answers with the column that is lit, far too sure."""

    def forward(self, x):
        return 50 * (x[:, :10] > 0).float()


@pytest.fixture(scope="module")
def calibrated():
    """A model that is right nine times in ten, after calibration, and the digits it saw."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(10, (2000,), generator=rng)
    is_right = torch.rand(2000, generator=rng) < 0.9
    lit = torch.where(is_right, labels, (labels + 1) % 10)
    images = torch.zeros(2000, 28, 28, dtype=torch.uint8)
    images[torch.arange(2000), 0, lit] = 255
    model = build("mlp")
    model.backbone = torch.nn.Sequential(torch.nn.Flatten(), OverconfidentBackbone())
    calibrate(model, Split(images, labels), has_negatives=False)
    return model, images.numpy()


def test_the_confidence_becomes_the_share_of_right_answers(calibrated):
    model, tiles = calibrated
    assert model.probabilities(tiles).max(1).mean() == pytest.approx(0.9, abs=0.01)


def test_without_negatives_the_reject_logit_stays(calibrated):
    model, _ = calibrated
    assert float(model.reject_logit) == NO_REJECT


def test_the_threshold_accepts_its_share_of_held_out_digits(calibrated):
    model, tiles = calibrated
    accepted = model.probabilities(tiles).max(1) >= float(model.threshold) - 1e-6
    assert accepted.mean() >= TARGET_COVERAGE
