"""Every network keeps the contract: tiles in, calibrated probabilities out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from qdigits.errors import ConfigError
from qdigits.models.fast import WholeMapConv
from qdigits.models.layers import ChannelsLastFlatten
from qdigits.models.registry import MODELS, build


def random_tiles(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)


@pytest.mark.parametrize("name", MODELS)
def test_a_network_that_rejects_nothing_gives_probabilities_that_sum_to_one(name):
    rows = build(name).eval().probabilities(random_tiles(5))
    assert rows.shape == (5, 10)
    assert rows.dtype == np.float32
    assert np.allclose(rows.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_reject_logit_takes_probability_away(name):
    model = build(name).eval()
    model.reject_logit.fill_(3.0)
    assert (model.probabilities(random_tiles(5)).sum(1) < 0.99).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_gives_the_answers_of_its_tiles(name):
    model = build(name).eval()
    tiles = random_tiles(5)
    one_by_one = np.concatenate([model.probabilities(tile[None]) for tile in tiles])
    assert np.allclose(model.probabilities(tiles), one_by_one, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_normalisation_is_inside_the_model(name):
    """Paper and ink that are rescaled together with mean and std give the same answer."""
    torch.manual_seed(0)
    model = build(name).eval()
    images = torch.rand(3, 1, 28, 28)
    before = model(images)
    model.mean = model.mean * 2
    model.std = model.std * 2
    assert torch.allclose(model(images * 2), before, atol=1e-5)


def test_the_mlp_computes_the_gradients_of_autograd():
    torch.manual_seed(0)
    model = build("mlp")
    images = torch.rand(32, 1, 28, 28)
    labels = torch.randint(10, (32,))
    logits = model(images)
    F.cross_entropy(logits, labels).backward()
    expected = [weight.grad for weight in model.parameters()]
    assert torch.allclose(model.backpropagate(images, labels), logits, atol=1e-6)
    for weight, gradient in zip(model.parameters(), expected, strict=True):
        assert weight.grad is not gradient
        assert gradient.abs().max() > 1e-3
        assert torch.allclose(weight.grad, gradient, atol=1e-7)


def test_filters_over_the_whole_map_give_the_same_in_training():
    torch.manual_seed(0)
    layer = WholeMapConv(32, 10, 5).to(memory_format=torch.channels_last)
    maps = torch.rand(8, 32, 5, 5).to(memory_format=torch.channels_last)
    results = []
    for is_training in (True, False):
        layer.train(is_training).zero_grad()
        outputs = layer(maps)
        outputs.square().sum().backward()
        results.append((outputs, layer.weight.grad, layer.bias.grad))
    for in_training, elsewhere in zip(*results, strict=True):
        assert in_training.shape == elsewhere.shape
        assert torch.allclose(in_training, elsewhere, rtol=1e-4, atol=1e-5)


def test_flatten_hands_gradients_back_channels_last():
    gradients = []
    images = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last).requires_grad_()
    features = images * 1
    flat = ChannelsLastFlatten()(features)
    features.register_hook(gradients.append)
    (flat @ torch.rand(48, 2)).sum().backward()
    assert gradients[0].is_contiguous(memory_format=torch.channels_last)


def test_an_unknown_model_lists_those_there_are():
    with pytest.raises(ConfigError, match=", ".join(MODELS)):
        build("transformer")
