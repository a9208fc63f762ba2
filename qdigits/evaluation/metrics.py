"""Figures of merit, each defined once for the package and the benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

CALIBRATION_BINS = 15  # of equal mass
Z_95 = 1.959964  # the normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Rate:
    """So many right answers out of so many."""

    right: int
    count: int

    @property
    def share(self) -> float:
        """The share of right answers, 0 to 1."""
        return self.right / max(self.count, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the share."""
        return wilson_interval(self.right, self.count)


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share that was counted.

    Unlike the normal approximation it holds near 0 and 1, where our figures lie.

    Args:
        right: How many answers were right.
        count: How many answers were given.

    Returns:
        The lower and the upper end, 0 to 1.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    count = max(count, 1)
    share = right / count
    squared_z = Z_95 * Z_95
    shrink = 1 + squared_z / count
    middle = (share + squared_z / (2 * count)) / shrink
    variance = share * (1 - share) / count + squared_z / (4 * count * count)
    half = Z_95 * math.sqrt(variance) / shrink
    lower = max(0.0, middle - half)
    upper = min(1.0, middle + half)
    return lower, upper


def calibration_bins(confidence: np.ndarray) -> list[np.ndarray]:
    """Divide answers into bins of equal mass, from the least to the most confident.

    Args:
        confidence: The confidence of each answer, (N,).

    Returns:
        The indices of the answers in each bin; empty bins are left out.
    """
    order = np.argsort(confidence, kind="stable")
    bins = np.array_split(order, CALIBRATION_BINS)
    return [members for members in bins if len(members)]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy.

    Args:
        confidence: The confidence of each answer, (N,), 0 to 1.
        right: Whether each answer was right, (N,).

    Returns:
        The error over bins of equal mass, 0 to 1.

    Source:
        Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    weighted_gaps = 0.0
    for members in calibration_bins(confidence):
        accuracy = right[members].mean()
        claimed = confidence[members].mean()
        gap = abs(accuracy - claimed)
        weighted_gaps += len(members) * gap
    return float(weighted_gaps / len(confidence))


def auroc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Return how often a positive scores above a negative; a tie counts half.

    Args:
        positives: Scores that should be high, (N,).
        negatives: Scores that should be low, (M,).

    Returns:
        The area under the ROC curve, 0 to 1.
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    below_or_equal = np.searchsorted(ordered, positives, "right")
    return float(np.mean([below, below_or_equal]) / len(negatives))


def edit_distance(truth: str, text: str) -> int:
    """Return how many characters are wrong, missing or invented (Levenshtein).

    Args:
        truth: What should have been read.
        text: What was read.
    """
    costs = list(range(len(text) + 1))  # from the truth read so far to each start of the text
    for row, wanted in enumerate(truth, 1):
        diagonal = costs[0]
        costs[0] = row
        for column, got in enumerate(text, 1):
            substituted = diagonal + (wanted != got)
            invented = costs[column - 1] + 1
            missing = costs[column] + 1
            diagonal = costs[column]
            costs[column] = min(substituted, invented, missing)
    return costs[-1]
