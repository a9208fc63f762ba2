"""What the tests of models share."""

import numpy as np
import pytest
import torch

from qdigits.models.registry import MODELS, build


@pytest.fixture(scope="module", params=sorted(MODELS))
def model(request):
    """An untrained network with temperature, reject logit and card of its own."""
    torch.manual_seed(0)
    model = build(request.param).eval()
    model.temperature.fill_(0.25)
    model.reject_logit.fill_(0.5)
    model.card = {"architecture": request.param, "metrics": {"validation_accuracy": 0.1}}
    return model


@pytest.fixture(scope="module")
def tiles():
    return np.random.default_rng(0).integers(0, 256, (33, 28, 28), np.uint8)
