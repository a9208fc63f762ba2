import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from qdigits.data.split import Split
from qdigits.evaluation import plots
from qdigits.evaluation.history import History
from qdigits.evaluation.report import build_report


def report(wrong=25):
    labels = torch.arange(500) % 10
    rows = np.full((500, 10), 0.02, np.float32)
    rows[np.arange(500), (labels.numpy() + (np.arange(500) < wrong)) % 10] = 0.8
    images = torch.randint(
        0, 256, (500, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    return build_report(rows, Split(images, labels))


@pytest.mark.parametrize("wrong", [0, 1, 25, 500])
def test_a_report_gives_its_file_and_every_picture(tmp_path, wrong):
    plots.save_report(report(wrong), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", *plots.FIGURES}
    for name in plots.FIGURES:
        assert plt.imread(tmp_path / name)[..., :3].std() > 0.01  # something is drawn
    assert plt.get_fignums() == []


def test_the_confusion_matrix_shows_the_counts():
    texts = [text.get_text() for text in plots.draw_confusion(report(25)).axes[0].texts]
    assert texts.count("3") == 5  # 25 mistakes, of the digits 0 to 4 three times
    plt.close("all")


def test_curves_mark_the_kept_epoch(tmp_path):
    history = History(
        {
            "epoch": n,
            "train_loss": 1 / n,
            "validation_loss": 1 / n,
            "train_accuracy": 1.0,
            "validation_accuracy": a,
        }
        for n, a in [(1, 0.9), (2, 0.97), (3, 0.96)]
    )
    plots.save_curves(history, tmp_path)
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert [text.get_text() for text in plots.draw_curves(history).axes[1].texts] == ["3.00%"]
    plt.close("all")
