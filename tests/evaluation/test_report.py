"""A report counts what there is to count, and survives its file."""

import numpy as np
import pytest

from qdigits.evaluation.metrics import Rate
from qdigits.evaluation.report import Report, build_report
from tests.evaluation.support import answer


@pytest.fixture
def report(digits):
    return build_report(answer(digits, wrong=(0, 7, 20)), digits, model="mlp", data="sample test")


def test_right_answers_are_counted_over_all_and_by_class(report):
    assert report.all == Rate(597, 600)
    assert report.wrong_in_10000 == pytest.approx(50)
    assert report.classes["0"] == Rate(58, 60)
    assert report.classes["7"] == Rate(59, 60)


def test_every_digit_counts_for_one_writer_and_one_series(report):
    assert sum(rate.count for rate in report.writers.values()) == 600
    assert set(report.series) == {"0", "1"}


def test_confusions_are_counted_by_truth_and_answer(report):
    assert report.confusion[0][1] == 2
    assert report.confusion[7][8] == 1
    assert np.sum(report.confusion) == 600


def test_mistakes_keep_their_pictures(report, digits):
    assert [mistake.index for mistake in report.mistakes] == [0, 7, 20]
    np.testing.assert_array_equal(report.mistakes[1].pixels, digits.images[7])


def test_the_surest_mistake_comes_first(digits):
    probabilities = answer(digits, wrong=(0, 7))
    probabilities[7] *= 1.1
    mistakes = build_report(probabilities, digits).mistakes
    assert [mistake.index for mistake in mistakes] == [7, 0]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy(digits):
    every_tenth = range(0, 600, 10)
    honest = build_report(answer(digits, 0.9, wrong=every_tenth), digits)
    overconfident = build_report(answer(digits, 0.99, wrong=range(0, 600, 2)), digits)
    assert honest.ece == pytest.approx(0, abs=1e-6)
    assert overconfident.ece == pytest.approx(0.49, abs=1e-6)


def test_refused_answers_are_not_counted_among_the_accepted(digits):
    probabilities = answer(digits)
    probabilities[:100] *= 0.4  # the rest is "not a digit"
    report = build_report(probabilities, digits, threshold=0.5)
    assert report.accepted == Rate(500, 500)


def test_a_report_survives_its_file(report, tmp_path):
    report.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == report


def test_a_report_names_its_accuracy_and_its_data(report):
    assert "99.50%" in str(report)
    assert "sample test" in str(report)
