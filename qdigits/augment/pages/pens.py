"""Pens: how a tile of handwriting or a glyph becomes ink of a given size, slant and thickness."""

from __future__ import annotations

import cv2
import numpy as np

LEAST_INK = 0.25
"""Darkness from which a pixel counts as part of a mark."""


def tight(ink: np.ndarray) -> np.ndarray | None:
    """Crop float ink (H, W) to its marks; None where there are none."""
    left, top, width, height = cv2.boundingRect((ink > LEAST_INK).view(np.uint8))
    if height < 2:
        return None
    return ink[top : top + height, left : left + width]


def stretch_tail(ink: np.ndarray, factor: float) -> np.ndarray:
    """Make the lower half of a digit longer: float32 ink (H, W)."""
    half = ink.shape[0] // 2
    lower = ink[half:]
    size = lower.shape[1], max(round(lower.shape[0] * factor), 1)
    return np.vstack([ink[:half], cv2.resize(lower, size, interpolation=cv2.INTER_LINEAR)])


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
    if scale < 0.75:
        tile = cv2.GaussianBlur(
            cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_CONSTANT), (3, 3), 0
        )
        tall, wide = tile.shape
    across = scale * widen
    lean = slant + turn
    out_height = int(tall * scale + abs(turn) * wide * across) + 8
    out_width = int(wide * across + abs(lean) * height) + 8
    x, y = (wide - 1) / 2, (tall - 1) / 2  # the middle, which stays there
    right = (out_width - 1) / 2 - across * x + lean * scale * y
    down = (out_height - 1) / 2 - turn * across * x - scale * y
    matrix = np.array([[across, -lean * scale, right], [turn * across, scale, down]])
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(tile, matrix, (out_width, out_height), flags=interpolation)
    ink = warped.astype(np.float32) * np.float32(1 / 255)
    return tight(change_thickness(ink, scale, thickness))


def change_thickness(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Make lines thinner or thicker, and their edges as sharp as a pen's."""
    if thickness < -0.3 and scale > 1.3:
        ink = _thin(ink, scale, thickness)
    elif thickness > 0.4:
        size = 3 if scale < 2.2 else 2 * int(scale * 0.55) + 1
        grown = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        ink = ink + (grown - ink) * min((thickness - 0.4) / 0.6, 1)
    elif thickness < 0 and scale <= 1.3:
        shrunk = cv2.erode(ink, np.ones((2, 2), np.uint8))
        ink = ink + (shrunk - ink) * min(-0.7 * thickness, 0.7)
    if scale > 1.2:
        if scale > 2:
            ink = cv2.GaussianBlur(ink, (0, 0), 0.4 * scale)  # else pixels of the tile stay visible
        gain = min(1 + 0.9 * (scale - 1.2), 6)
        ink = (ink - 0.45) * gain + 0.45
    return np.minimum(np.maximum(ink, 0), 1)


def _thin(ink: np.ndarray, scale: float, thickness: float) -> np.ndarray:
    """Keep what is near the ridge of each line: a fine pen in place of a broad one."""
    soft = cv2.GaussianBlur(ink, (0, 0), 0.75 * scale)
    size = 2 * round(1.5 * scale) + 1
    ridge = soft / np.maximum(cv2.dilate(soft, np.ones((size, size), np.uint8)), 0.2)
    level = 0.6 + 0.27 * min(-thickness, 1.0)
    return np.clip((ridge - level) * (1.6 / (1 - level) / 2.0) + 0.5, 0, 1) * (soft > 0.25)


def write_glyph(
    ink: np.ndarray, scale: float, widen: float, slant: float, thickness: float
) -> np.ndarray:
    """Draw a glyph's float32 ink (H, W) at another scale."""
    tall, wide = ink.shape
    size = max(round(wide * scale * widen), 1), max(round(tall * scale), 1)
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if abs(slant) > 0.02 and size[1] > 5:
        lean = slant * size[1]
        matrix = np.array([[1, -slant, max(lean, 0)], [0, 1, 0]])
        small = cv2.warpAffine(small, matrix, (size[0] + int(abs(lean)) + 1, size[1]))
    if thickness > 0.5 and size[1] > 10:
        grown = cv2.dilate(small, np.ones((2, 2), np.uint8))
        small = small + (grown - small) * (thickness - 0.5)
    return small
