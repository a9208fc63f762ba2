"""What two networks' opinions are worth together, fitted on drawn pages of validation writers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qdigits.reading.detector import CLASSES, DIGITS, OTHER, Mark

MAY_BE = 0.15  # the page network's score below which the tile network isn't asked
DOTS = ".,:"  # too small to be digits
FAINTEST = 1e-4  # probability: no opinion counts for more than that
STEEPEST = 8.0  # logit: neither does the page network's


@dataclass(frozen=True)
class Calibration:
    """The few numbers that join the opinions; `tools/fit_reading.py` fits them.

    A digit's class: softmax of page_weight * logit + tile_weight * log probability. That it is a
    digit at all, and that all of a number is right: logistic regressions.
    """

    page_weight: float = 1.1916
    tile_weight: float = 0.4368
    is_digit: tuple[float, ...] = (1.5435, 2.2189, -0.0759, 0.0739, 0.068, 0.194)
    """Bias, then the weights of `features`."""
    number: tuple[float, ...] = (0.0631, 0.1262, 0.5205)
    """Bias, weight of the product's logit, weight of the least sure digit's logit."""
    keep: float = 0.47
    threshold: float = 0.95

    @staticmethod
    def of(net: Any) -> Calibration:
        """Return the calibration that a page network carries."""
        kept = getattr(net, "card", {}).get("reading")
        return Calibration(**kept) if kept else Calibration()

    def may_be_digit(self, mark: Mark) -> bool:
        """Say whether a mark is worth the tile network's time."""
        digit = float(mark.logits[: len(DIGITS)].max()) > math.log(MAY_BE / (1 - MAY_BE))
        return digit or (mark.score > MAY_BE and CLASSES[mark.label] not in DOTS)

    def digit_probabilities(self, mark: Mark, opinion: np.ndarray) -> np.ndarray:
        """Join both networks' opinions of one mark.

        Args:
            mark: with the page network's logits.
            opinion: the tile network's probabilities, (10,); what is missing to 1 is "no digit".

        Returns:
            float (10,): probabilities of each digit; their sum is that of being a digit.
        """
        logits = np.clip(mark.logits[: len(DIGITS)], -STEEPEST, STEEPEST)
        scores = self.page_weight * logits
        scores = scores + self.tile_weight * np.log(opinion + FAINTEST)
        classes = np.exp(scores - scores.max())
        bias, *weights = self.is_digit
        is_digit = _sigmoid(bias + float(np.dot(weights, features(mark, opinion))))
        return is_digit * classes / classes.sum()

    def number_confidence(self, confidences: Sequence[float]) -> float:
        """Return the probability that all of a number is right, from those of its parts."""
        bias, product_weight, least_weight = self.number
        product = _logit(math.prod(confidences))
        least = _logit(min(confidences))
        return _sigmoid(bias + product_weight * product + least_weight * least)


def features(mark: Mark, opinion: np.ndarray) -> np.ndarray:
    """Return what tells a digit from other ink: the page network's logits, the tile network's two.

    The tile network takes any stroke for a 1, so its opinion that something is a 1 counts apart.
    """
    digit = float(np.clip(mark.logits[: len(DIGITS)].max(), -STEEPEST, STEEPEST))
    other = float(np.clip(mark.logits[OTHER], -STEEPEST, STEEPEST))
    sign = float(np.clip(mark.logits[len(DIGITS) : OTHER].max(), -STEEPEST, STEEPEST))
    one = float(opinion[1])
    return np.array([digit, other, sign, _logit(one), _logit(float(opinion.sum()) - one)])


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))


def _logit(probability: float) -> float:
    probability = min(max(probability, FAINTEST), 1 - FAINTEST)
    return math.log(probability / (1 - probability))
