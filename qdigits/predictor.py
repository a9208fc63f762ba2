"""Photo in, digits out: the verbs that the library, the command and the page share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, SupportsFloat, overload

import numpy as np

from qdigits.errors import ImageError
from qdigits.files import DEFAULT_MODEL, FASTEST_MODEL, QUICK_MODEL, bundled_models, resolve
from qdigits.imaging.constants import TILE_SIZE
from qdigits.imaging.decode import Photo, open_photo
from qdigits.imaging.tile import is_framed, prepare
from qdigits.models.onnx_page_net import OnnxPageNet
from qdigits.reading.page import read_page
from qdigits.reading.result import Box, Number, Prediction, Reading
from qdigits.reading.single import read_single

MIN_CONFIDENCE = 0.01  # no digit is named below this confidence; `accepted` is the stricter judge
NOT_GIVEN: Any = object()
MODEL_SUFFIXES = (".pth", ".pt", ".onnx", ".safetensors")
LARGEST_TILE = 32  # pixels: MNIST's 28, and LeNet's 32 with two more on each side
MIN_TILE_CONFIDENCE = 0.25  # below this confidence a tile is no digit to `read`
ROOM = TILE_SIZE // 2  # pixels of paper around a tile that the page network looks at
BATCH_SIZE = 256  # tiles for the network at once: memory stays flat however many pictures come

logger = logging.getLogger("qdigits")


class Model(Protocol):
    """What reading needs of a network, whichever engine runs it."""

    @property
    def threshold(self) -> SupportsFloat: ...

    @property
    def card(self) -> dict: ...

    def probabilities(self, tiles: np.ndarray) -> np.ndarray: ...


def load_model(path: str | Path = DEFAULT_MODEL, device: str = "auto") -> Model:
    """Load a model from its file alone.

    Args:
        path: A .pth, .safetensors or .onnx file, or the name of a bundled one. With the
            bundled mnist_model.onnx, mnist_small.onnx answers the tiles of which it is sure.
        device: auto, cpu, cuda or mps; an .onnx file is always read on the CPU.

    Raises:
        ModelFileError: Absent, damaged, unknown or unsafe.
    """
    logger.debug("loading %s", path)
    if Path(path).suffix == ".onnx":
        from qdigits.models.cascade import Cascade
        from qdigits.models.onnx_model import OnnxModel

        model = OnnxModel(path)
        bundled = bundled_models().get(FASTEST_MODEL)
        is_bundled = bundled is not None and bundled.samefile(resolve(path))
        return Cascade(OnnxModel(QUICK_MODEL), model) if is_bundled else model
    if not find_spec("torch"):
        from qdigits.models.onnx_model import load_twin

        return load_twin(path)
    from qdigits.models.checkpoint import load_model_file

    return load_model_file(path, device)


@lru_cache(maxsize=4)
def _load_once(path: str, changed: float) -> Model:
    return load_model(path)


def as_model(model: Any) -> Model:
    """Return a model for whatever the caller gave as one: a model, a path, or None.

    Args:
        model: What load_model returns; the path of a model file, which is loaded once; or None for
            the bundled model.

    Raises:
        TypeError: It is something else, a picture perhaps.
        ModelFileError: The file is absent, damaged, unknown or unsafe.
    """
    if model is None:
        model = FASTEST_MODEL
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        changed = os.path.getmtime(path) if os.path.exists(path) else 0.0
        return _load_once(str(path), changed)
    if not hasattr(model, "probabilities"):
        raise TypeError(
            f"{type(model).__name__} is no model: the model comes first, then the picture, as in "
            "read(load_model(), 'photo.jpg'); or leave it out, as in read('photo.jpg')"
        )
    return model


def split_arguments(verb: str, model: Any, picture: Any) -> tuple[Model, Any]:
    """Sort out the arguments of read and predict, whose model may be left out.

    Args:
        verb: Name of the function, for the message.
        model: The model; or the picture, where `picture` was not given.
        picture: What is to be read, or NOT_GIVEN.

    Raises:
        TypeError: The arguments are swapped, or there is no picture.
    """
    if picture is NOT_GIVEN:
        model, picture = None, model
    if hasattr(picture, "probabilities"):
        raise TypeError(f"the model comes first: {verb}(model, picture)")
    is_path = isinstance(picture, (str, os.PathLike))
    if is_path and os.fspath(picture).lower().endswith(MODEL_SUFFIXES):
        raise TypeError(f"{picture} is a model file; the model comes first: {verb}(model, picture)")
    return as_model(model), picture


@overload
def predict(image: Any, /) -> Prediction: ...
@overload
def predict(model: Model | str | Path, image: Any) -> Prediction: ...
def predict(model: Any, image: Any = NOT_GIVEN) -> Prediction:
    """Read the one digit on a picture.

    Args:
        model: What load_model returns, or the path of a model file. It may be left out:
            predict(image) uses the bundled model.
        image: A path, bytes, file object, Pillow image, array or tensor.

    Returns:
        The digit with its confidence; its digit is None where nothing could be one.

    Raises:
        ImageError: The image is no picture that can be read.
        TypeError: The two arguments are swapped.
    """
    network, image = split_arguments("predict", model, image)
    return next(predict_stream(network, [image]))


@overload
def predict_many(images: Iterable[Any], /) -> list[Prediction]: ...
@overload
def predict_many(model: Model | str | Path, images: Iterable[Any]) -> list[Prediction]: ...
def predict_many(model: Any, images: Any = NOT_GIVEN) -> list[Prediction]:
    """Read one digit on each of many pictures, in few network calls.

    Args:
        model: As for predict.
        images: Pictures; or one array of tiles, as (N, 28, 28) or (N, 784).

    Raises:
        ImageError: One of the images is no picture that can be read.
        TypeError: The two arguments are swapped.
    """
    network, images = split_arguments("predict_many", model, images)
    if isinstance(images, (str, bytes, os.PathLike)):
        raise TypeError("predict_many takes a list of pictures; predict takes one picture")
    return list(predict_stream(network, images))


def predict_stream(model: Model, images: Iterable[Any]) -> Iterator[Prediction]:
    """Yield predictions in order, one network call for BATCH_SIZE tiles: memory stays flat."""
    images = iter(images)
    while looks := [look(model, image) for image in islice(images, BATCH_SIZE)]:
        answers = iter(answer_tiles(model, [one for one in looks if isinstance(one, list)]))
        for one in looks:
            yield one if isinstance(one, Prediction) else next(answers)


def look(model: Model, image: Any) -> Prediction | list[Candidate]:
    """Take a picture of a tile's size for a tile; find the digit on any other.

    Photos are not kept: a list of pictures may be long.
    """
    photo = open_photo(image)
    if not is_tile(photo):
        return find_digit(model, photo)
    options = candidate_tiles(photo)
    if all(is_framed(option.tile) for option in options):
        return options
    one = find_digit(model, photo)
    return take_at_half(one) if one.accepted and shows_several(model, photo) else one


def is_tile(photo: Photo) -> bool:
    """Say whether a picture has a tile's size."""
    return max(photo.pixels.shape[:2]) <= LARGEST_TILE


def look_at_page(model: Model, tile: Photo) -> Reading:
    """Read a tile as a page, on a larger sheet of paper: a digit may touch the edge."""
    return read_page(bundled_page_net(), model.probabilities, *tile, room=ROOM)


def shows_several(model: Model, tile: Photo) -> bool:
    """Say whether a tile surely shows more than one digit."""
    page = look_at_page(model, tile)
    return page.accepted and len(page.digits) > 1


def take_at_half(answer: Prediction) -> Prediction:
    """Believe an answer half as much: nobody can tell which of several marks is meant."""
    halves = tuple(probability / 2 for probability in answer.probabilities)
    return replace(answer, confidence=answer.confidence / 2, probabilities=halves, accepted=False)


def find_digit(model: Model, photo: Photo) -> Prediction:
    """Return the one digit of a photo.

    Args:
        model: It says which digit it is.
        photo: As open_photo gives it.
    """
    whole = take_all_ink(model, photo)
    return read_single(bundled_page_net(), model.probabilities, *photo, whole)


def take_all_ink(model: Model, photo: Photo) -> Prediction:
    """Take all the ink of a photo for one digit."""
    return answer_tiles(model, [candidate_tiles(photo)])[0]


@lru_cache(maxsize=1)
def bundled_page_net() -> OnnxPageNet:
    """Load the page network that ships with the program, once."""
    return OnnxPageNet()


class Candidate(NamedTuple):
    """One tile that a picture may be read from."""

    tile: np.ndarray  # uint8 (28, 28)
    box: Box | None  # on the original picture; None: no ink


def candidate_tiles(photo: Photo) -> list[Candidate]:
    """Return the tile of a photo, or two where ink and paper may be the other way round."""
    first = prepare(photo)
    prepared = [first, prepare(photo, invert=True)] if first.polarity_ambiguous else [first]
    return [
        Candidate(one.tile, one.box and scale_box(one.box, photo.downscale)) for one in prepared
    ]


def answer_tiles(model: Model, choices: Sequence[list[Candidate]]) -> list[Prediction]:
    """Ask the network about many pictures in one call.

    Args:
        model: The network.
        choices: The candidate tiles of each picture.

    Returns:
        The surest answer for each picture.
    """
    if not choices:
        return []
    tiles = [option.tile for options in choices for option in options]
    rows = iter(model.probabilities(np.stack(tiles)))
    return [most_confident(model, list(islice(rows, len(options))), options) for options in choices]


def most_confident(
    model: Model, rows: Iterable[np.ndarray], options: list[Candidate]
) -> Prediction:
    """Return the surest answer among the candidate tiles of one picture.

    Args:
        model: The network that gave the rows; its threshold decides what is accepted.
        rows: Probabilities of 0 to 9, (10,), of each candidate.
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


@overload
def read(photo: Any, /) -> Reading: ...
@overload
def read(model: Model | str | Path, photo: Any) -> Reading: ...
def read(model: Any, photo: Any = NOT_GIVEN) -> Reading:
    """Read every digit on a photo, in reading order.

    Args:
        model: What load_model returns, or the path of a model file. It may be left out:
            read(photo) uses the bundled model.
        photo: A path, bytes, file object, Pillow image, array or tensor; "scan.pdf#2" is the second
            page of a file of several.

    Returns:
        The text, the numbers and the digits. A notebook shows it as the photo with boxes.

    Raises:
        ImageError: The photo is no picture that can be read.
        TypeError: The two arguments are swapped.
    """
    network, photo = split_arguments("read", model, photo)
    reading = read_photo(network, photo)
    logger.debug("read %d digits with confidence %.3f", len(reading.digits), reading.confidence)
    can_be_reopened = not hasattr(photo, "read")  # a file object was read to its end
    return replace(reading, source=photo if can_be_reopened else None)


def read_photo(model: Model, photo: Any) -> Reading:
    """Open a photo and read it: the page network says where, the model says what."""
    opened = open_photo(photo)
    return read_tiles(model, [opened])[0] if is_tile(opened) else read_large(model, opened)


def read_together(model: Model, photos: Sequence[Any]) -> list[Reading | ImageError]:
    """Read some photos; the network answers those of a tile's size in one call.

    Args:
        model: What load_model returns.
        photos: What `read` takes.

    Returns:
        A reading for each photo, or the error that says why there is none.
    """
    results = [read_unless_tile(model, photo) for photo in photos]
    readings = iter(read_tiles(model, [result for result in results if isinstance(result, Photo)]))
    return [next(readings) if isinstance(result, Photo) else result for result in results]


def read_unless_tile(model: Model, photo: Any) -> Photo | Reading | ImageError:
    """Open a photo, and read it unless it has a tile's size: large photos are not kept."""
    try:
        opened = open_photo(photo)
        return opened if is_tile(opened) else read_large(model, opened)
    except ImageError as error:
        return error


def read_large(model: Model, photo: Photo) -> Reading:
    """Read a picture that may show a page, or else one large digit."""
    page = read_page(bundled_page_net(), model.probabilities, *photo)
    if len(page.digits) > 1 or page.accepted or page.unread:
        return page
    one = find_digit(model, photo)
    return reading_of(one) if one.accepted else page


def read_tiles(model: Model, tiles: Sequence[Photo]) -> list[Reading]:
    """Read pictures of a tile's size."""
    choices = [candidate_tiles(tile) for tile in tiles]
    answers = answer_tiles(model, choices)
    return [
        read_tile(model, tile, options, one)
        for tile, options, one in zip(tiles, choices, answers, strict=True)
    ]


def read_tile(model: Model, tile: Photo, options: list[Candidate], one: Prediction) -> Reading:
    """Read a picture of a tile's size: one digit framed as MNIST frames it, or else perhaps two.

    Args:
        model: It says which digits they are.
        tile: The picture.
        options: What its ink may be.
        one: The answer to all of its ink together.
    """
    is_one_digit = all(is_framed(option.tile) for option in options)
    is_unchanged = one.box == (0, 0, TILE_SIZE, TILE_SIZE)
    if one.accepted and is_unchanged and is_one_digit:
        return reading_of(one)
    page = look_at_page(model, tile)
    if not is_one_digit:
        one = find_digit(model, tile)
    if len(page.digits) > 1:
        return page if is_all_digits(model, tile, page) else reading_of(take_at_half(one))
    if one.confidence <= MIN_TILE_CONFIDENCE:
        return Reading("", ())
    if page.unread:
        return replace(reading_of(take_at_half(one)), unread=page.unread)
    return reading_of(one)


def is_all_digits(model: Model, tile: Photo, page: Reading) -> bool:
    """Say whether a larger sheet shows digits alone: a rule at the edge may look like a 1."""
    as_given = read_page(bundled_page_net(), model.probabilities, *tile)
    return as_given.text == page.text or not as_given.accepted


def reading_of(digit: Prediction) -> Reading:
    """Return the reading of a picture that shows one digit."""
    assert digit.box is not None
    number = Number(str(digit), (digit,), digit.box, 0, 0, digit.confidence, digit.accepted)
    return Reading(number.text, (digit,), (number,))


@overload
def test_single_image(single_image: Any, /) -> int | None: ...
@overload
def test_single_image(model: Model | str | Path, single_image: Any) -> int | None: ...
def test_single_image(model: Any, single_image: Any = NOT_GIVEN) -> int | None:
    """Return the digit alone, under the name that users of the original know.

    Args:
        model: As for predict.
        single_image: As for predict.
    """
    network, image = split_arguments("test_single_image", model, single_image)
    return next(predict_stream(network, [image])).digit


# pytest collects what starts with "test"
test_single_image.__test__ = False  # type: ignore[attr-defined]
