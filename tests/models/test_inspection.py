"""Inside the networks: each engine shows the same layers."""

import numpy as np
import pytest

from qdigits import load_model
from qdigits.data.sample import load_sample
from qdigits.models.inspection import inspect_layers
from qdigits.models.numpy_mlp import DenseLayer, NumpyMLP, softmax
from qdigits.models.onnx_model import OnnxModel

TILE = load_sample()[0][3700]


def test_both_engines_show_the_same_layers():
    from_onnx = inspect_layers(load_model("mnist_mlp.onnx"), TILE)
    from_torch = inspect_layers(load_model("mnist_mlp.pth", "cpu"), TILE)
    assert len(from_onnx) == len(from_torch) == 2
    for ours, theirs in zip(from_onnx, from_torch, strict=True):
        np.testing.assert_allclose(ours.activations, theirs.activations, atol=1e-3)
        assert (ours.weights is None) == (theirs.weights is None)


@pytest.mark.parametrize(("name", "layers"), [("mnist_model", 8), ("mnist_small", 4)])
def test_a_network_in_integers_shows_its_layers_too(name, layers):
    in_integers = inspect_layers(OnnxModel(f"{name}.onnx"), TILE)
    in_floats = inspect_layers(load_model(f"{name}.pth", "cpu"), TILE)
    assert len(in_integers) == len(in_floats) == layers
    for ours, theirs in zip(in_integers, in_floats, strict=True):
        assert ours.activations.shape == theirs.activations.shape
        difference = np.abs(ours.activations - theirs.activations).mean()
        assert difference < 0.1 * theirs.activations.std()


def test_the_layers_shown_lead_to_the_answer_that_is_given():
    model = load_model("mnist_mlp.onnx")
    first, second = inspect_layers(model, TILE)
    assert first.activations.shape == (128,) and first.weights.shape == (128, 784)
    assert second.activations.shape == (64,) and second.weights.shape == (64, 128)
    torch_model = load_model("mnist_mlp.pth", "cpu")
    last = torch_model.backbone[5]
    logits = second.activations @ last.weight.detach().numpy().T + last.bias.detach().numpy()
    chances = softmax(logits[None] / float(torch_model.temperature))[0]
    np.testing.assert_allclose(chances, model.probabilities(TILE[None])[0], atol=1e-3)


def test_the_numpy_network_computes_the_gradient():
    rng = np.random.default_rng(1)
    images = rng.random((4, 28, 28)).astype(np.float32)
    labels = np.array([3, 1, 4, 1])

    def loss_with(shift: float) -> float:
        model = NumpyMLP((12, 8))
        model.layers[0].weights = model.layers[0].weights.astype(np.float64)
        model.layers[0].weights[5, 400] += shift
        chances = softmax(model.forward(images)[-1])
        return -np.log(chances[np.arange(4), labels]).mean()

    model = NumpyMLP((12, 8))
    before = model.layers[0].weights[5, 400].copy()
    model.train_step(images, labels, lr=1.0)
    numeric = (loss_with(1e-4) - loss_with(-1e-4)) / 2e-4
    assert numeric != 0
    assert before - model.layers[0].weights[5, 400] == pytest.approx(numeric, rel=0.02, abs=1e-5)


def test_the_numpy_network_learns_the_sample():
    images, labels = load_sample()
    order = np.random.default_rng(0).permutation(len(labels))
    train, held_out = order[:2000], order[4000:]
    model = NumpyMLP()
    assert isinstance(model.layers[0], DenseLayer)
    for epoch in range(4):
        for some in np.array_split(np.random.default_rng(epoch).permutation(train), 62):
            model.train_step(images[some].astype(np.float32) / 255, labels[some], lr=0.1)
    right = model.probabilities(images[held_out]).argmax(1) == labels[held_out]
    assert right.mean() > 0.85
