"""Two networks as one model."""

import numpy as np
import pytest

from qdigits.data.sample import load_sample
from qdigits.files import resolve
from qdigits.models.cascade import Cascade
from qdigits.models.inspection import inspect_layers
from qdigits.predictor import load_model


class Answers:
    """A network that answers each grey level with a row of its own, and keeps what it was asked."""

    def __init__(self, rows):
        self.rows = rows
        self.asked = []
        self.threshold, self.card = 0.5, {}

    def probabilities(self, tiles):
        levels = tiles[:, 0, 0].tolist()
        self.asked.append(levels)
        return np.array([self.rows[level] for level in levels], np.float32)


def row(**digits):
    """Probabilities of the ten digits, such as d3=0.8."""
    return [digits.get(f"d{digit}", 0.0) for digit in range(10)]


def test_the_large_network_is_asked_only_where_the_small_one_is_in_doubt():
    small = Answers({1: row(d1=0.999), 2: row(d2=0.9), 3: row(d3=0.001)})
    large = Answers({2: row(d7=0.95)})
    tiles = np.array([1, 2, 3], np.uint8)[:, None, None].repeat(28, 1).repeat(28, 2)
    answers = Cascade(small, large).probabilities(tiles)
    assert large.asked == [[2]]  # 3 is no digit, and the small network is sure of that
    assert answers.argmax(1).tolist() == [1, 7, 3]
    assert answers[1, 7] == pytest.approx(0.95)


def test_a_large_network_that_nobody_needs_is_not_asked():
    small, large = Answers({1: row(d1=0.999)}), Answers({})
    Cascade(small, large).probabilities(np.ones((2, 28, 28), np.uint8))
    assert large.asked == []


def test_the_bundled_model_is_a_cascade_wherever_its_file_is_named():
    assert isinstance(load_model("mnist_model.onnx"), Cascade)
    assert isinstance(load_model(resolve("mnist_model.onnx")), Cascade)
    assert not isinstance(load_model("mnist_small.onnx"), Cascade)


def test_a_copy_of_the_bundled_file_is_one_network(tmp_path):
    large = load_model("mnist_model.onnx").large
    (tmp_path / "copy.onnx").write_bytes(large.file)
    assert not isinstance(load_model(tmp_path / "copy.onnx"), Cascade)


def test_the_layers_shown_are_those_of_the_network_that_answered():
    model = load_model("mnist_model.onnx")
    tiles, _ = load_sample()
    clear = tiles[3700]
    assert model.choose(clear) is model.small
    assert len(inspect_layers(model, clear)) == len(inspect_layers(model.small, clear)) == 4
    one_on_another = np.maximum(tiles[:100], tiles[-100:])
    doubted = next(tile for tile in one_on_another if model.choose(tile) is model.large)
    assert len(inspect_layers(model, doubted)) == len(inspect_layers(model.large, doubted)) == 8
