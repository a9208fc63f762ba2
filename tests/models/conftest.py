"""What the tests of models share."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qdigits.models.checkpoint import load_model_file, save_model
from qdigits.models.export import export
from qdigits.models.registry import MODELS, build


@pytest.fixture(scope="session", params=sorted(MODELS))
def model(request):
    """An untrained network with temperature, reject logit and card of its own."""
    torch.manual_seed(0)
    model = build(request.param).eval()
    model.temperature.fill_(0.25)
    model.reject_logit.fill_(0.5)
    model.card = {"architecture": request.param, "metrics": {"validation_accuracy": 0.1}}
    return model


@pytest.fixture(scope="session")
def pth_file(model, tmp_path_factory) -> Path:
    """The network as a .pth file."""
    path = tmp_path_factory.mktemp("model") / "model.pth"
    save_model(model, path, model.card)
    return path


@pytest.fixture(scope="session")
def exported(pth_file, tmp_path_factory) -> Path:
    """What is exported from that file: once, as it takes seconds."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export(load_model_file(pth_file), path)
    return path


@pytest.fixture(scope="session")
def tiles():
    return np.random.default_rng(0).integers(0, 256, (33, 28, 28), np.uint8)
