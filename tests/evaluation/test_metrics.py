"""Figures of merit agree with books and other libraries."""

import numpy as np
import pytest
import torch

from qdigits.evaluation.metrics import (
    CALIBRATION_BINS,
    Rate,
    auroc,
    calibration_error,
    edit_distance,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)],
)
def test_wilson_interval_agrees_with_newcombe_1998_table_1(right, count, low, high):
    assert wilson_interval(right, count) == pytest.approx((low, high), abs=1e-4)


def test_a_rate_of_nothing_has_a_share_and_the_widest_interval():
    nothing = Rate(0, 0)
    assert nothing.share == 0
    assert nothing.interval == pytest.approx((0, 0.79), abs=0.01)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    four_of_five = np.arange(1500) % 5 > 0
    assert calibration_error(np.full(1500, 0.8), four_of_five) == pytest.approx(0)
    assert calibration_error(np.full(1500, 0.8), np.zeros(1500)) == pytest.approx(0.8)


def test_calibration_error_agrees_with_torchmetrics_where_both_have_the_same_bins():
    metrics = pytest.importorskip("torchmetrics.classification")
    middles = (np.arange(CALIBRATION_BINS) + 0.5) / CALIBRATION_BINS
    confidence = np.repeat(middles, 40)  # bins of equal mass and of equal width are then the same
    right = np.random.default_rng(0).random(len(confidence)) < confidence
    oracle = metrics.BinaryCalibrationError(n_bins=CALIBRATION_BINS)
    expected = oracle(torch.tensor(confidence), torch.tensor(right.astype(int)))
    assert calibration_error(confidence, right) == pytest.approx(float(expected), abs=1e-6)


def test_auroc_is_one_where_every_positive_scores_higher():
    assert auroc(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1


def test_auroc_counts_a_tie_half():
    assert auroc(np.array([0.5]), np.array([0.5])) == 0.5


def test_auroc_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(0)
    positives = draw.normal(1, 1, 300).round(1)
    negatives = draw.normal(0, 1, 500).round(1)
    truth = np.repeat([1, 0], [300, 500])
    expected = metrics.roc_auc_score(truth, np.concatenate([positives, negatives]))
    assert auroc(positives, negatives) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "text", "edits"),
    [
        ("123/45", "123/45", 0),
        ("123", "", 3),
        ("", "7", 1),
        ("1234", "1334", 1),
        ("1234", "134", 1),
        ("1234", "12534", 1),
        ("kitten", "sitting", 3),
    ],
)
def test_edit_distance_counts_wrong_missing_and_invented_characters(truth, text, edits):
    assert edit_distance(truth, text) == edits
