"""Evaluation opens the test part, and asks the model in batches."""

from qdigits.evaluation import evaluate as module
from qdigits.evaluation.evaluate import evaluate
from qdigits.evaluation.metrics import Rate
from tests.evaluation.support import answer


class Oracle:
    """A model that is always right; it remembers how many tiles it was asked at once."""

    threshold = 0.5

    def __init__(self, digits):
        self.answers = answer(digits)
        self.batch_sizes = []

    def probabilities(self, tiles):
        start = sum(self.batch_sizes)
        self.batch_sizes.append(len(tiles))
        return self.answers[start : start + len(tiles)]


def test_evaluate_loads_the_test_part_that_was_asked_for(digits, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "load_test", lambda *args: asked.append(args) or digits)
    report = evaluate(Oracle(digits), "mnist", "somewhere", "official", 0, "oracle")
    assert asked == [("mnist", "somewhere", "official", 0)]
    assert report.all == Rate(600, 600)
    assert str(report).startswith("oracle on mnist test: 100.00%")


def test_evaluate_asks_the_model_in_batches(digits, monkeypatch):
    monkeypatch.setattr(module, "BATCH_SIZE", 250)
    monkeypatch.setattr(module, "load_test", lambda *args: digits)
    oracle = Oracle(digits)
    evaluate(oracle)
    assert oracle.batch_sizes == [250, 250, 100]


def test_a_report_on_another_split_says_so(digits, monkeypatch):
    monkeypatch.setattr(module, "load_test", lambda *args: digits)
    assert evaluate(Oracle(digits), "mnist", split="writer").data == "mnist test, writer split"
