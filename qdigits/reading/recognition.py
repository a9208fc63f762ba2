"""What a found digit is: its own ink, framed as a tile for the tile network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from qdigits.imaging.constants import HIGH_THRESHOLD, LOW_THRESHOLD, TILE_SIZE
from qdigits.imaging.ink import MIN_PAPER_BRIGHTNESS, find_polarity, normalize_contrast
from qdigits.imaging.paper import resize
from qdigits.imaging.tile import fit_tile
from qdigits.reading.detector import Mark, edges_of

Classifier = Callable[[np.ndarray], np.ndarray]  # uint8 (N, 28, 28) -> probabilities (N, 10)

ROOM = 0.2  # mark heights of paper around a crop
OWN_SHARE = 0.5  # of a piece of ink that must lie in a mark's box to belong to it
LARGE_ENOUGH = 40  # pixels of a mark's height: twice what a tile shows
VISIBLE = 20  # grey level from which ink counts for the box around it
BLANK = np.zeros((TILE_SIZE, TILE_SIZE), np.uint8)
VOTES = 12  # marks that decide whether ink is brighter than paper


class Crop(NamedTuple):
    """A part of a page: where it lies, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, photo: np.ndarray) -> np.ndarray:
        """Return this part of a photo (H, W, ...)."""
        return photo[self.top : self.bottom, self.left : self.right]


def draw_tiles(photo: np.ndarray, marks: Sequence[Mark]) -> np.ndarray:
    """Frame the ink of each mark as MNIST frames a digit.

    Args:
        photo: uint8 (H, W, 3).
        marks: places on the photo.

    Returns:
        uint8 (N, 28, 28), ink 255 on paper 0; a place without ink is black.
    """
    if not marks:
        return np.zeros((0, TILE_SIZE, TILE_SIZE), np.uint8)
    crops = [_crop(mark, photo.shape) for mark in marks]
    brighter = _ink_is_bright(photo, crops)
    left, top, right, bottom = edges_of(marks)
    tiles = []
    for place, (mark, crop) in enumerate(zip(marks, crops, strict=True)):
        meets = (
            (left < crop.right) & (crop.left < right) & (top < crop.bottom) & (crop.top < bottom)
        )
        meets[place] = False
        neighbours = [marks[other] for other in np.flatnonzero(meets).tolist()]
        tiles.append(_tile(photo, crop, mark, neighbours, brighter))
    return np.stack(tiles)


def _crop(mark: Mark, shape: tuple[int, ...]) -> Crop:
    """Return a mark's box and some paper around it, at least one pixel of the page."""
    height, width = shape[:2]
    room = ROOM * max(mark.height, 0.5 * mark.width) + 1
    left = max(int(mark.left - room), 0)
    top = max(int(mark.top - room), 0)
    right = min(int(mark.right + room) + 2, width)
    bottom = min(int(mark.bottom + room) + 2, height)
    return Crop(
        left=min(left, right - 1),
        top=min(top, bottom - 1),
        right=max(right, left + 1),
        bottom=max(bottom, top + 1),
    )


def _ink_is_bright(photo: np.ndarray, crops: list[Crop]) -> bool:
    """Let the marks vote on which is ink: the lesser part of each crop."""
    step = len(crops) // VOTES + 1
    voters = crops[::step]
    votes = [find_polarity(crop.of(photo))[0] for crop in voters]
    return bool(np.mean(votes) > 0.5)


def _tile(
    photo: np.ndarray,
    crop: Crop,
    mark: Mark,
    neighbours: list[Mark],
    brighter: bool,
) -> np.ndarray:
    """Cut one mark's ink out of its surroundings."""
    scale = max(mark.height / LARGE_ENOUGH, 1.0)
    part = resize(crop.of(photo), 1 / scale)
    ink = _even_ink(part, brighter, mark.height / scale)
    if ink.max() < HIGH_THRESHOLD:
        return BLANK
    distance = _distance(mark, crop, ink.shape, scale)
    for other in neighbours:
        ink[_distance(other, crop, ink.shape, scale) < distance] = 0
    ink = _own_pieces(ink, distance < 1.15)
    is_visible = (ink > VISIBLE).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(is_visible)
    if not width or ink.max() < HIGH_THRESHOLD:
        return BLANK
    return fit_tile(ink[top : top + height, left : left + width])


def _even_ink(part: np.ndarray, brighter: bool, height: float) -> np.ndarray:
    """Subtract the paper around a digit: uint8 (h, w), ink up to 255 on paper 0.

    Args:
        part: uint8 (h, w, 3).
        brighter: whether ink is brighter than paper.
        height: of the digit, in pixels; its strokes are less than half as wide.
    """
    values = cv2.bitwise_not(part) if brighter else part
    side = max(int(height / 2) | 1, 7)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    without_strokes = cv2.morphologyEx(values, cv2.MORPH_CLOSE, kernel)
    paper = cv2.blur(without_strokes, (side, side)).astype(np.float32)
    marks = paper - values
    total = cv2.transform(marks, np.ones((1, 3), np.float32))
    is_strong = total >= total.max() / 2
    strong = marks[is_strong].clip(0)
    weights = strong.mean(0) ** 2 + 1e-6  # the channels that show the ink count
    weights /= weights.sum()
    brightness = np.maximum(cv2.transform(paper, weights[None]), MIN_PAPER_BRIGHTNESS)
    return normalize_contrast(cv2.transform(marks, weights[None]) * 255 / brightness)


def _distance(mark: Mark, crop: Crop, shape: tuple[int, int], scale: float) -> np.ndarray:
    """Return how far each pixel lies from a mark's centre; 1.0 on the edge of its box."""
    height, width = shape
    x = (np.arange(width) + 0.5) * scale + crop.left
    y = (np.arange(height) + 0.5) * scale + crop.top
    middle_x = (mark.left + mark.right) / 2
    middle_y = (mark.top + mark.bottom) / 2
    across = np.abs(x - middle_x) / max(mark.width / 2, 0.5)
    down = np.abs(y - middle_y) / max(mark.height / 2, 0.5)
    return np.maximum(across[None, :], down[:, None])


def _own_pieces(ink: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Keep the connected pieces of ink that lie mostly inside; cut off what others have outside."""
    is_ink = (ink >= LOW_THRESHOLD).astype(np.uint8)
    count, labels = cv2.connectedComponents(is_ink, connectivity=8)
    total = np.bincount(labels.ravel(), minlength=count)
    within = np.bincount(labels[inside], minlength=count)
    own = within > OWN_SHARE * total
    own[0] = False
    kept = own[labels]
    all_within = within[1:].sum()  # without the paper
    kept_within = within[own].sum()
    if kept.any() and kept_within >= 0.5 * all_within:
        with_edges = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8))
        return np.where(with_edges > 0, ink, 0)
    return np.where(inside, ink, 0)  # a rule runs through it, or ink that was written over
