"""Photo in, digits out: the verbs that the library, the command and the page share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .image import prepare

CHUNK = 256  # tiles for the network at once: memory stays flat however many pictures come


class Model(Protocol):
    """What reading needs of a network, whichever engine runs it."""

    threshold: float
    card: dict

    def probabilities(self, tiles: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Prediction:
    """One answer. `confidence` is the calibrated probability that this is a digit and that it is this one."""

    digit: int | None  # None: nothing there that could be a digit
    confidence: float
    probabilities: tuple[float, ...]  # of 0..9; what is missing to 1 is "not a digit"
    tile: np.ndarray  # uint8 (28, 28), what the network saw
    box: tuple[int, int, int, int] | None  # left, top, right, bottom on the photo
    accepted: bool  # confidence reaches the threshold stored in the model file


@dataclass(frozen=True)
class Reading:
    """All digits of a photo in reading order; in `text` a newline ends a row and a wide gap is a space."""

    text: str
    digits: tuple[Prediction, ...]


def load_model(path: str | Path = "mnist_model.pth", device: str = "auto") -> Model:
    """A model from its file alone.

    Takes   a .pth, .safetensors or .onnx file, or the name of a bundled one; device auto, cpu, cuda or mps.
    Raises  ModelFileError: absent, damaged, unknown or unsafe.
    """
    if Path(path).suffix == ".onnx":
        from .engine import OnnxModel

        return OnnxModel(path)
    from .checkpoint import load_model_file

    return load_model_file(path, device)


def predict(model: Model, image: Any) -> Prediction:
    """The one digit on a picture: path, bytes, file object, Pillow image, array or tensor.

    Raises  ImageError: not a picture that can be read.
    """
    return predict_many(model, [image])[0]


def predict_many(model: Model, images: Iterable[Any]) -> list[Prediction]:
    """`predict` for many pictures, in few network calls."""
    return list(predictions(model, images))


def predictions(model: Model, images: Iterable[Any]) -> Iterator[Prediction]:
    """`predict_many` as a stream."""
    images = iter(images)
    while chunk := [prepare(image) for image in islice(images, CHUNK)]:
        rows = model.probabilities(np.stack([one.tile for one in chunk]))
        for one, row in zip(chunk, rows, strict=True):
            yield _prediction(model, row, one.tile, one.box)


def _prediction(model: Model, row: np.ndarray, tile: np.ndarray, box: tuple[int, int, int, int] | None) -> Prediction:
    digit, confidence = int(row.argmax()), float(row.max())
    if box is None:
        return Prediction(None, 0.0, (0.0,) * 10, tile, None, False)
    return Prediction(
        digit if confidence > 1 - row.sum() else None, confidence, tuple(map(float, row)), tile, box,
        confidence >= model.threshold,
    )  # fmt: skip


def read(model: Model, photo: Any) -> Reading:
    """Every digit on a photo, in reading order."""
    one = predict(model, photo)
    return Reading("" if one.digit is None else str(one.digit), () if one.digit is None else (one,))


def test_single_image(model: Model, single_image: Any) -> int | None:
    """The digit alone, under the name that users of the original know."""
    return predict(model, single_image).digit


test_single_image.__test__ = False  # type: ignore[attr-defined]  # pytest collects what starts with "test"
