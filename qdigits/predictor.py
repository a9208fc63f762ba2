"""Photo in, digits out: the verbs that the library, the command and the page share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from qdigits.imaging.tile import TILE_SIZE, find_ink, find_polarity, fit_tile, open_photo, prepare
from qdigits.reading.segment import KEEP, find_digits

Box = tuple[int, int, int, int]  # left, top, right, bottom
MIN_CONFIDENCE = 0.01  # no digit is named below this confidence; `accepted` is the stricter judge
BATCH_SIZE = 256  # tiles for the network at once: memory stays flat however many pictures come


class Model(Protocol):
    """What reading needs of a network, whichever engine runs it."""

    @property
    def threshold(self) -> float: ...

    @property
    def card(self) -> dict: ...

    def probabilities(self, tiles: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Prediction:
    """One answer. `confidence` is the calibrated probability that this is a digit and that it is this one."""

    digit: int | None  # None: nothing there that could be a digit
    confidence: float
    probabilities: tuple[float, ...]  # of 0..9; what is missing to 1 is "not a digit"
    tile: np.ndarray = field(compare=False)  # uint8 (28, 28), what the network saw
    box: Box | None  # on the original picture
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
        from qdigits.models.onnx_model import OnnxModel

        return OnnxModel(path)
    from qdigits.models.checkpoint import load_model_file

    return load_model_file(path, device)


def predict(model: Model, image: Any) -> Prediction:
    """The one digit on a picture: path, bytes, file object, Pillow image, array or tensor.

    Raises  ImageError: not a picture that can be read.
    """
    return predict_many(model, [image])[0]


def predict_many(model: Model, images: Iterable[Any]) -> list[Prediction]:
    """`predict` for many pictures, in few network calls."""
    return list(predict_stream(model, images))


def predict_stream(model: Model, images: Iterable[Any]) -> Iterator[Prediction]:
    """`predict_many` as a stream."""
    images = iter(images)
    while chunk := [candidate_tiles(image) for image in islice(images, BATCH_SIZE)]:
        rows = iter(model.probabilities(np.stack([tile for looks in chunk for tile, _ in looks])))
        for looks in chunk:
            yield max(
                (_prediction(model, next(rows), *look) for look in looks),
                key=lambda answer: answer.confidence,
            )


def candidate_tiles(image: Any) -> list[tuple[np.ndarray, Box | None]]:
    """One tile, or two where ink and paper may be the other way round; the photo itself isn't kept."""
    prepared = prepare(image)
    looks = (
        [prepared, prepare(prepared.photo, invert=True)]
        if prepared.polarity_ambiguous
        else [prepared]
    )
    return [(look.tile, look.box and _scaled(look.box, prepared.downscale)) for look in looks]


def _scaled(box: Box, scale: float) -> Box:
    left, top, right, bottom = (round(edge * scale) for edge in box)
    return left, top, right, bottom


def _prediction(model: Model, row: np.ndarray, tile: np.ndarray, box: Box | None) -> Prediction:
    digit, confidence = int(row.argmax()), float(row.max())
    if box is None:
        return Prediction(None, 0.0, (0.0,) * 10, tile, None, False)
    named = digit if confidence > MIN_CONFIDENCE else None
    return Prediction(
        named, confidence, tuple(map(float, row)), tile, box, confidence >= model.threshold
    )


def read(model: Model, photo: Any) -> Reading:
    """Every digit on a photo, in reading order.

    Raises  ImageError: not a picture that can be read.
    """
    opened, downscale = open_photo(photo)
    if opened.shape[:2] == (TILE_SIZE, TILE_SIZE):
        one = predict(model, opened)
        return Reading(str(one.digit), (one,)) if one.confidence > KEEP else Reading("", ())
    ink_is_bright, polarity_ambiguous = find_polarity(opened)
    readings = [
        _page(model, opened, way, downscale)
        for way in ((ink_is_bright, not ink_is_bright) if polarity_ambiguous else (ink_is_bright,))
    ]
    return max(readings, key=lambda reading: sum(one.confidence for one in reading.digits))


def _page(model: Model, photo: np.ndarray, ink_is_bright: bool, downscale: float) -> Reading:
    ink, scale = find_ink(photo, ink_is_bright)
    rows = find_digits(
        ink, lambda crops: model.probabilities(np.stack([fit_tile(crop) for crop in crops]))
    )
    lines, digits = [], []
    for row in rows:
        wide = 2 * np.median([mark.height for mark in row])
        gaps = [mark.left - before.right > wide for before, mark in zip(row, row[1:], strict=False)]
        spaces = ["", *(" " if gap else "" for gap in gaps)]
        lines.append(
            "".join(space + str(mark.row.argmax()) for space, mark in zip(spaces, row, strict=True))
        )
        for mark in row:
            digits.append(
                _prediction(
                    model, mark.row, fit_tile(mark.ink), _scaled(mark.box, scale * downscale)
                )
            )
    return Reading("\n".join(lines), tuple(digits))


def test_single_image(model: Model, single_image: Any) -> int | None:
    """The digit alone, under the name that users of the original know."""
    return predict(model, single_image).digit


test_single_image.__test__ = False  # type: ignore[attr-defined]  # pytest collects what starts with "test"
