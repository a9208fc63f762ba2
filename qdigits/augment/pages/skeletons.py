"""Digits as the line that a pen's tip drew, so that they can be written again with any pen.

A digit is kept as the distance of each pixel from that line: it can be enlarged smoothly, and a
pen of any width is a threshold on it.
"""

from __future__ import annotations

import cv2
import numpy as np

DETAIL = 2
"""Times a tile is enlarged before its middle line is looked for."""
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
    solid = np.stack(
        [cv2.resize(tile, (side, side), interpolation=cv2.INTER_CUBIC) for tile in tiles]
    )
    lines = thin(np.pad(solid > 110, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN))))
    return [_field(line) for line in lines]


def _field(line: np.ndarray) -> np.ndarray:
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
    for _ in range(MOST_PASSES):
        before = cv2.countNonZero(stacked)
        for removed in (_removed(first=True), _removed(first=False)):
            around = cv2.filter2D(stacked, -1, kernel, borderType=cv2.BORDER_CONSTANT)
            stacked &= 1 - np.asarray(cv2.LUT(around, removed), np.uint8)
        if cv2.countNonZero(stacked) == before:
            break
    return stacked.reshape(solid.shape).astype(bool)


def _removed(first: bool) -> np.ndarray:
    """Return 1 for each of 256 neighbourhoods whose middle is taken away in a half pass."""
    around = np.arange(256)[:, None] >> np.arange(8) & 1  # (256, 8), in the order of NEIGHBOURS
    count = around.sum(1)
    changes = ((around == 0) & (np.roll(around, -1, 1) == 1)).sum(1)
    north, east, south, west = around[:, ::2].T
    if first:
        blocked = (north & east & south) | (east & south & west)
    else:
        blocked = (north & east & west) | (north & south & west)
    return ((count >= 2) & (count <= 6) & (changes == 1) & (blocked == 0)).astype(np.uint8)


def write_line(
    field: np.ndarray, height: float, widen: float, turn: float, slant: float, pen: float
) -> np.ndarray:
    """Write a digit again, `height` pixels high, with a pen `pen` pixels wide; float32 ink."""
    tall, wide = field.shape
    scale = max(height - pen, 2) / max(tall - 2 * MARGIN, 0.6 * (wide - 2 * MARGIN), 1)
    across = scale * widen
    lean = slant + turn
    edge = MARGIN * scale  # of the field, beyond which there is no ink
    out_height = int(tall * scale + abs(turn) * wide * across) + 4
    out_width = int(wide * across + abs(lean) * tall * scale) + 4
    x, y = (wide - 1) / 2, (tall - 1) / 2
    right = (out_width - 1) / 2 - across * x + lean * scale * y
    down = (out_height - 1) / 2 - turn * across * x - scale * y
    matrix = np.array([[across, -lean * scale, right], [turn * across, scale, down]])
    distance = cv2.warpAffine(
        field.astype(np.float32), matrix, (out_width, out_height), borderValue=255.0
    )
    distance *= (scale + across) / 2 / UNITS
    ink = min(pen / 2, edge - 1) + 0.5 - distance if edge > 2 else pen / 2 + 0.5 - distance
    return np.minimum(np.maximum(ink, 0), 1)
