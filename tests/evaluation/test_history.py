"""A history is read back, and knows its best epoch."""

from qdigits.evaluation.history import History


def test_a_history_is_read_from_its_file(tmp_path):
    lines = ['{"epoch": 1, "validation_accuracy": 0.9}', '{"epoch": 2, "validation_accuracy": 0.9}']
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert [row["epoch"] for row in History.load(tmp_path)] == [1, 2]


def test_the_first_of_equally_accurate_epochs_is_the_best():
    accuracies = [0.8, 0.9, 0.9]
    history = History(
        {"epoch": number, "validation_accuracy": accuracy}
        for number, accuracy in enumerate(accuracies, 1)
    )
    assert history.best()["epoch"] == 2
