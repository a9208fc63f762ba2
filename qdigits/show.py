"""What the page shows besides answers: pictures of how an answer came about, and the digits as files to keep."""

import io
import zipfile
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from .image import annotate, find_ink, open_photo
from .read import Model, Prediction, Reading

WIDEST = 1200  # pixels of a preview
PATCH = 5  # pixels of ink taken away at once, to see what it was worth


def preview(source: Any, reading: Reading) -> bytes:
    """The photo with its boxes, small enough for a screen: a JPEG file."""
    picture, file = annotate(source, reading), io.BytesIO()
    picture.thumbnail((WIDEST, WIDEST))
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def png(picture: np.ndarray) -> bytes:
    """A grey picture as a PNG file."""
    return cv2.imencode(".png", picture)[1].tobytes()


def steps(model: Model, source: Any, found: Prediction) -> dict[str, np.ndarray]:
    """The way of one digit from the photo to the answer: what was done, and what it looked like then."""
    photo = open_photo(source)
    if found.box is None or photo.shape[:2] == found.tile.shape:
        return {"The tile it saw": found.tile, "What decided": decisive(model, found.tile)}
    evened, scale = find_ink(photo)
    margin = max(found.box[2] - found.box[0], found.box[3] - found.box[1]) // 4
    left, top = (max(edge - margin, 0) for edge in found.box[:2])
    right, bottom = (edge + margin for edge in found.box[2:])
    small = [round(edge / scale) for edge in (left, top, right, bottom)]
    return {
        "Found here": photo[top:bottom, left:right],
        "Light evened out": evened[small[1] : small[3], small[0] : small[2]],
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
    hidden = near[:, None, :, None] & near[:, None, :]  # (14, 14, 28, 28): the patch around every other pixel
    whole = model.probabilities(tile[None])[0]
    left = model.probabilities(np.where(hidden, 0, tile).reshape(-1, size, size))[:, whole.argmax()]
    loss = np.log(whole.max() / np.maximum(left, 1e-6)).clip(0).reshape(len(middles), -1).astype(np.float32)
    share = cv2.resize(loss / max(float(loss.max()), 1e-6), (size, size))[..., None]
    grey = tile[..., None].astype(np.float32)
    return (grey * (share * [1.0, 0.30, 0.15] + (1 - share) * [0.55, 0.6, 0.65])).astype(np.uint8)


def labelled_folder(digits: Iterable[tuple[np.ndarray, int]]) -> bytes:
    """Tiles and what they really are, as a zip of the folders 0/ to 9/ that `qdigits train --data folder` takes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, (tile, label) in enumerate(digits):
            archive.writestr(f"{label}/{number:04}.png", png(tile))
    return file.getvalue()
