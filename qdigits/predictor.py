"""Photo in, digits out: the verbs that the library, the command and the page share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, SupportsFloat

import numpy as np

from qdigits.imaging.constants import TILE_SIZE
from qdigits.imaging.decode import open_photo
from qdigits.imaging.ink import find_ink, find_polarity
from qdigits.imaging.tile import fit_tile, prepare
from qdigits.reading.segment import KEEP, find_digits

Box = tuple[int, int, int, int]  # left, top, right, bottom
MIN_CONFIDENCE = 0.01  # no digit is named below this confidence; `accepted` is the stricter judge
BATCH_SIZE = 256  # tiles for the network at once: memory stays flat however many pictures come


class Model(Protocol):
    """What reading needs of a network, whichever engine runs it."""

    @property
    def threshold(self) -> SupportsFloat: ...

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
    """Yield predictions in order, one network call for BATCH_SIZE pictures: memory stays flat."""
    images = iter(images)
    while candidates := [candidate_tiles(image) for image in islice(images, BATCH_SIZE)]:
        tiles = np.stack([candidate.tile for options in candidates for candidate in options])
        rows = model.probabilities(tiles)  # (tiles, 10)
        start = 0
        for options in candidates:
            end = start + len(options)
            yield most_confident(model, rows[start:end], options)
            start = end


class Candidate(NamedTuple):
    """One tile that a picture may be read from."""

    tile: np.ndarray  # uint8 (28, 28)
    box: Box | None  # on the original picture; None: no ink


def candidate_tiles(image: Any) -> list[Candidate]:
    """Return the tile of a picture, or two where ink and paper may be the other way round.

    The photo itself is not kept.
    """
    first = prepare(image)
    prepared = [first, prepare(first.photo, invert=True)] if first.polarity_ambiguous else [first]
    return [
        Candidate(one.tile, one.box and scale_box(one.box, first.downscale)) for one in prepared
    ]


def most_confident(model: Model, rows: np.ndarray, options: list[Candidate]) -> Prediction:
    """Return the surest answer among the candidate tiles of one picture.

    Args:
        model: The network that gave the rows; its threshold decides what is accepted.
        rows: Probabilities of 0 to 9, one row a candidate: (candidates, 10).
        options: The candidates, in the same order.
    """
    answers = [
        make_prediction(model, row, option.tile, option.box)
        for row, option in zip(rows, options, strict=True)
    ]
    return max(answers, key=lambda answer: answer.confidence)


def scale_box(box: Box, scale: float) -> Box:
    """Return the box on a picture that is `scale` times as large."""
    left, top, right, bottom = (round(edge * scale) for edge in box)
    return left, top, right, bottom


def make_prediction(
    model: Model, probabilities: np.ndarray, tile: np.ndarray, box: Box | None
) -> Prediction:
    """Turn the network's answer for one tile into a Prediction.

    Args:
        model: Its threshold decides whether the answer is accepted.
        probabilities: Of the digits 0 to 9: (10,).
        tile: What the network saw: uint8 (28, 28).
        box: Where the digit stands on the original picture; None: there was no ink.
    """
    if box is None:
        return Prediction(None, 0.0, (0.0,) * 10, tile, None, False)
    confidence = float(probabilities.max())
    return Prediction(
        digit=int(probabilities.argmax()) if confidence > MIN_CONFIDENCE else None,
        confidence=confidence,
        probabilities=tuple(map(float, probabilities)),
        tile=tile,
        box=box,
        accepted=confidence >= float(model.threshold),
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
                make_prediction(
                    model, mark.row, fit_tile(mark.ink), scale_box(mark.box, scale * downscale)
                )
            )
    return Reading("\n".join(lines), tuple(digits))


def test_single_image(model: Model, single_image: Any) -> int | None:
    """The digit alone, under the name that users of the original know."""
    return predict(model, single_image).digit


test_single_image.__test__ = False  # type: ignore[attr-defined]  # pytest collects what starts with "test"
