"""Any array -> RGB uint8: the order of its axes, the scale of its numbers, its transparency."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from qdigits.errors import ImageError
from qdigits.imaging.constants import MAX_PIXELS, TILE_SIZE

MAX_SMALL_SCALE = 16  # scikit-learn's digits have numbers from 0 to 16
TILE_PIXELS = TILE_SIZE * TILE_SIZE
BARE_FRAME = 0.95  # share of the outermost pixels of tiles that are paper
MAX_TILE_SIDE = 64  # data sets of digits have tiles of 8 to 64 pixels, photographs have more


def to_rgb(array: Any) -> np.ndarray:
    """Return any array or tensor that is one picture as uint8 RGB.

    Args:
        array: (H, W), (H, W, C) or (C, H, W) with 1, 3 or 4 channels, or the 784 numbers of a tile.
            Leading axes of length 1 are dropped.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ImageError: The array is a batch, or no picture, or has over 50 megapixels.
    """
    if hasattr(array, "detach"):  # a tensor, without importing torch
        array = array.detach().cpu().numpy()
    array = one_picture(np.asarray(array))
    height, width = array.shape[:2]
    if not 0 < height * width <= MAX_PIXELS:
        raise ImageError(f"array of {width} x {height} pixels; 1 to {MAX_PIXELS:,} can be read")
    array = scale_to_uint8(array)
    if array.ndim == 3 and array.shape[2] == 4:
        return fill_transparency(array)
    if array.ndim == 3 and array.shape[2] == 3:
        return array
    return cv2.cvtColor(array, cv2.COLOR_GRAY2RGB)


def one_picture(array: np.ndarray) -> np.ndarray:
    """Return an array as (H, W) or (H, W, C), or refuse what may be several pictures.

    Raises:
        ImageError: The array is a batch, or no picture.
    """
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.size == TILE_PIXELS and array.ndim in (1, 2) and array.shape[-1] == TILE_PIXELS:
        array = array.reshape(TILE_SIZE, TILE_SIZE)  # a row of a table of digits
    if array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (1, 3, 4):
        array = move_channels_last(array)
    is_grey = array.ndim == 2
    is_colour = array.ndim == 3 and array.shape[2] in (1, 3, 4)
    if array.dtype.kind not in "biuf" or not (is_grey or is_colour):
        raise ImageError(
            f"array of shape {array.shape} and type {array.dtype} is no picture: give (H, W) or "
            "(H, W, 3), and a batch of pictures to predict_many"
        )
    if is_grey and is_table_of_tiles(array):
        raise ImageError(
            f"array of shape {array.shape} has {len(array)} tiles, one a row; give them to "
            "predict_many"
        )
    return array


def move_channels_last(array: np.ndarray) -> np.ndarray:
    """Turn (C, H, W) into (H, W, C), unless it may be three or four tiles of different digits.

    Raises:
        ImageError: The picture is as small as a tile, and its channels differ.
    """
    is_small = max(array.shape[1:]) <= MAX_TILE_SIDE
    if is_small and not (array[1:3] == array[0]).all():
        count, height, width = array.shape
        raise ImageError(
            f"array of shape {array.shape} may be {count} tiles or one colour picture: give tiles "
            f"to predict_many, or the colour picture as ({height}, {width}, {count})"
        )
    return np.moveaxis(array, 0, 2)


def is_table_of_tiles(array: np.ndarray) -> bool:
    """Say whether (N, 784) has a tile in each row: ink in all, and hardly any on their frames."""
    if array.shape[1] != TILE_PIXELS or array.shape[0] < 2:
        return False
    tiles = array.reshape(-1, TILE_SIZE, TILE_SIZE)
    rows = tiles[:, [0, -1]].ravel()
    columns = tiles[:, :, [0, -1]].ravel()
    frames = np.concatenate([rows, columns])
    paper = np.median(frames)
    bare_share = (frames == paper).mean()
    has_ink = (tiles != paper).any((1, 2))
    return bool(bare_share > BARE_FRAME and has_ink.all())


def scale_to_uint8(array: np.ndarray) -> np.ndarray:
    """Scale numbers to 0..255, by what they show.

    They may be normalised to mean 0, lie in 0..1, in 0..16 or in 0..255, or have more than 8 bits.

    Raises:
        ImageError: A value is not finite.
    """
    if array.dtype == np.uint8:
        is_mask = array.max() == 1
        levels = array * np.uint8(255) if is_mask else array
        return np.ascontiguousarray(levels)
    values = array.astype(np.float32)
    low = float(values.min())
    high = float(values.max())
    if not math.isfinite(low + high):
        raise ImageError("array with values that are not finite")
    is_normalised = low < 0
    is_sixteenths = array.dtype.kind == "f" and 1 < high <= MAX_SMALL_SCALE
    if is_normalised or is_sixteenths:
        values = values - low
        top = high - low
    elif high <= 1:
        top = 1.0
    else:
        bits = max(8, math.ceil(math.log2(high + 1)))
        top = 2.0**bits - 1
    factor = 255 / max(top, 1e-6)
    levels = np.rint(values * factor)
    return levels.clip(0, 255).astype(np.uint8)


def fill_transparency(rgba: np.ndarray) -> np.ndarray:
    """Return RGBA as RGB; transparent parts become paper.

    Paper is the opposite of the ink, or the colour of the sheet when most of the picture is opaque.

    Args:
        rgba: uint8 (H, W, 4).

    Returns:
        uint8 (H, W, 3).
    """
    colour = rgba[..., :3]
    if rgba[..., 3].min() == 255:
        return np.ascontiguousarray(colour)
    alpha = rgba[..., 3:].astype(np.uint16)
    opaque = colour[alpha[..., 0] > 127]
    if len(opaque) * 2 > alpha.size:
        sample = opaque[:: len(opaque) // 10_000 + 1]
        backdrop = np.median(sample, axis=0).astype(np.uint16)
    else:
        ink_is_bright = len(opaque) and opaque.mean() > 127
        backdrop = np.uint16(0 if ink_is_bright else 255)
    mixed = colour * alpha  # in place from here on: each copy of 50 megapixels takes 300 MB
    mixed += backdrop * (255 - alpha) + 127
    mixed //= 255
    return mixed.astype(np.uint8)
