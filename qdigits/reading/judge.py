"""What each mark is: a small network hears both opinions of it and looks at its neighbours.

`python -m tools.fit_reading` fits it on drawn pages of validation writers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from qdigits.augment.pages.marks import CLASSES, OTHER
from qdigits.reading.detector import (
    BEST_DIGIT,
    DIGITS,
    FAINTEST,
    Mark,
    edges_of,
    logit,
    sigmoid,
)

NOTHING = len(CLASSES)
"""What a mark is that stands for no ink of its own: a false sighting."""
OUTCOMES = len(CLASSES) + 1
STEEPEST = 8.0
"""Logit: no opinion of the page network counts for more than that."""
LIKELY = 0.3
"""The page network's score from which a neighbour counts as a digit."""
FARTHEST = 3.0
"""Digit heights: a gap to a neighbour counts no further."""
TOO_SMALL = ".,:"
"""Signs so small that the tile network has nothing to say."""
IS_LARGE = np.array([name not in TOO_SMALL for name in CLASSES])
WORTH_ASKING = 0.15
"""The page network's score below which the tile network is not asked."""
LEAST_LOGIT = logit(WORTH_ASKING)


LAYERS = ("hidden", "outcome", "number", "single")
"""The parts of a judge that are linear maps."""


class Layer(NamedTuple):
    """A linear map: weights (inputs, outputs) and biases (outputs,)."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Judge:
    """Says what marks are, and how sure a number is.

    Attributes:
        hidden: From `describe_marks` to hidden units.
        outcome: From hidden units to CLASSES and NOTHING.
        number: Logistic regression on `describe_number`.
        threshold: Confidence from which a number is accepted.
        single: Logistic regression on `describe_single`.
        single_threshold: Confidence from which the one digit of a picture is accepted.
    """

    hidden: Layer
    outcome: Layer
    number: Layer
    threshold: float
    single: Layer
    single_threshold: float

    @classmethod
    def of(cls, card: dict[str, Any]) -> Judge:
        """Return the judge that the card of a page network carries."""
        kept = card["reading"]
        layers = {
            name: Layer(*(np.array(part, np.float32) for part in kept[name])) for name in LAYERS
        }
        return cls(**kept | layers)

    def outcomes(self, features: np.ndarray) -> np.ndarray:
        """Return the probabilities of CLASSES and NOTHING, (N, 17), for (N, features)."""
        hidden = np.maximum(features @ self.hidden.weight + self.hidden.bias, 0)
        scores = hidden @ self.outcome.weight + self.outcome.bias
        scores = np.exp(scores - scores.max(1, keepdims=True))
        return scores / scores.sum(1, keepdims=True)

    def number_confidence(self, features: np.ndarray) -> float:
        """Return the probability that all of a number is right."""
        return _logistic(self.number, features)

    def single_confidence(self, features: np.ndarray) -> float:
        """Return the probability that the one digit of a picture is right."""
        return _logistic(self.single, features)


def _logistic(layer: Layer, features: np.ndarray) -> float:
    return float(sigmoid(features @ layer.weight[:, 0] + layer.bias[0]))


def is_worth_asking(mark: Mark) -> bool:
    """Say whether a mark is worth the tile network's time."""
    return bool(mark.logits[IS_LARGE].max() > LEAST_LOGIT)


def describe_marks(
    marks: Sequence[Mark], opinions: np.ndarray, page: tuple[int, ...]
) -> np.ndarray:
    """Describe marks by what both networks say and by how they stand among the others.

    Args:
        marks: All marks of a page.
        opinions: The tile network's probabilities, (N, 10); what is missing to 1 is "no digit". A
            row of NaN: it was not asked.
        page: Height and width in pixels.

    Returns:
        float32 (N, features).
    """
    logits = np.array([mark.logits for mark in marks]).clip(-STEEPEST, STEEPEST)
    asked = ~np.isnan(opinions[:, :1])
    refused = 1 - opinions.sum(1, keepdims=True)
    opinions = np.concatenate([opinions, refused], 1).clip(FAINTEST, 1)
    shape = [
        [math.log(mark.seen_height / BEST_DIGIT), math.log(mark.width / mark.height)]
        for mark in marks
    ]
    printed = [[mark.printed] for mark in marks]
    parts = [
        logits / 4,
        np.where(asked, np.log(opinions) / 4 + 1, 0),
        asked,
        np.array(printed),
        np.array(shape),
        describe_neighbours(marks),
        describe_places(marks, page),
    ]
    return np.concatenate(parts, 1).astype(np.float32)


def describe_places(marks: Sequence[Mark], page: tuple[int, ...]) -> np.ndarray:
    """Describe where marks stand on their page.

    Returns:
        (N, 2): the room to the nearest edge in heights, negative where the mark is cut; the height
        against the page's likely digits.
    """
    left, top, right, bottom = edges_of(marks)
    height = bottom - top
    likely = height[digit_chances(marks) > LIKELY]
    usual = np.median(likely) if likely.size else height
    room = np.min([left, top, page[1] - right, page[0] - bottom], axis=0)
    return np.stack([np.clip(room / height, -0.5, 0.5), np.log(height / usual)], 1)


def describe_neighbours(marks: Sequence[Mark]) -> np.ndarray:
    """Describe how marks stand beside the digits around them.

    Returns:
        (N, 11): for the nearest mark on the left and on the right its gap in heights and how likely
        it is a digit and other ink; how likely that is on average of all marks beside it; height
        and place against the likely digits among them, and how many there are.
    """
    left, top, right, bottom = edges_of(marks)
    height = bottom - top
    centre = (left + right) / 2
    middle = (top + bottom) / 2
    digit = digit_chances(marks)
    other = sigmoid(np.array([mark.logits[OTHER] for mark in marks]))
    described = np.zeros((len(marks), 11))
    for one in range(len(marks)):
        unit = height[one]
        shared = np.minimum(bottom, bottom[one]) - np.maximum(top, top[one])
        level = shared > 0.3 * np.minimum(height, unit)
        level[one] = False
        for side, ahead in enumerate((centre < centre[one], centre > centre[one])):
            gaps = (left[one] - right if side == 0 else left - right[one]) / unit
            gaps = np.where(level & ahead, gaps, np.inf)
            place = int(gaps.argmin())
            seen = gaps[place] < FARTHEST
            told = gaps[place], digit[place], other[place]
            described[one, 3 * side : 3 * side + 3] = told if seen else (FARTHEST, 0, 0)
        apart = np.maximum(left[one] - right, left - right[one])
        near = (apart < FARTHEST * np.maximum(height, unit)) & level
        if near.any():
            described[one, 6:8] = digit[near].mean(), other[near].mean()
        near &= digit > LIKELY
        if near.any():
            usual = np.median(height[near])
            fall = (middle[one] - np.median(middle[near])) / usual
            described[one, 8:] = math.log(unit / usual), fall, min(near.sum(), 3) / 3
    return described


def digit_chances(marks: Sequence[Mark]) -> np.ndarray:
    """Return the page network's probability that each mark is its likeliest digit, (N,)."""
    return sigmoid(np.array([mark.logits[: len(DIGITS)].max() for mark in marks]))


def describe_number(confidences: Sequence[float], beside: Sequence[float]) -> np.ndarray:
    """Describe a number by how sure its parts are and by what stands unread beside it.

    Args:
        confidences: Of its digits and signs.
        beside: How likely each mark that touches it, and was not read, is something after all.
    """
    return np.array(
        [
            logit(math.prod(confidences)),
            logit(min(confidences)),
            math.log(len(confidences)),
            logit(max(beside, default=0.0)),
        ]
    )


def describe_single(found: float, whole: float, agree: bool, refused: float) -> np.ndarray:
    """Describe the two answers to a picture of one digit.

    Args:
        found: Confidence of the surest digit that the page network found; 0.0 without one.
        whole: The tile network's confidence in all the ink as one digit.
        agree: Both are the same digit.
        refused: How likely the surest mark that was not read is something after all.
    """
    return np.array([logit(found), logit(whole), float(agree), logit(refused)])
