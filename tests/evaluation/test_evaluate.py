import numpy as np
import pytest
import torch

from qdigits.data.split import Split
from qdigits.evaluation import evaluate as module
from qdigits.evaluation.evaluate import evaluate
from qdigits.evaluation.history import History
from qdigits.evaluation.metrics import Rate
from qdigits.evaluation.report import Report, build_report


@pytest.fixture
def digits():
    """600 labelled digits of three writers in two series."""
    draw = torch.Generator().manual_seed(0)
    number = torch.arange(600)
    images = torch.randint(0, 256, (600, 28, 28), dtype=torch.uint8, generator=draw)
    return Split(images, number % 10, number % 3, number % 2)


def answers(split, confidence=0.9, wrong=()):
    """Probabilities that name the right digit, or the next one, with one confidence."""
    digits = split.labels.numpy().copy()
    digits[list(wrong)] = (digits[list(wrong)] + 1) % 10
    rows = np.full((len(split), 10), (1 - confidence) / 9, np.float32)
    rows[np.arange(len(split)), digits] = confidence
    return rows


def test_wilson_interval_agrees_with_the_book():
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20
    for right, count, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
    ]:
        assert Rate(right, count).interval == pytest.approx((low, high), abs=1e-4)


def test_counts_are_counts(digits):
    report = build_report(answers(digits, wrong=(0, 7, 20)), digits)
    assert report.all == Rate(597, 600)
    assert report.wrong_in_10000 == pytest.approx(50)
    assert report.classes["0"] == Rate(58, 60) and report.classes["7"] == Rate(59, 60)
    assert sum(rate.count for rate in report.writers.values()) == 600 and set(report.series) == {
        "0",
        "1",
    }
    assert (
        report.confusion[0][1] == 2
        and report.confusion[7][8] == 1
        and np.sum(report.confusion) == 600
    )
    assert [m.index for m in report.mistakes] == [0, 7, 20]
    np.testing.assert_array_equal(report.mistakes[1].pixels, digits.images[7])


def test_calibration_error_is_the_gap_between_claim_and_truth(digits):
    sixty = range(0, 600, 10)
    assert build_report(answers(digits, 0.9, wrong=sixty), digits).ece == pytest.approx(0, abs=1e-6)
    overconfident = build_report(answers(digits, 0.99, wrong=range(0, 600, 2)), digits)
    assert overconfident.ece == pytest.approx(0.49, abs=1e-6)


def test_ece_agrees_with_torchmetrics_where_both_bins_hold_the_same():
    """One confidence in each bin: equal-mass and equal-width bins are then the same bins."""
    metrics = pytest.importorskip("torchmetrics.classification")
    confidence = np.repeat((np.arange(15) + 0.5) / 15, 40)
    right = np.random.default_rng(0).random(600) < confidence
    split = Split(torch.zeros(600, 28, 28, dtype=torch.uint8), torch.zeros(600, dtype=torch.int64))
    rows = np.zeros((600, 10))
    rows[np.arange(600), (~right).astype(int)] = confidence
    oracle = metrics.BinaryCalibrationError(n_bins=15)(
        torch.tensor(confidence), torch.tensor(right.astype(int))
    )
    assert build_report(rows, split).ece == pytest.approx(float(oracle), abs=1e-6)


def test_refused_answers_are_not_counted_among_the_accepted(digits):
    rows = answers(digits)
    rows[:100] *= 0.4  # the rest is "not a digit"
    assert build_report(rows, digits, threshold=0.5).accepted == Rate(500, 500)


def test_a_report_survives_its_file(digits, tmp_path):
    report = build_report(answers(digits, wrong=(3,)), digits, model="mlp", data="sample test")
    report.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == report
    assert "99.83%" in str(report) and "sample test" in str(report)


def test_evaluate_asks_the_model_in_batches_and_opens_the_test_part(digits, monkeypatch):
    class Oracle:
        threshold, sizes = 0.5, []

        def probabilities(self, tiles):
            start = sum(self.sizes)
            self.sizes.append(len(tiles))
            return answers(digits)[start : start + len(tiles)]

    asked = []
    monkeypatch.setattr(module, "BATCH_SIZE", 250)
    monkeypatch.setattr(module, "load_test", lambda *args, **kwargs: asked.append(args) or digits)
    report = evaluate(Oracle(), "mnist", "somewhere", "official", 0, "oracle")
    assert report.all == Rate(600, 600) and Oracle.sizes == [250, 250, 100]
    assert asked == [("mnist", "somewhere", "official", 0)]
    assert str(report).startswith("oracle on mnist test: 100.00%")


def test_history_is_read_back_and_knows_its_best_epoch(tmp_path):
    lines = ['{"epoch": 1, "validation_accuracy": 0.9}', '{"epoch": 2, "validation_accuracy": 0.9}']
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    history = History.load(tmp_path)
    assert len(history) == 2 and history.best()["epoch"] == 1
