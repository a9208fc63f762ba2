"""The ink on a photo: which is ink and which is paper, and what is left of noise."""

from typing import NamedTuple

import cv2
import numpy as np

from qdigits.imaging.constants import (
    HIGH_THRESHOLD,
    LOW_THRESHOLD,
    MAX_WORKING_SIDE,
    MIN_WORKING_SIDE,
    PAPER_SIDE,
)
from qdigits.imaging.paper import bare_paper, resize, subtract_plane

MIN_PAPER_BRIGHTNESS = 32  # below it a camera sees noise
SAMPLE_SIDE = 300  # the noise is measured on so many rows and columns
POLARITY_SIDE = 64  # so many pixels show which is ink and which is paper


class Polarity(NamedTuple):
    """Which of the two is ink, the bright or the dark."""

    ink_is_bright: bool
    ambiguous: bool  # it can't be told: try both


def find_ink(photo: np.ndarray, ink_is_bright: bool) -> tuple[np.ndarray, float]:
    """Find the ink on a photo, whatever the light, the colour of the paper and the polarity.

    Args:
        photo: uint8 (H, W, 3).
        ink_is_bright: Whether ink is brighter than paper, as find_polarity tells.

    Returns:
        The ink map at a working size, uint8 (h, w), ink up to 255 on 0; and how many photo pixels
        one of its pixels is.
    """
    # Work at a size where strokes are a few pixels wide; the paper shows at a smaller one.
    longest = max(photo.shape[:2])
    working_side = min(max(longest, MIN_WORKING_SIDE), MAX_WORKING_SIDE)
    scale = longest / working_side
    photo = resize(photo, 1 / scale)
    small = resize(photo, min(PAPER_SIDE / longest * scale, 1))
    if ink_is_bright:
        photo = cv2.bitwise_not(photo)
        small = cv2.bitwise_not(small)

    # Mix the three colours by how well each shows the ink.
    paper = bare_paper(small)
    weights = ink_contrast(paper, small)
    paper_grey = (paper @ weights).clip(0, 255).astype(np.float32)
    paper_grey = cv2.resize(paper_grey, photo.shape[1::-1])
    photo_grey = cv2.transform(photo, weights[None].astype(np.float32))
    marks = paper_grey - photo_grey

    # Light falls off towards a corner: ink takes the same share of it everywhere.
    brightness = np.maximum(paper_grey, MIN_PAPER_BRIGHTNESS)
    share = marks * 255 / brightness
    return normalize_contrast(share), scale


def ink_contrast(paper: np.ndarray, small: np.ndarray) -> np.ndarray:
    """Return how much each colour channel shows of the ink: (3,), which add up to 1.

    Args:
        paper: The bare sheet: (h, w, 3).
        small: The sheet with its marks: (h, w, 3).
    """
    darker = np.clip(paper - small, 0, None)
    marks = darker.reshape(-1, 3)
    darkness = marks.sum(1)
    strong = marks[darkness >= darkness.max() / 2]
    weights = strong.mean(0) ** 2 + 1e-6
    return weights / weights.sum()


def normalize_contrast(marks: np.ndarray) -> np.ndarray:
    """Scale marks so that strokes lie above HIGH_THRESHOLD, and faint lines and noise below.

    Noise becomes 0. The middle between strong and weak marks becomes HIGH_THRESHOLD.

    Args:
        marks: float32 (h, w), darkness of the marks.

    Returns:
        uint8 (h, w).

    Source: Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9(1).
    """
    floor = min(max(4 * measure_noise(marks), 10.0), 60.0)
    marks = marks.clip(0, 255)
    visible = marks[marks > floor].astype(np.uint8)
    if not visible.size:
        return np.zeros(marks.shape, np.uint8)
    otsu, _ = cv2.threshold(visible[:, None], 0, 255, cv2.THRESH_OTSU)
    middle = max(otsu, floor * HIGH_THRESHOLD / LOW_THRESHOLD)
    ink = cv2.convertScaleAbs(marks, alpha=HIGH_THRESHOLD / middle)
    scaled_floor = HIGH_THRESHOLD * floor / middle
    _, clean = cv2.threshold(ink, scaled_floor / 2, 0, cv2.THRESH_TOZERO)
    return clean


def measure_noise(marks: np.ndarray) -> float:
    """Measure the standard deviation of the noise between the marks, float32 (h, w)."""
    height, width = marks.shape
    step_y = max(height // SAMPLE_SIDE, 1)
    step_x = max(width // SAMPLE_SIDE, 1)
    sample = marks[::step_y, ::step_x]
    # 25 % of a normal distribution lie within 0.32 sigma, with half of the sheet inked still
    return quantile(np.abs(sample), 0.25) / 0.32


def quantile(values: np.ndarray, share: float) -> float:
    """Return the value that a share of all values lies below, without interpolation.

    np.quantile takes several times as long on pictures as small as a digit.
    """
    place = int(share * (values.size - 1))
    return float(np.partition(values, place, axis=None)[place])


def find_polarity(photo: np.ndarray) -> Polarity:
    """Tell ink from paper: ink is the lesser part, and leaves most of the picture's edge free.

    Args:
        photo: uint8 (H, W, 3).
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    factor = min(POLARITY_SIDE / max(grey.shape), 1)
    small = resize(grey, factor)
    flat = subtract_plane(small)
    edge = np.concatenate([flat[0], flat[-1], flat[:, 0], flat[:, -1]])
    middle = (flat.max() + flat.min()) / 2
    cubes = flat * flat * flat
    mean_size = np.abs(cubes).mean()
    skew = cubes.mean() / (mean_size + 1e-6)
    contrast = np.ptp(flat) + 1e-6
    edge_brightness = (np.median(edge) - middle) / contrast
    ink_is_bright = bool(skew - 2 * edge_brightness > 0)
    is_inked = (edge > middle) == ink_is_bright
    is_ambiguous = bool(is_inked.mean() > 0.2)
    return Polarity(ink_is_bright, is_ambiguous)
