"""Photo in, digits out: the verbs that the library, the command and the page share."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, Protocol, SupportsFloat

import numpy as np

from qdigits.imaging.constants import TILE_SIZE
from qdigits.imaging.decode import open_photo
from qdigits.imaging.ink import find_ink, find_polarity
from qdigits.imaging.tile import fit_tile, prepare
from qdigits.reading.result import Box, Number, Prediction, Reading
from qdigits.reading.segment import KEEP, find_digits

MIN_CONFIDENCE = 0.01  # no digit is named below this confidence; `accepted` is the stricter judge
BATCH_SIZE = 256  # tiles for the network at once: memory stays flat however many pictures come


class Model(Protocol):
    """What reading needs of a network, whichever engine runs it."""

    @property
    def threshold(self) -> SupportsFloat: ...

    @property
    def card(self) -> dict: ...

    def probabilities(self, tiles: np.ndarray) -> np.ndarray: ...


def load_model(path: str | Path = "mnist_model.pth", device: str = "auto") -> Model:
    """A model from its file alone.

    Takes   a .pth, .safetensors or .onnx file, or the name of a bundled one; device auto, cpu, cuda or mps.
    Raises  ModelFileError: absent, damaged, unknown or unsafe.
    """
    if Path(path).suffix == ".onnx":
        from qdigits.models.onnx_model import OnnxModel

        return OnnxModel(path)
    if not find_spec("torch"):
        from qdigits.models.onnx_model import load_twin

        return load_twin(path)
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


def scale_box(box: tuple[int, int, int, int], scale: float) -> Box:
    """Return the box on a picture that is `scale` times as large."""
    return Box(*(round(edge * scale) for edge in box))


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
        return reading_of([[[one]]] if one.confidence > KEEP else [])
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
    lines = []
    for row in rows:
        wide = 2 * np.median([mark.height for mark in row])
        line: list[list[Prediction]] = [[]]
        for before, mark in zip([None, *row], row, strict=False):
            if before is not None and mark.left - before.right > wide:
                line.append([])
            box = scale_box(mark.box, scale * downscale)
            line[-1].append(make_prediction(model, mark.row, fit_tile(mark.ink), box))
        lines.append(line)
    return reading_of(lines)


def reading_of(lines: list[list[list[Prediction]]]) -> Reading:
    """Return lines of numbers, each a list of digits, as a Reading."""
    numbers = []
    for row, line in enumerate(lines):
        for column, digits in enumerate(line):
            lefts, tops, rights, bottoms = zip(*(digit.box for digit in digits), strict=True)
            number = Number(
                text="".join(map(str, digits)),
                digits=tuple(digits),
                box=Box(min(lefts), min(tops), max(rights), max(bottoms)),
                row=row,
                column=column,
                confidence=prod(digit.confidence for digit in digits),
                accepted=all(digit.accepted for digit in digits),
            )
            numbers.append(number)
    text = "\n".join(" ".join("".join(map(str, digits)) for digits in line) for line in lines)
    every_digit = tuple(digit for number in numbers for digit in number.digits)
    return Reading(text, every_digit, tuple(numbers))


def test_single_image(model: Model, single_image: Any) -> int | None:
    """The digit alone, under the name that users of the original know."""
    return predict(model, single_image).digit


test_single_image.__test__ = False  # type: ignore[attr-defined]  # pytest collects what starts with "test"
