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
from qdigits.imaging.decode import Photo, open_photo
from qdigits.imaging.ink import Polarity, find_ink, find_polarity, quantile
from qdigits.imaging.paper import resize

MIN_DIGIT_SIDE = 8  # a smaller mark (pixels) is no digit
FAINTEST_INK = 20  # of an ink map, still inside the box of a digit


Box = tuple[int, int, int, int]  # left, top, right, bottom (pixels)


class Prepared(NamedTuple):
    """One digit and every step on its way: what the page shows as a strip of pictures."""

    photo: np.ndarray  # uint8 (H, W, 3), as opened
    downscale: float  # original pixels to one of the photo's
    flattened: np.ndarray  # uint8 (h, w), light evened out, ink 255 on paper 0
    ink: np.ndarray  # uint8 (h, w), only what belongs to the digit
    box: Box | None  # on this photo; None: nothing there
    tile: np.ndarray  # uint8 (28, 28)
    polarity_ambiguous: bool  # which is ink and which is paper can't be told: ask for both


class Steps(NamedTuple):
    """The part of Prepared that depends on which is ink."""

    flattened: np.ndarray
    ink: np.ndarray
    box: Box | None
    tile: np.ndarray


def prepare(source: Any, invert: bool = False) -> Prepared:
    """Turn one photographed digit into the tile that MNIST would have made of it.

    Args:
        source: What open_photo takes, or what it gave. A 28x28 picture on dark paper is a tile and
            stays unchanged.
        invert: Take ink for paper, for a second look where the first is ambiguous.

    Returns:
        The tile and the steps to it; without ink, its box is None and its tile black.

    Raises:
        ImageError: The picture cannot be read.

    Source: LeCun et al. 1998 (20x20 box, centre of mass); Yadav and Bottou 2019, arXiv:1905.10498.
    """
    photo, downscale = source if isinstance(source, Photo) else open_photo(source)
    is_tile = photo.shape[:2] == (TILE_SIZE, TILE_SIZE)
    if is_tile and has_black_frame(photo):
        polarity = Polarity(ink_is_bright=True, ambiguous=False)
    else:
        polarity = find_polarity(photo)
    ink_is_bright = polarity.ink_is_bright != invert
    is_ready = is_tile and ink_is_bright
    steps = keep_tile(photo) if is_ready else make_tile(photo, ink_is_bright)
    return Prepared(photo, downscale, *steps, polarity.ambiguous)


def keep_tile(photo: np.ndarray) -> Steps:
    """Take a picture as the tile that it is already."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    box = (0, 0, TILE_SIZE, TILE_SIZE)
    return Steps(grey, grey, box, grey)


def make_tile(photo: np.ndarray, ink_is_bright: bool) -> Steps:
    """Find the digit on a photo, and frame it."""
    flattened, scale = find_ink(photo, ink_is_bright)
    ink, ink_box = isolate_digit(flattened)
    if ink_box is None:
        blank = np.zeros((TILE_SIZE, TILE_SIZE), np.uint8)
        return Steps(flattened, ink, None, blank)
    left, top, right, bottom = ink_box
    digit = ink[top:bottom, left:right]
    box = enlarge_box(ink_box, scale)
    return Steps(flattened, ink, box, fit_tile(digit))


def has_black_frame(photo: np.ndarray) -> bool:
    """Say whether the outermost pixels, of 28x28, are all black, as on MNIST's tiles."""
    first_and_last = slice(None, None, TILE_SIZE - 1)
    return not (photo[first_and_last].any() or photo[:, first_and_last].any())


def is_framed(tile: np.ndarray) -> bool:
    """Say whether the ink of a tile is as narrow as the box of MNIST's digits: two are wider."""
    is_ink = tile > FAINTEST_INK
    _, _, width, _ = cv2.boundingRect(is_ink.astype(np.uint8))
    return width <= DIGIT_BOX


def enlarge_box(box: Box, scale: float) -> Box:
    """Return the box on a picture that is `scale` times as large; no ink is left outside."""
    left, top, right, bottom = box
    return (
        int(left * scale),
        int(top * scale),
        math.ceil(right * scale),
        math.ceil(bottom * scale),
    )


def isolate_digit(flattened: np.ndarray) -> tuple[np.ndarray, Box | None]:
    """Keep the heaviest mark and what lies close to it.

    Args:
        flattened: An ink map: uint8 (h, w).

    Returns:
        The ink map without everything else, and the box around the digit; None without a digit.
    """
    blank = np.zeros_like(flattened)
    if flattened.max() < HIGH_THRESHOLD:
        return blank, None
    mask = (flattened >= LOW_THRESHOLD).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    strong_labels = labels[flattened >= HIGH_THRESHOLD]
    strong_pixels = np.bincount(strong_labels, minlength=len(stats))
    has_strong = strong_pixels[1:] > 0  # label 0 is the paper
    boxes = stats[1:, :4]  # (marks, 4): left, top, width, height
    areas = stats[1:, 4] * has_strong
    heaviest = int(areas.argmax())
    size = max(boxes[heaviest, 2:])
    if size < MIN_DIGIT_SIDE:
        return blank, None

    is_close = distance_to_box(boxes, boxes[heaviest]) < 0.3 * size
    is_stroke = areas > 0.02 * areas[heaviest]
    kept_labels = np.flatnonzero(is_close & is_stroke) + 1
    return crop_mark(flattened, np.isin(labels, kept_labels))


def crop_mark(flattened: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, Box]:
    """Keep the ink under a mask, with its soft edges.

    Args:
        flattened: An ink map: uint8 (h, w).
        mask: Where the mark is: bool (h, w).

    Returns:
        The ink map without everything else, and the box around what is kept.
    """
    with_edges = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    ink = np.where(with_edges > 0, flattened, 0)
    is_visible = (ink > FAINTEST_INK).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(is_visible)
    return ink, (left, top, left + width, top + height)


def distance_to_box(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return how far each box lies from one box, along the axis on which it is farther.

    Args:
        boxes: (marks, 4): left, top, width, height.
        box: (4,), the same.

    Returns:
        (marks,) pixels; negative where they overlap.
    """
    left, top, width, height = box
    lefts, tops, widths, heights = boxes.T
    gap_x = np.maximum(lefts - (left + width), left - (lefts + widths))
    gap_y = np.maximum(tops - (top + height), top - (tops + heights))
    return np.maximum(gap_x, gap_y)


def fit_tile(ink: np.ndarray) -> np.ndarray:
    """Frame a crop of ink as MNIST does: longest side 20 pixels, centre of mass at (14, 14).

    Args:
        ink: uint8 (h, w), ink on 0.

    Returns:
        uint8 (28, 28), anti-aliased.
    """
    scale = DIGIT_BOX / max(ink.shape)
    small = resize(ink, scale).astype(np.float32)
    darkest = quantile(small, 0.98)
    small *= 255 / max(darkest, 1.0)
    height, width = small.shape
    mass = small.sum() or 1.0
    columns = small.sum(0)
    rows = small.sum(1)
    centre_x = (columns @ np.arange(width)) / mass
    centre_y = (rows @ np.arange(height)) / mass
    right = np.clip(round(TILE_CENTRE - centre_x), 0, TILE_SIZE - width)
    down = np.clip(round(TILE_CENTRE - centre_y), 0, TILE_SIZE - height)
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    grey = small.clip(0, 255).astype(np.uint8)
    return cv2.warpAffine(grey, shift, (TILE_SIZE, TILE_SIZE))
