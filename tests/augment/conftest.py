"""Digits that the tests of augmentations change."""

from typing import NamedTuple

import pytest
from torch import Tensor

from qdigits.data.loading import load_training


class Digits(NamedTuple):
    images: Tensor  # (200, 1, 28, 28), ink 1.0 on paper 0.0
    labels: Tensor  # (200,)


@pytest.fixture(scope="module")
def digits(digits_dir) -> Digits:
    train, _ = load_training("mnist", digits_dir)
    return Digits(train.images[:200][:, None].float() / 255, train.labels[:200])
