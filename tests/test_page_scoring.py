"""No figure of the field may fall by more than its noise below docs/results/field.json."""

import json
from pathlib import Path

import pytest

from bench.accuracy.field import RESULTS, _turned, measure_sample, our_readers, read_truth
from tools.page_scoring import Answer, Figure, score_case, score_page

EVERY = 12  # one picture of so many: the whole takes minutes


def test_no_figure_falls(dev):
    from qdigits import load_model

    if not RESULTS.exists():
        pytest.skip("docs/results/field.json is not here: `make field` writes it")
    kept = json.loads(RESULTS.read_text())["figures"]
    before = {figure["name"]: Figure(**figure) for figure in kept}
    readers = our_readers(load_model("mnist_model.onnx"))
    fallen = []
    for now in measure_sample(dev.parent, readers, EVERY):
        was = before[now.name]
        loss = now.share - was.share if now.less_is_better else was.share - now.share
        noise = was.line().noise(max(now.count, 1))
        if loss > noise:
            fallen.append(f"{now.name}: {was.share:.3f} -> {now.share:.3f}, noise {noise:.3f}")
    assert not fallen, "\n".join(fallen)


def test_a_page_is_scored_on_its_digits():
    score = score_page("12|34/56", Answer("1.2 34\n57", True))
    assert (score.edits, score.digits) == (1, 6)
    assert (score.rows_right, score.rows) == (1, 2)
    assert not score.right and score.accepted


def test_a_page_with_a_row_too_many_is_not_right():
    assert score_page("12", Answer("12", True)).right
    assert not score_page("12", Answer("12\n3", True)).right


@pytest.mark.parametrize(
    ("truth", "text", "accepted", "right"),
    [
        ("4.5", "4.5", True, True),
        ("4.5", "45", True, False),
        ("12 / 3", "12\n3", True, True),
        ("12 3", "123", True, False),
        ("$350", "350", False, True),
        ("$350", "350", True, False),
    ],
)
def test_a_case_is_scored_on_signs_and_spaces(truth, text, accepted, right):
    score = score_case(truth, Answer(text, accepted))
    assert score.right is right
    assert score.wrong_but_accepted is (accepted and not right)


def test_remarks_of_a_truth_are_cut_off(tmp_path):
    (tmp_path / "truth.txt").write_text("a.png\t12 35   (gap 0.8)\nb.jpg\t2 1/2, seven times\n")
    found = {path.name: truth for path, truth in read_truth(Path(tmp_path))}
    assert found == {"a.png": "12 35", "b.jpg": " ".join(["2 1/2"] * 7)}


def test_a_turned_photo_keeps_its_corners():
    import numpy as np

    photo = np.full((40, 80, 3), 200, np.uint8)
    photo[0, 0] = 0
    assert _turned(photo, 90).shape == (80, 40, 3)
    assert _turned(photo, 5).shape[0] > 40
    assert (_turned(_turned(photo, 90), 270) == photo).all()
