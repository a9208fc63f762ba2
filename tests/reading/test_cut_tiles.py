"""Cells cut out of a form at a tile's size, with a piece of its rules: the bundled networks."""

import cv2
import numpy as np
import pytest

from qdigits.data.sample import load_sample
from qdigits.predictor import load_model, predict_many, read


@pytest.fixture(scope="module")
def cells() -> tuple[list[np.ndarray], np.ndarray]:
    """Return cells of 28x28 pixels, a small digit and the rule on their left, and their labels."""
    tiles, labels = load_sample()
    chosen = np.random.default_rng(0).choice(len(tiles), 60, replace=False)
    pictures = []
    for tile in tiles[chosen]:
        cell = np.full((28, 28), 235, np.uint8)
        small = cv2.resize(tile, (20, 20), interpolation=cv2.INTER_AREA)
        cell[5:25, 6:26] -= (small * 0.6).astype(np.uint8)
        cell[:, :2] = 120
        pictures.append(cell)
    return pictures, labels[chosen]


def test_a_piece_of_a_rule_does_not_spoil_the_digit_of_a_tile(cells):
    pictures, labels = cells
    answers = predict_many(load_model("mnist_model.onnx"), pictures)
    right = [answer.digit == label for answer, label in zip(answers, labels, strict=True)]
    assert np.mean(right) > 0.9


def test_a_piece_of_a_rule_is_no_digit_that_read_is_sure_of(cells):
    model = load_model("mnist_model.onnx")
    readings = [read(model, picture) for picture in cells[0]]
    right = [reading.text == str(label) for reading, label in zip(readings, cells[1], strict=True)]
    assert np.mean(right) > 0.85
    assert not any(
        reading.accepted and not good for reading, good in zip(readings, right, strict=True)
    )
