"""Pens: how a tile of handwriting or a glyph becomes ink of a given size, slant and thickness."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

LEAST_INK = 0.25
"""Darkness from which a pixel counts as part of a mark."""


class Placement(NamedTuple):
    """How a picture is enlarged, turned and slanted around its middle."""

    scale: float
    """Of its height."""
    across: float
    """Of its width."""
    turn: float
    """Radians."""
    lean: float
    """Shear; positive leans to the right."""

    def matrix(self, size: tuple[int, int], new_size: tuple[int, int]) -> np.ndarray:
        """Return the affine map (2, 3) between pictures of two sizes (width, height)."""
        shear = self.lean * self.scale
        rise = self.turn * self.across
        middle_x, middle_y = ((side - 1) / 2 for side in size)
        new_x, new_y = ((side - 1) / 2 for side in new_size)
        right = new_x - self.across * middle_x + shear * middle_y
        down = new_y - rise * middle_x - self.scale * middle_y
        return np.array([[self.across, -shear, right], [rise, self.scale, down]])


def tight(ink: np.ndarray) -> np.ndarray | None:
    """Crop float ink (H, W) to its marks; None where there are none."""
    left, top, width, height = cv2.boundingRect((ink > LEAST_INK).view(np.uint8))
    if height < 2:
        return None
    return ink[top : top + height, left : left + width]


def stretch_tail(ink: np.ndarray, factor: float) -> np.ndarray:
    """Make the lower half of a digit longer: float32 ink (H, W)."""
    half = ink.shape[0] // 2
    upper = ink[:half]
    lower = ink[half:]
    tall, wide = lower.shape
    size = (wide, max(round(tall * factor), 1))
    longer = cv2.resize(lower, size, interpolation=cv2.INTER_LINEAR)
    return np.vstack([upper, longer])


def write_tile(
    tile: np.ndarray, height: float, widen: float, turn: float, slant: float, thickness: float
) -> np.ndarray | None:
    """Draw a cropped uint8 tile `height` pixels high, as float32 ink.

    Args:
        tile: uint8 (H, W), ink 255.
        height: Pixels.
        widen: Width as a multiple of the tile's own.
        turn: Radians.
        slant: Shear; positive leans to the right.
        thickness: -1 for the thinnest line, 0 as it was written, 1 for the thickest.
    """
    tall, wide = tile.shape
    scale = height / max(tall, 0.6 * wide)
    if scale < 0.75:  # so that thin strokes are not lost between pixels
        tile = cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        tile = cv2.GaussianBlur(tile, (3, 3), 0)
        tall, wide = tile.shape
    place = Placement(scale, scale * widen, turn, slant + turn)
    new_width = int(wide * place.across + abs(place.lean) * height) + 8
    new_height = int(tall * scale + abs(turn) * wide * place.across) + 8
    new_size = (new_width, new_height)
    matrix = place.matrix((wide, tall), new_size)
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(tile, matrix, new_size, flags=interpolation)
    ink = warped.astype(np.float32) * np.float32(1 / 255)
    return tight(change_thickness(ink, scale, thickness))


def change_thickness(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Make lines thinner or thicker, and their edges as sharp as a pen's."""
    if thickness < -0.3 and scale > 1.3:
        ink = _thin(ink, scale, thickness)
    elif thickness > 0.4:
        ink = _thicken(ink, scale, thickness)
    elif thickness < 0 and scale <= 1.3:
        shrunk = cv2.erode(ink, np.ones((2, 2), np.uint8))
        ink = ink + (shrunk - ink) * min(-0.7 * thickness, 0.7)
    if scale > 1.2:
        ink = _sharpen(ink, scale)
    return np.minimum(np.maximum(ink, 0), 1)


def _thin(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Keep what is near the ridge of each line: a fine pen in place of a broad one."""
    soft = cv2.GaussianBlur(ink, (0, 0), 0.75 * scale)
    side = 2 * round(1.5 * scale) + 1
    darkest_near = cv2.dilate(soft, np.ones((side, side), np.uint8))
    ridge = soft / np.maximum(darkest_near, 0.2)
    level = 0.6 + 0.27 * min(-thickness, 1.0)
    steepness = 1.6 / (1 - level) / 2.0
    fine = np.clip((ridge - level) * steepness + 0.5, 0, 1)
    return fine * (soft > 0.25)


def _thicken(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Grow lines by up to half a pixel of the tile on either side."""
    side = 3 if scale < 2.2 else 2 * int(scale * 0.55) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.dilate(ink, kernel)
    return ink + (grown - ink) * min((thickness - 0.4) / 0.6, 1)


def _sharpen(ink: np.ndarray, scale: float) -> np.ndarray:
    """Give enlarged ink the edges of a pen: else the pixels of the tile stay visible."""
    if scale > 2:
        ink = cv2.GaussianBlur(ink, (0, 0), 0.4 * scale)
    gain = min(1 + 0.9 * (scale - 1.2), 6)
    return (ink - 0.45) * gain + 0.45


def write_glyph(
    ink: np.ndarray, scale: float, widen: float = 1.0, slant: float = 0.0, thickness: float = 0.0
) -> np.ndarray:
    """Draw a glyph's float32 ink (H, W) at another scale."""
    tall, wide = ink.shape
    width = max(round(wide * scale * widen), 1)
    height = max(round(tall * scale), 1)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    written = cv2.resize(ink, (width, height), interpolation=interpolation)
    if abs(slant) > 0.02 and height > 5:
        lean = slant * height
        matrix = np.array([[1, -slant, max(lean, 0)], [0, 1, 0]])
        new_width = width + int(abs(lean)) + 1
        written = cv2.warpAffine(written, matrix, (new_width, height))
    if thickness > 0.5 and height > 10:
        grown = cv2.dilate(written, np.ones((2, 2), np.uint8))
        written = written + (grown - written) * (thickness - 0.5)
    return written
