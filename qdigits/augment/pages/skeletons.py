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
    lines = thin(np.pad(solid, ((0, 0), margin, margin)))
    return [_field(line) for line in lines]


def _field(line: np.ndarray) -> np.ndarray:
    """Return the distance from a line, bool (H, W), with MARGIN around it."""
    distance = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    left, top, width, height = cv2.boundingRect(line.astype(np.uint8))
    distance = cv2.GaussianBlur(distance, (0, 0), SMOOTHING)
    distance = np.maximum(distance - distance[line].mean(), 0)
    rows = slice(max(top - MARGIN, 0), top + height + MARGIN)
    columns = slice(max(left - MARGIN, 0), left + width + MARGIN)
    return np.minimum(distance[rows, columns] * UNITS, 255).astype(np.uint8)


def thin(solid: np.ndarray) -> np.ndarray:
    """Thin bool pictures (N, H, W), blank at their edges, to lines of one pixel.

    Source: Zhang and Suen 1984, "A fast parallel algorithm for thinning digital patterns".
    """
    stacked = solid.reshape(-1, solid.shape[2]).astype(np.uint8)
    kernel = np.zeros((3, 3), np.float32)  # a bit for each neighbour
    for bit, (down, right) in enumerate(NEIGHBOURS):
        kernel[1 + down, 1 + right] = 2**bit
    half_passes = (_removed(first=True), _removed(first=False))
    for _ in range(MOST_PASSES):
        before = cv2.countNonZero(stacked)
        for removed in half_passes:
            around = cv2.filter2D(stacked, -1, kernel, borderType=cv2.BORDER_CONSTANT)
            taken_away = np.asarray(cv2.LUT(around, removed), np.uint8)
            stacked &= 1 - taken_away
        if cv2.countNonZero(stacked) == before:
            break
    return stacked.reshape(solid.shape).astype(bool)


def _removed(first: bool) -> np.ndarray:
    """Return 1 for each of 256 neighbourhoods whose middle is taken away in a half pass."""
    patterns = np.arange(256)
    around = patterns[:, None] >> np.arange(8) & 1  # (256, 8), in the order of NEIGHBOURS
    count = around.sum(1)
    after = np.roll(around, -1, 1)
    changes = ((around == 0) & (after == 1)).sum(1)
    north, east, south, west = around[:, ::2].T
    if first:
        blocked = (north & east & south) | (east & south & west)
    else:
        blocked = (north & east & west) | (north & south & west)
    is_edge = (count >= 2) & (count <= 6)
    is_removed = is_edge & (changes == 1) & (blocked == 0)
    return is_removed.astype(np.uint8)


def write_line(
    field: np.ndarray, height: float, widen: float, turn: float, slant: float, pen: float
) -> np.ndarray:
    """Write a digit again, `height` pixels high, with a pen `pen` pixels wide; float32 ink."""
    tall, wide = field.shape
    line_height = tall - 2 * MARGIN
    line_width = wide - 2 * MARGIN
    scale = max(height - pen, 2) / max(line_height, 0.6 * line_width, 1)
    place = Placement(scale, scale * widen, turn, slant + turn)
    new_width = int(wide * place.across + abs(place.lean) * tall * scale) + 4
    new_height = int(tall * scale + abs(turn) * wide * place.across) + 4
    new_size = (new_width, new_height)
    matrix = place.matrix((wide, tall), new_size)
    distance = cv2.warpAffine(field.astype(np.float32), matrix, new_size, borderValue=255.0)
    distance *= (scale + place.across) / 2 / UNITS

    reach = pen / 2
    edge = MARGIN * scale  # of the field, beyond which there is no ink
    if edge > 2:
        reach = min(reach, edge - 1)
    ink = reach + 0.5 - distance
    return np.minimum(np.maximum(ink, 0), 1)
