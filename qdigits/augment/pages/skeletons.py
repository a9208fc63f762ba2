"""Digits as the line that a pen's tip drew, so that they can be written again with any pen.

A digit is kept as the distance of each pixel from that line: it can be enlarged smoothly, and a
pen of any width is a threshold on it.
"""

from __future__ import annotations

import cv2
import numpy as np

from qdigits.augment.pages.pens import Placement

DETAIL = 2
"""Times a tile is enlarged before its middle line is looked for."""
SOLID = 110
"""Grey level above which a pixel belongs to a stroke."""
MARGIN = 8
"""Pixels around the line, at that size."""
MOST_PASSES = 12
SMOOTHING = 1.0
"""Pixels over which a line's steps are evened out."""
UNITS = 16
"""Distances are kept in sixteenths of a pixel."""
NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def distance_fields(tiles: np.ndarray) -> list[np.ndarray]:
    """Return each tile's distance from its middle line, uint8 (H, W), with MARGIN around it.

    Args:
        tiles: uint8 (N, 28, 28), ink 255.
    """
    side = DETAIL * tiles.shape[1]
    size = (side, side)
    enlarged = [cv2.resize(tile, size, interpolation=cv2.INTER_CUBIC) for tile in tiles]
    solid = np.stack(enlarged) > SOLID
    margin = (MARGIN, MARGIN)
    framed = np.pad(solid, ((0, 0), margin, margin))
    return [_field(line) for line in thin(framed)]


def _field(line: np.ndarray) -> np.ndarray:
    """Return the distance from a line, bool (H, W), with MARGIN around it."""
    paper = (~line).astype(np.uint8)
    distance = cv2.distanceTransform(paper, cv2.DIST_L2, cv2.DIST_MASK_5)
    distance = cv2.GaussianBlur(distance, (0, 0), SMOOTHING)
    distance = np.maximum(distance - distance[line].mean(), 0)
    left, top, width, height = cv2.boundingRect(line.astype(np.uint8))
    rows = _with_margin(top, height)
    columns = _with_margin(left, width)
    kept = distance[rows, columns] * UNITS
    return np.minimum(kept, 255).astype(np.uint8)


def _with_margin(start: int, length: int) -> slice:
    """Return so many rows or columns from `start` on, with MARGIN on either side."""
    first = max(start - MARGIN, 0)
    return slice(first, start + length + MARGIN)


def thin(solid: np.ndarray) -> np.ndarray:
    """Thin bool pictures (N, H, W), blank at their edges, to lines of one pixel.

    Source: Zhang and Suen 1984, "A fast parallel algorithm for thinning digital patterns".
    """
    _, _, width = solid.shape
    stacked = solid.reshape(-1, width).astype(np.uint8)
    half_passes = (_removed(first=True), _removed(first=False))
    for _ in range(MOST_PASSES):
        before = cv2.countNonZero(stacked)
        for removed in half_passes:
            patterns = _neighbour_patterns(stacked)
            taken_away = np.asarray(cv2.LUT(patterns, removed), np.uint8)
            stacked &= 1 - taken_away
        is_thin = cv2.countNonZero(stacked) == before
        if is_thin:
            break
    return stacked.reshape(solid.shape).astype(bool)


def _neighbour_patterns(picture: np.ndarray) -> np.ndarray:
    """Return for each pixel a number whose bits are its NEIGHBOURS: uint8 (H, W)."""
    kernel = np.zeros((3, 3), np.float32)
    for bit, (down, right) in enumerate(NEIGHBOURS):
        kernel[1 + down, 1 + right] = 2**bit
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_CONSTANT)


def _removed(first: bool) -> np.ndarray:
    """Return 1 for each of 256 neighbourhoods whose middle is taken away in a half pass."""
    patterns = np.arange(256)
    around = patterns[:, None] >> np.arange(8) & 1  # (256, 8), in the order of NEIGHBOURS
    count = around.sum(1)
    after = np.roll(around, -1, 1)
    is_change = (around == 0) & (after == 1)
    changes = is_change.sum(1)
    north, east, south, west = around[:, ::2].T
    lower_right = east & south & (north | west)
    upper_left = north & west & (east | south)
    blocked = lower_right if first else upper_left
    is_edge = (count >= 2) & (count <= 6)
    is_removed = is_edge & (changes == 1) & (blocked == 0)
    return is_removed.astype(np.uint8)


def write_line(
    field: np.ndarray,
    height: float,
    widen: float,
    turn: float,
    slant: float,
    pen: float,
) -> np.ndarray:
    """Write a digit again, `height` pixels high, with a pen `pen` pixels wide; float32 ink."""
    tall, wide = field.shape
    line_height = tall - 2 * MARGIN
    line_width = wide - 2 * MARGIN
    room = max(height - pen, 2)
    scale = room / max(line_height, 0.6 * line_width, 1)
    place = Placement(scale, scale * widen, turn, slant + turn)
    new_width = wide * place.across + abs(place.lean) * tall * scale
    new_height = tall * scale + abs(turn) * wide * place.across
    new_size = (int(new_width) + 4, int(new_height) + 4)
    matrix = place.matrix((wide, tall), new_size)
    units = field.astype(np.float32)
    distance = cv2.warpAffine(units, matrix, new_size, borderValue=255.0)
    mean_scale = (scale + place.across) / 2
    distance *= mean_scale / UNITS

    reach = pen / 2
    edge = MARGIN * scale  # of the field, beyond which there is no ink
    if edge > 2:
        reach = min(reach, edge - 1)
    ink = reach + 0.5 - distance
    return np.minimum(np.maximum(ink, 0), 1)
