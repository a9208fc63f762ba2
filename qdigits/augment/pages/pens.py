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
        middle_x, middle_y = _middle_pixel(size)
        new_x, new_y = _middle_pixel(new_size)
        right = new_x - self.across * middle_x + shear * middle_y
        down = new_y - rise * middle_x - self.scale * middle_y
        row_x = [self.across, -shear, right]
        row_y = [rise, self.scale, down]
        return np.array([row_x, row_y])


def _middle_pixel(size: tuple[int, int]) -> tuple[float, float]:
    """Return the place (x, y) of the middle of a picture of a size (width, height)."""
    width, height = size
    return (width - 1) / 2, (height - 1) / 2


def tight(ink: np.ndarray) -> np.ndarray | None:
    """Crop float ink (H, W) to its marks; None where there are none."""
    is_ink = ink > LEAST_INK
    left, top, width, height = cv2.boundingRect(is_ink.view(np.uint8))
    if height < 2:
        return None
    return ink[top : top + height, left : left + width]


def stretch_tail(ink: np.ndarray, factor: float) -> np.ndarray:
    """Make the lower half of a digit longer: float32 ink (H, W)."""
    half = ink.shape[0] // 2
    upper = ink[:half]
    lower = ink[half:]
    tall, wide = lower.shape
    new_height = max(round(tall * factor), 1)
    size = (wide, new_height)
    longer = cv2.resize(lower, size, interpolation=cv2.INTER_LINEAR)
    return np.vstack([upper, longer])


def write_tile(
    tile: np.ndarray,
    height: float,
    widen: float,
    turn: float,
    slant: float,
    thickness: float,
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
    if scale < 0.75:
        tile = _soften(tile)
        tall, wide = tile.shape
    place = Placement(scale, scale * widen, turn, slant + turn)
    new_width = wide * place.across + abs(place.lean) * height
    new_height = tall * scale + abs(turn) * wide * place.across
    new_size = (int(new_width) + 8, int(new_height) + 8)
    matrix = place.matrix((wide, tall), new_size)
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(tile, matrix, new_size, flags=interpolation)
    ink = warped.astype(np.float32) * np.float32(1 / 255)
    return tight(change_thickness(ink, scale, thickness))


def _soften(tile: np.ndarray) -> np.ndarray:
    """Widen the strokes of a tile a little, so that none is lost between fewer pixels."""
    framed = cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return cv2.GaussianBlur(framed, (3, 3), 0)


def change_thickness(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Make lines thinner or thicker, and their edges as sharp as a pen's."""
    if thickness < -0.3 and scale > 1.3:
        ink = _thin(ink, scale, thickness)
    elif thickness > 0.4:
        ink = _thicken(ink, scale, thickness)
    elif thickness < 0 and scale <= 1.3:
        shrunk = cv2.erode(ink, _square(2))
        share = min(-0.7 * thickness, 0.7)
        ink = ink + (shrunk - ink) * share
    if scale > 1.2:
        ink = _sharpen(ink, scale)
    return np.minimum(np.maximum(ink, 0), 1)


def _square(side: int) -> np.ndarray:
    """Return the neighbourhood of `side` pixels each way, over which ink grows or shrinks."""
    return np.ones((side, side), np.uint8)


def _thin(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Keep what is near the ridge of each line: a fine pen in place of a broad one."""
    soft = cv2.GaussianBlur(ink, (0, 0), 0.75 * scale)
    side = 2 * round(1.5 * scale) + 1
    darkest_near = cv2.dilate(soft, _square(side))
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
    share = min((thickness - 0.4) / 0.6, 1)
    return ink + (grown - ink) * share


def _sharpen(ink: np.ndarray, scale: float) -> np.ndarray:
    """Give enlarged ink the edges of a pen: else the pixels of the tile stay visible."""
    if scale > 2:
        ink = cv2.GaussianBlur(ink, (0, 0), 0.4 * scale)
    gain = min(1 + 0.9 * (scale - 1.2), 6)
    return (ink - 0.45) * gain + 0.45


def write_glyph(
    ink: np.ndarray,
    scale: float,
    widen: float = 1.0,
    slant: float = 0.0,
    thickness: float = 0.0,
) -> np.ndarray:
    """Draw a glyph's float32 ink (H, W) at another scale."""
    tall, wide = ink.shape
    width = max(round(wide * scale * widen), 1)
    height = max(round(tall * scale), 1)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    written = cv2.resize(ink, (width, height), interpolation=interpolation)
    if abs(slant) > 0.02 and height > 5:
        written = _slant(written, slant)
    if thickness > 0.5 and height > 10:
        grown = cv2.dilate(written, _square(2))
        written = written + (grown - written) * (thickness - 0.5)
    return written


def _slant(ink: np.ndarray, slant: float) -> np.ndarray:
    """Shear ink (H, W), its lower edge staying where it is; positive leans to the right."""
    height, width = ink.shape
    lean = slant * height
    new_width = width + int(abs(lean)) + 1
    right = max(lean, 0)
    matrix = np.array([[1, -slant, right], [0, 1, 0]])
    return cv2.warpAffine(ink, matrix, (new_width, height))
