"""One digit on a photo -> the 28x28 tile that MNIST would have made of it."""

import math
from typing import Any, NamedTuple

import cv2
import numpy as np

from qdigits.imaging.constants import (
    DIGIT_BOX,
    HIGH_THRESHOLD,
    LOW_THRESHOLD,
    TILE_CENTRE,
    TILE_SIZE,
)
from qdigits.imaging.decode import open_photo
from qdigits.imaging.ink import find_ink, find_polarity

MIN_DIGIT_SIDE = 8  # a smaller mark (pixels) is no digit


class Prepared(NamedTuple):
    """One digit and every step on its way: what the page shows as a strip of pictures."""

    photo: np.ndarray  # uint8 (H, W, 3), as opened
    downscale: float  # original pixels to one of the photo's
    flattened: np.ndarray  # uint8 (h, w), light evened out, ink 255 on paper 0
    ink: np.ndarray  # uint8 (h, w), only what belongs to the digit
    box: (
        tuple[int, int, int, int] | None
    )  # left, top, right, bottom on this photo; None: nothing there
    tile: np.ndarray  # uint8 (28, 28)
    polarity_ambiguous: bool  # which is ink and which is paper can't be told: ask for both


def prepare(source: Any, invert: bool = False) -> Prepared:
    """One photographed digit as the tile MNIST would have made of it.

    Takes   whatever open_photo takes; a 28x28 picture on dark paper is a tile already and passes unchanged;
            invert: take ink for paper, for a second look where the first is in doubt.
    Gives   Prepared; without ink, its box is None and its tile black.
    Raises  ImageError, as open_photo does.
    Source  LeCun et al. 1998 (20x20 box, centre of mass); Yadav and Bottou 2019, arXiv:1905.10498.
    """
    photo, downscale = open_photo(source)
    small = photo.shape[:2] == (TILE_SIZE, TILE_SIZE)
    framed = small and not (
        photo[[0, -1]].any() or photo[:, [0, -1]].any()
    )  # as MNIST's are, in black: no doubt
    ink_is_bright, polarity_ambiguous = (True, False) if framed else find_polarity(photo)
    if small and ink_is_bright != invert:
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        return Prepared(
            photo, downscale, grey, grey, (0, 0, TILE_SIZE, TILE_SIZE), grey, polarity_ambiguous
        )
    flattened, scale = find_ink(photo, ink_is_bright != invert)
    ink, box = _one_digit(flattened)
    if box is None:
        return Prepared(
            photo,
            downscale,
            flattened,
            ink,
            None,
            np.zeros((TILE_SIZE, TILE_SIZE), np.uint8),
            polarity_ambiguous,
        )
    left, top, right, bottom = box
    on_photo = (
        int(left * scale),
        int(top * scale),
        math.ceil(right * scale),
        math.ceil(bottom * scale),
    )
    return Prepared(
        photo,
        downscale,
        flattened,
        ink,
        on_photo,
        fit_tile(ink[top:bottom, left:right]),
        polarity_ambiguous,
    )


def _one_digit(flattened: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int] | None]:
    """The heaviest mark and what lies close to it."""
    mask = (flattened >= LOW_THRESHOLD).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if flattened.max() < HIGH_THRESHOLD:
        return np.zeros_like(flattened), None
    solid = np.bincount(labels[flattened >= HIGH_THRESHOLD], minlength=len(stats))[1:]
    boxes, areas = stats[1:, :4], stats[1:, 4] * (solid > 0)
    main = int(areas.argmax())
    left, top, width, height = boxes[main]
    if max(width, height) < MIN_DIGIT_SIDE:
        return np.zeros_like(flattened), None
    reach = 0.3 * max(width, height)
    gap_x = np.maximum(boxes[:, 0] - (left + width), left - (boxes[:, 0] + boxes[:, 2]))
    gap_y = np.maximum(boxes[:, 1] - (top + height), top - (boxes[:, 1] + boxes[:, 3]))
    keep = (np.maximum(gap_x, gap_y) < reach) & (areas > 0.02 * areas[main])
    chosen = np.isin(labels, np.flatnonzero(keep) + 1).astype(np.uint8)
    ink = np.where(cv2.dilate(chosen, np.ones((3, 3), np.uint8)) > 0, flattened, 0)
    left, top, width, height = cv2.boundingRect((ink > 20).astype(np.uint8))
    return ink, (left, top, left + width, top + height)


def fit_tile(ink: np.ndarray) -> np.ndarray:
    """A crop of ink as MNIST frames it: longest side 20 pixels, anti-aliased, centre of mass at (14, 14).

    Takes   uint8 (h, w), ink on 0.
    Gives   uint8 (28, 28).
    """
    scale = DIGIT_BOX / max(ink.shape)
    size = (max(round(ink.shape[1] * scale), 1), max(round(ink.shape[0] * scale), 1))
    small = cv2.resize(
        ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    ).astype(np.float32)
    small *= 255 / max(float(np.percentile(small, 98)), 1.0)
    mass = small.sum() or 1.0
    x = TILE_CENTRE - (small.sum(0) @ np.arange(size[0])) / mass
    y = TILE_CENTRE - (small.sum(1) @ np.arange(size[1])) / mass
    right, down = (
        np.clip(round(x), 0, TILE_SIZE - size[0]),
        np.clip(round(y), 0, TILE_SIZE - size[1]),
    )
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(small.clip(0, 255).astype(np.uint8), shift, (TILE_SIZE, TILE_SIZE))
