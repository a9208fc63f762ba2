"""Networks, settings and their calibration."""

import numpy as np
import pytest
import torch

from qdigits.data.split import Split
from qdigits.errors import ConfigError
from qdigits.models.base import NO_REJECT
from qdigits.models.layers import ChannelsLastFlatten
from qdigits.models.registry import MODELS, build
from qdigits.training.calibration import TARGET_COVERAGE, calibrate
from qdigits.training.config import TrainConfig
from qdigits.training.recipes import get_recipe


@pytest.mark.parametrize("name", MODELS)
def test_tiles_in_probabilities_out(name):
    model = build(name).eval()
    tiles = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    rows = model.probabilities(tiles)
    assert rows.shape == (5, 10) and rows.dtype == np.float32
    assert np.allclose(rows.sum(1), 1, atol=1e-5)  # never shown a non-digit, it knows none
    assert np.allclose(
        np.concatenate([model.probabilities(tile[None]) for tile in tiles]), rows, atol=1e-6
    )
    model.reject_logit.fill_(3.0)
    assert (model.probabilities(tiles).sum(1) < 0.99).all()


@pytest.mark.parametrize("name", MODELS)
def test_normalisation_is_inside(name):
    """Paper and ink that are rescaled together with mean and std give the same answer."""
    torch.manual_seed(0)
    model, images = build(name).eval(), torch.rand(3, 1, 28, 28)
    before = model(images)
    model.mean, model.std = model.mean * 2, model.std * 2
    assert torch.allclose(model(images * 2), before, atol=1e-5)


def test_gradients_by_hand_are_those_of_autograd():
    torch.manual_seed(0)
    model, images, labels = build("mlp"), torch.rand(32, 1, 28, 28), torch.randint(10, (32,))
    logits = model(images)
    torch.nn.functional.cross_entropy(logits, labels).backward()
    wanted = [weight.grad for weight in model.parameters()]
    assert torch.allclose(model.backpropagate(images, labels), logits, atol=1e-6)
    for weight, gradient in zip(model.parameters(), wanted, strict=True):
        assert weight.grad is not gradient and gradient.abs().max() > 1e-3
        assert torch.allclose(weight.grad, gradient, atol=1e-7)


def test_flattening_keeps_the_layout_of_gradients():
    seen, features = (
        [],
        torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last).requires_grad_() * 1,
    )
    flat = ChannelsLastFlatten()(features)
    features.register_hook(seen.append)
    (flat @ torch.rand(48, 2)).sum().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_calibration_makes_the_confidence_true():
    """Logits that are ten times too sure, and right nine times in ten, end up meaning what they say."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(10, (2000,), generator=rng)
    shown = torch.where(torch.rand(2000, generator=rng) < 0.9, labels, (labels + 1) % 10)
    images = torch.zeros(2000, 28, 28, dtype=torch.uint8)
    images[torch.arange(2000), 0, shown] = 255

    model = build("mlp")
    model.backbone = torch.nn.Sequential(torch.nn.Flatten(), Shown())
    calibrate(model, Split(images, labels), has_negatives=False)
    rows = model.probabilities(images.numpy())
    assert rows.max(1).mean() == pytest.approx(0.9, abs=0.01)
    assert float(model.reject_logit) == NO_REJECT
    assert (rows.max(1) >= float(model.threshold) - 1e-6).mean() >= TARGET_COVERAGE


class Shown(torch.nn.Module):
    """Answers with the column that is lit, far too sure."""

    def forward(self, x):
        return 50 * (x[:, :10] > 0).float()


def test_wrong_settings_name_the_right_ones():
    with pytest.raises(ConfigError, match="mlp, cnn, tiny"):
        build("transformer")
    with pytest.raises(ConfigError, match="baseline, default"):
        get_recipe("magic")
    with pytest.raises(ConfigError, match="sgd, nesterov"):
        TrainConfig(optimizer="adam")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="epochs is 0"):
        TrainConfig(epochs=0)
