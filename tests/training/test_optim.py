"""The learning rate is arithmetic on the step."""

import pytest

from qdigits.training.config import TrainConfig
from qdigits.training.optim import lr_at


def test_the_rate_climbs_to_its_highest_and_falls_to_nearly_nothing():
    config = TrainConfig(lr=0.1, schedule="cosine", warmup_fraction=0.1)
    rates = [lr_at(step, 100, config) for step in range(100)]
    assert 0 < rates[0] < rates[5] < rates[10]
    assert rates[10] == 0.1
    assert rates[99] < 1e-3


def test_a_constant_rate_stays():
    assert {lr_at(step, 100, TrainConfig(lr=0.1)) for step in range(100)} == {0.1}


def test_a_linear_rate_is_half_at_half_time():
    assert lr_at(50, 100, TrainConfig(lr=0.1, schedule="linear")) == pytest.approx(0.05)


def test_a_trapezoid_falls_in_the_last_third():
    config = TrainConfig(lr=0.1, schedule="trapezoid")
    assert lr_at(60, 100, config) == 0.1
    assert lr_at(90, 100, config) == pytest.approx(0.03)
