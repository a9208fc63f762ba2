"""Pictures that hold no number: an empty reading or an error, never a confident number."""

import time

import cv2
import numpy as np
import pytest

from qdigits.errors import ImageError
from qdigits.predictor import load_model, read

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "away"]
MOST_SECONDS = 60  # on a slow and busy machine; it takes one or two on a quiet one


@pytest.fixture(scope="module")
def model():
    return load_model("mnist_model.onnx")


def printed_page() -> np.ndarray:
    page = np.full((700, 900), 235, np.uint8)
    for row in range(16):
        words = " ".join(WORDS[(3 * row + k) % len(WORDS)] for k in range(6))
        cv2.putText(page, words, (30, 50 + 40 * row), cv2.FONT_HERSHEY_COMPLEX, 0.8, 40, 1)
    return page


def striped_fur() -> np.ndarray:
    """Draw what a cat looks like from near: short hairs in many directions."""
    rng = np.random.default_rng(3)
    fur = np.full((500, 600, 3), (120, 150, 180), np.uint8)
    for _ in range(6000):
        x, y = rng.integers(0, 600), rng.integers(0, 500)
        angle = 0.01 * x + rng.normal(0, 0.3)
        end = (int(x + 18 * np.cos(angle)), int(y + 18 * np.sin(angle)))
        shade = tuple(int(value) for value in rng.integers(40, 220, 3))
        cv2.line(fur, (int(x), int(y)), end, shade, 1, cv2.LINE_AA)
    return cv2.GaussianBlur(fur, (0, 0), 0.8)


NOTHING = {
    "blank": lambda: np.full((800, 600), 240, np.uint8),
    "black": lambda: np.zeros((300, 400), np.uint8),
    "print": printed_page,
    "fur": striped_fur,
    "noise": lambda: np.random.default_rng(0).integers(0, 256, (600, 800)).astype(np.uint8),
    "one row of pixels": lambda: np.random.default_rng(0).integers(0, 256, (1, 10_000), np.uint8),
    "one column of pixels": lambda: np.full((10_000, 1), 200, np.uint8),
}


@pytest.mark.parametrize("name", NOTHING)
def test_where_no_number_stands_none_is_accepted(model, name):
    start = time.monotonic()
    reading = read(model, NOTHING[name]())
    assert not [number for number in reading.numbers if number.accepted]
    assert time.monotonic() - start < MOST_SECONDS


def test_fifty_megapixels_are_read_in_bounded_time_and_more_are_refused(model):
    start = time.monotonic()
    assert read(model, np.full((7000, 7000), 220, np.uint8)).text == ""
    assert time.monotonic() - start < MOST_SECONDS
    with pytest.raises(ImageError):
        read(model, np.broadcast_to(np.uint8(220), (8000, 8000)))
