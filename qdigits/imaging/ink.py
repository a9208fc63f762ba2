"""The ink on a photo: which is ink and which is paper, and what is left of noise."""

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
BOXED = 35  # the smallest box of a form, a third of the shortest underline (pixels)


def find_ink(photo: np.ndarray, ink_is_bright: bool) -> tuple[np.ndarray, float]:
    """The ink on a photo, whatever the light, the paper's colour, and whichever of the two is darker.

    Takes   uint8 (H, W, 3); whether ink is brighter than paper, as `find_polarity` tells.
    Gives   uint8 (h, w), ink up to 255 on paper 0, without a form's lines, at a working size; and how many photo pixels
            one of its pixels is.
    """
    longest = max(photo.shape[:2])
    scale = longest / min(max(longest, MIN_WORKING_SIDE), MAX_WORKING_SIDE)
    photo = resize(photo, 1 / scale)
    small = resize(photo, min(PAPER_SIDE / longest * scale, 1))
    if ink_is_bright:
        photo, small = cv2.bitwise_not(photo), cv2.bitwise_not(small)
    paper = bare_paper(small)
    marks = np.clip(paper - small, 0, None).reshape(-1, 3)
    weights = (
        marks[marks.sum(1) >= marks.sum(1).max() / 2].mean(0) ** 2 + 1e-6
    )  # the channels that show the ink
    weights /= weights.sum()
    bright = cv2.resize((paper @ weights).clip(0, 255).astype(np.float32), photo.shape[1::-1])
    marks = bright - cv2.transform(photo, weights[None].astype(np.float32))
    return erase_form_lines(
        normalize_contrast(marks * 255 / np.maximum(bright, MIN_PAPER_BRIGHTNESS))
    ), scale


def normalize_contrast(marks: np.ndarray) -> np.ndarray:
    """Noise to 0, the middle between strong and weak marks to HIGH_THRESHOLD: faint lines and what shines through stay below.

    Source  Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9(1).
    """
    sample = marks[:: max(marks.shape[0] // 300, 1), :: max(marks.shape[1] // 300, 1)]
    noise = (
        float(np.percentile(np.abs(sample), 25)) / 0.32
    )  # a normal distribution's; holds with half the sheet inked
    floor = min(max(4 * noise, 10.0), 60.0)
    marks = marks.clip(0, 255)
    strong = marks[marks > floor].astype(np.uint8)
    if not strong.size:
        return np.zeros(marks.shape, np.uint8)
    middle = max(
        cv2.threshold(strong[:, None], 0, 255, cv2.THRESH_OTSU)[0],
        floor * HIGH_THRESHOLD / LOW_THRESHOLD,
    )
    ink = cv2.convertScaleAbs(marks, alpha=HIGH_THRESHOLD / middle)
    return cv2.threshold(ink, HIGH_THRESHOLD * floor / middle / 2, 0, cv2.THRESH_TOZERO)[1]


def erase_form_lines(ink: np.ndarray) -> np.ndarray:
    """Boxes, combs, tables and underlines wiped out in place; strokes that cross them stay."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(
        (ink >= LOW_THRESHOLD).astype(np.uint8), connectivity=8
    )
    longest = boxes[:, 2:4].max(1) * (np.arange(len(boxes)) > 0)  # but not of the paper
    size = max(np.median(boxes[longest >= 10, 3]), BOXED) if longest.max() >= BOXED else BOXED
    found = np.flatnonzero(longest >= BOXED)
    nested = (
        boxes[found, 2:4].prod(1).sum() > 5 * ink.size
    )  # rings in rings are no form, and would take seconds
    for label in () if nested else found:
        left, top, width, height = boxes[label, :4]
        where = slice(top, top + height), slice(left, left + width)
        own = (labels[where] == label).astype(np.uint8)
        centre, (wide, high), angle = cv2.minAreaRect(cv2.findNonZero(own))
        if abs(angle) > 45:
            wide, high, angle = high, wide, angle - np.copysign(90, angle)
        turn, canvas = cv2.getRotationMatrix2D(centre, angle, 1), (int(wide) + 5, int(high) + 5)
        turn[:, 2] = turn[:, 2] + np.array(canvas) / 2 - centre
        upright = (cv2.warpAffine(own * 255, turn, canvas) > 64).astype(np.uint8)
        level, lines = _lines(upright, min(0.85 * wide, 1.5 * size))
        sheer, others = _lines(np.ascontiguousarray(upright.T), min(0.85 * high, 1.5 * size))
        corners = cv2.connectedComponents(level & sheer.T)[0] - 1
        if corners >= 4 and min(lines.any(0).mean(), others.any(0).mean()) > 0.7:
            lines |= others.T
        elif wide > 3 * size:
            _, lines = _lines(upright, 2.5 * size)
        else:
            continue
        lines = cv2.dilate(lines, np.ones((3, 3), np.uint8))
        ink[where][
            cv2.warpAffine(
                lines, turn, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            )
            > 0
        ] = 0
    return ink


def _lines(mark: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Where level lines of at least that length lie, and their pixels that no stroke crosses."""
    reach = int(length) | 1
    slack = np.ones((2 * (reach // 24) + 1, 1), np.uint8)  # paper bends, and cameras are held askew
    level = cv2.morphologyEx(cv2.dilate(mark, slack), cv2.MORPH_OPEN, np.ones((1, reach), np.uint8))
    lines, count = mark & level, cv2.connectedComponents(level)[0] - 1
    across = lines.sum(0)
    pen = round(float(np.percentile(across[across > 0], 80)) / count) if across.any() else 0
    crossing = cv2.morphologyEx(mark, cv2.MORPH_OPEN, np.ones((2 * pen + 1, 1), np.uint8))
    return level, np.where(crossing, 0, lines)


def find_polarity(photo: np.ndarray) -> tuple[bool, bool]:
    """Whether bright is ink, and whether that is in doubt: ink is the lesser part and leaves most of the edge free."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    rest = subtract_plane(resize(grey, min(64 / max(grey.shape), 1)))
    edge = np.concatenate([rest[0], rest[-1], rest[:, 0], rest[:, -1]])
    middle = (rest.max() + rest.min()) / 2
    cubes = rest * rest * rest
    skew = cubes.mean() / (np.abs(cubes).mean() + 1e-6)
    ink_is_bright = skew - 2 * (np.median(edge) - middle) / (np.ptp(rest) + 1e-6) > 0
    return bool(ink_is_bright), bool(((edge > middle) == ink_is_bright).mean() > 0.2)
