"""Pictures of how an answer came about, for the page to show."""

import base64
import math
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from qdigits.data.sample import load_sample
from qdigits.imaging.decode import open_photo
from qdigits.imaging.tile import prepare
from qdigits.predictor import Model, Prediction

MIN_PREVIEW = 56  # pixels: smaller photos are enlarged
MAX_PREVIEW = 1200  # pixels: larger ones are reduced
PATCH = 5  # pixels of ink hidden at once, to see what it was worth
LIKE_BLUR = 1.5  # pixels: two digits are alike if their blurred ink is


def png(picture: np.ndarray) -> bytes:
    """Encode a grey or RGB picture, uint8 (H, W) or (H, W, 3), as a PNG file."""
    _, file = cv2.imencode(".png", _to_bgr(picture))
    return file.tobytes()


def _to_bgr(picture: np.ndarray) -> np.ndarray:
    """Return a grey picture as it is, and RGB in the order that OpenCV writes."""
    return picture[..., ::-1] if picture.ndim == 3 else picture


def data_url(file: bytes, kind: str = "png") -> str:
    """Write a picture file as a URL that holds it: there is nothing to fetch or to keep."""
    text = base64.b64encode(file).decode()
    return f"data:image/{kind};base64,{text}"


class Preview(NamedTuple):
    """A picture at a size for the screen."""

    url: str
    size: tuple[int, int]  # width and height of the original, which boxes are given in
    with_boxes: bool  # a tile is too small for boxes


def preview(source: Any) -> Preview:
    """Return a picture at a size for the screen: a tile as it is, a photo as a JPEG file."""
    photo, downscale = open_photo(source)
    height, width = photo.shape[:2]
    size = (round(width * downscale), round(height * downscale))
    if max(width, height) < MIN_PREVIEW:
        return Preview(data_url(png(photo)), size, with_boxes=False)
    scale = min(1, MAX_PREVIEW / max(width, height))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Preview(photo_url(small), size, with_boxes=True)


def photo_url(photo: np.ndarray) -> str:
    """Encode a photo, uint8 (H, W, 3), as the URL of a JPEG file."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 85]
    _, file = cv2.imencode(".jpg", _to_bgr(photo), quality)
    return data_url(file.tobytes(), "jpeg")


def pipeline_steps(
    model: Model, source: Any, found: Prediction, turned: int = 0
) -> dict[str, np.ndarray]:
    """Repeat the way of one digit from the photo to the answer.

    Args:
        model: The network that answered.
        source: The photo, as `read` takes it.
        found: The digit, as `read` gave it.
        turned: Quarters by which the photo was turned, as `read` gave them.

    Returns:
        A picture for each step, uint8, by what was done.
    """
    photo, downscale = open_photo(source)
    last = {
        "The tile it saw": found.tile,
        "What decided": occlusion_map(model, found.tile),
    }
    if found.box is None or photo.shape[:2] == found.tile.shape:
        return last
    left, top, right, bottom = (int(edge / downscale) for edge in found.box)
    margin = max(right - left, bottom - top) // 8
    rows = slice(max(top - margin, 0), bottom + margin)
    columns = slice(max(left - margin, 0), right + margin)
    around = np.ascontiguousarray(np.rot90(photo[rows, columns], -turned))
    once_more = prepare(around)
    first = {
        "Found here": around,
        "Light evened out": once_more.flattened,
        "Only the ink": once_more.ink,
    }
    return first | last


def occlusion_map(model: Model, tile: np.ndarray) -> np.ndarray:
    """Show which ink the answer rests on: the redder it is, the more the answer loses without it.

    Args:
        model: The network that answered.
        tile: What it saw, uint8 (28, 28).

    Returns:
        The tile in colour, uint8 (28, 28, 3), RGB.

    Source:
        Zeiler and Fergus 2014, arXiv:1311.2901 (occlusion).
    """
    size = tile.shape[0]
    centres = np.arange(0, size, 2)
    is_near = abs(centres[:, None] - np.arange(size)) <= PATCH // 2  # (14, 28)
    rows = is_near[:, None, :, None]
    columns = is_near[:, None, :]
    is_hidden = rows & columns  # (14, 14, 28, 28): a patch for each centre
    hides_ink = (is_hidden & (tile > 0)).any((2, 3))  # without ink nothing is lost
    patched = np.where(is_hidden[hides_ink], 0, tile)
    answers = model.probabilities(np.concatenate([tile[None], patched]))
    whole = answers[0]
    loss = np.zeros(hides_ink.shape, np.float32)
    left = np.maximum(answers[1:, whole.argmax()], 1e-6)
    loss[hides_ink] = np.log(whole.max() / left).clip(0)
    highest = max(float(loss.max()), 1e-6)
    share = cv2.resize(loss / highest, (size, size))[..., None] ** 0.5
    red = np.array([1.0, 0.25, 0.1])
    pale = np.array([0.7, 0.75, 0.8])
    colour = share * red + (1 - share) * pale
    grey = tile[..., None].astype(np.float32)
    return (grey * colour).astype(np.uint8)


def nearest_examples(found: Prediction) -> dict[str, np.ndarray]:
    """Find, for each of the two likeliest digits, the MNIST digit that looks most like the tile."""
    images, labels = load_sample()
    nearest = {}
    likeliest = np.argsort(found.probabilities)[:-3:-1]
    tile = _blur(found.tile)
    for digit in likeliest:
        own = labels == digit
        distances = np.square(_blurred_sample()[own] - tile).sum((1, 2))
        nearest[f"MNIST's nearest {digit}"] = images[own][distances.argmin()]
    return nearest


@cache
def _blurred_sample() -> np.ndarray:
    """Return the sample's digits, blurred, float32 (5000, 28, 28)."""
    images, _ = load_sample()
    return np.stack([_blur(image) for image in images])


def _blur(tile: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(tile.astype(np.float32), (0, 0), LIKE_BLUR)


def mosaic(maps: np.ndarray) -> np.ndarray:
    """Put the activations of a layer side by side in a square.

    Args:
        maps: (maps, h, w) of a convolution, or (units,) of a dense layer: a pixel for each unit.

    Returns:
        A grey picture, uint8; the strongest activation is white.
    """
    if maps.ndim == 1:
        maps = maps[:, None, None]
    count, height, width = maps.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    gap = 1 if height > 1 else 0  # between two maps
    row_height = height + gap
    column_width = width + gap
    size = (rows * row_height, columns * column_width)
    picture = np.full(size, 0.25, np.float32)
    strongest = max(float(maps.max()), 1e-6)
    for number, one in enumerate(maps):
        row, column = divmod(number, columns)
        y = row * row_height
        x = column * column_width
        picture[y : y + height, x : x + width] = one / strongest
    return (255 * picture).astype(np.uint8)


def weights_picture(weights: np.ndarray) -> np.ndarray:
    """Draw the weights of a unit: orange pixels speak for it, blue ones against it, black has none.

    Args:
        weights: One for each pixel of the tile, (784,).

    Returns:
        A picture, uint8 (28, 28, 3), RGB.
    """
    largest = max(float(abs(weights).max()), 1e-6)
    share = weights.reshape(28, 28, 1) / largest
    orange = np.array([255, 150, 40])
    blue = np.array([60, 150, 255])
    positive = share.clip(0)
    negative = (-share).clip(0)
    return (positive * orange + negative * blue).astype(np.uint8)


def square(picture: np.ndarray) -> np.ndarray:
    """Frame a picture so that it is as high as wide, uint8, on black."""
    height, width = picture.shape[:2]
    side = max(height, width)
    padding = [_halves(side - height), _halves(side - width)]
    padding += [(0, 0)] * (picture.ndim - 2)
    return np.pad(picture, padding)


def _halves(length: int) -> tuple[int, int]:
    """Split a whole number into two that differ by one at most."""
    return length // 2, (length + 1) // 2
