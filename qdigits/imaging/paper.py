"""The bare sheet of paper under the strokes."""

from functools import lru_cache

import cv2
import numpy as np


def bare_paper(small: np.ndarray) -> np.ndarray:
    """The bare sheet under the marks: everything up to a few strokes wide is closed."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    flat = subtract_plane(grey)
    side = min(grey.shape) // 2
    marks = closing(flat, side) - flat
    found = (marks > marks.max() / 2).astype(np.uint8)
    depth = cv2.distanceTransform(
        cv2.copyMakeBorder(found, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3
    )
    ridge = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3))))]
    stroke = 2 * np.percentile(ridge, 90) if ridge.size else 1.0
    side = int(min(max(4 * stroke, 9), side))
    flats = [subtract_plane(channel) for channel in cv2.split(small)]
    return small + np.stack([closing(flat, side) - flat for flat in flats], 2)


def closing(image: np.ndarray, side: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side | 1, side | 1))
    closed = cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel)
    return cv2.GaussianBlur(closed, (side | 1, side | 1), 0)


def subtract_plane(grey: np.ndarray) -> np.ndarray:
    """What is left of a picture when the plane through most of its pixels (least absolute deviation) is taken off."""
    coarse = resize(grey, min(64 / max(grey.shape), 1))
    terms, values = _plane_terms(*coarse.shape), coarse.reshape(-1).astype(np.float32)
    weight = np.ones(len(values), np.float32)
    for _ in range(4):
        weighted = terms * weight
        plane = np.linalg.solve(weighted @ terms.T + 1e-3 * np.eye(3), weighted @ values)
        rest = np.abs(values - plane @ terms)
        weight = 1 / (rest + 0.1 * rest.mean() + 1e-3)
    level, slope_x, slope_y = plane.astype(np.float32)
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in grey.shape)
    return grey - (level + slope_x * x + slope_y * y[:, None])


@lru_cache(maxsize=64)  # of small pictures, and most of them alike
def _plane_terms(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    return np.stack([np.ones_like(x), x, y]).reshape(3, -1)


def resize(image: np.ndarray, factor: float) -> np.ndarray:
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
