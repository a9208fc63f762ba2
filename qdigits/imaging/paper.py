"""The bare sheet of paper under the strokes."""

from functools import lru_cache

import cv2
import numpy as np

PLANE_SIDE = 64  # a plane is fitted to so many pixels
PLANE_ROUNDS = 4  # of reweighting, from least squares to least absolute deviation


def bare_paper(small: np.ndarray) -> np.ndarray:
    """Return the bare sheet under the marks: everything up to a few strokes wide is closed.

    Args:
        small: uint8 (h, w, 3), dark ink on bright paper, of about PAPER_SIDE pixels.

    Returns:
        float32 (h, w, 3).
    """
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    half = min(grey.shape) // 2
    marks = _fill_needed(grey, half)
    a_few_strokes = max(4 * stroke_width(marks), 9)
    side = int(min(a_few_strokes, half))
    fills = [_fill_needed(channel, side) for channel in cv2.split(small)]
    return small + np.stack(fills, 2)


def _fill_needed(channel: np.ndarray, side: int) -> np.ndarray:
    """Return by how much each pixel is darker than the sheet closed over `side` pixels."""
    flat = subtract_plane(channel)
    return closing(flat, side) - flat


def stroke_width(marks: np.ndarray) -> float:
    """Measure how wide the widest strokes are (pixels), along their middle lines.

    Args:
        marks: float32 (h, w), ink on 0.
    """
    is_strong = marks > marks.max() / 2
    strong = is_strong.astype(np.uint8)
    framed = cv2.copyMakeBorder(strong, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)
    deepest_near = cv2.dilate(depth, np.ones((3, 3)))
    is_ridge = (depth > 0) & (depth >= deepest_near)
    if not is_ridge.any():
        return 1.0
    half_width = np.percentile(depth[is_ridge], 90)
    return 2 * float(half_width)


def closing(image: np.ndarray, side: int) -> np.ndarray:
    """Fill what is darker than its surroundings and narrower than `side` pixels, smoothly."""
    odd = side | 1
    size = (odd, odd)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    closed = cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel)
    return cv2.GaussianBlur(closed, size, 0)


def subtract_plane(grey: np.ndarray) -> np.ndarray:
    """Take the plane through most of a picture's pixels off it: light that falls from one side.

    Args:
        grey: uint8 or float32 (h, w).

    Returns:
        float32 (h, w), 0 on the plane.

    Source: iteratively reweighted least squares for the least absolute deviation.
    """
    factor = min(PLANE_SIDE / max(grey.shape), 1)
    coarse = resize(grey, factor)
    terms = _plane_terms(*coarse.shape)  # (3, pixels)
    values = coarse.reshape(-1).astype(np.float32)
    weight = np.ones(len(values), np.float32)
    for _ in range(PLANE_ROUNDS):
        weighted = terms * weight
        normal_matrix = weighted @ terms.T + 1e-3 * np.eye(3)
        plane = np.linalg.solve(normal_matrix, weighted @ values)
        distance = np.abs(values - plane @ terms)
        mean_distance = distance.mean()
        weight = 1 / (distance + 0.1 * mean_distance + 1e-3)
    level, slope_x, slope_y = plane.astype(np.float32)
    height, width = grey.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)
    light = level + slope_x * x + slope_y * y[:, None]
    return grey - light


@lru_cache(maxsize=64)  # most pictures of a folder have the same size
def _plane_terms(height: int, width: int) -> np.ndarray:
    places = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    y, x = places.astype(np.float32)
    level = np.ones_like(x)
    terms = np.stack([level, x, y])
    return terms.reshape(3, -1)


def resize(image: np.ndarray, factor: float) -> np.ndarray:
    """Return a picture `factor` times as large: averaged when smaller, bicubic when larger."""
    height, width = image.shape[:2]
    new_width = max(round(width * factor), 1)
    new_height = max(round(height * factor), 1)
    size = (new_width, new_height)
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=interpolation)
