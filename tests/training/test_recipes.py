"""Settings and recipes are what they are called, and wrong ones name the right ones."""

import pytest

from qdigits.errors import ConfigError
from qdigits.models.registry import build
from qdigits.training.config import TrainConfig
from qdigits.training.recipes import get_recipe


def test_baseline_is_the_plain_network_and_training():
    baseline = get_recipe("baseline")
    assert baseline == TrainConfig()
    assert baseline.model == "mlp"
    assert baseline.epochs == 15
    assert baseline.batch_size == 32
    assert baseline.lr == 0.001
    assert baseline.momentum == 0.9
    assert baseline.optimizer == "sgd"
    assert baseline.schedule == "constant"
    assert baseline.augment == ()
    assert baseline.weight_decay == 0


def test_baseline_has_two_hidden_layers():
    model = build("mlp")
    shapes = [tuple(weight.shape) for weight in model.parameters() if weight.ndim == 2]
    assert shapes == [(128, 784), (64, 128), (10, 64)]
    assert sum(weight.numel() for weight in model.parameters()) == 109_386


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(ConfigError, match="baseline, default"):
        get_recipe("magic")


def test_an_unknown_optimizer_lists_those_there_are():
    with pytest.raises(ConfigError, match="sgd, nesterov"):
        TrainConfig(optimizer="adam")  # type: ignore[arg-type]


def test_a_value_out_of_range_names_the_range():
    with pytest.raises(ConfigError, match=r"epochs is 0; choose a value from 0\.001 to 100000"):
        TrainConfig(epochs=0)
