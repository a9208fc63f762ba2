"""Pages are scored on their digits; no figure of the field may fall by more than its noise."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.draw_examples import turn_photo
from tools.page_scoring import Answer, read_truth, score_case, score_page

ROOT = Path(__file__).parent.parent


def test_no_figure_of_the_field_falls(dev):
    if not (ROOT / "docs" / "results" / "field.json").exists():
        pytest.skip("docs/results/field.json is not here: `make field` writes it")
    if not (dev.parent / "field").is_dir():
        pytest.skip("the pages of the field are not here")
    command = [sys.executable, "-m", "bench.accuracy.field", "--check"]
    done = subprocess.run(
        [*command, "--data-dir", dev.parent], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_is_scored_on_its_digits():
    score = score_page("12|34/56", Answer("1.2 34\n57", True))
    assert (score.edits, score.digits) == (1, 6)
    assert (score.rows_right, score.rows) == (1, 2)
    assert not score.right
    assert score.accepted


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
    photo = np.full((40, 80, 3), 200, np.uint8)
    photo[0, 0] = 0
    assert turn_photo(photo, 90).shape == (80, 40, 3)
    assert turn_photo(photo, 5).shape[0] > 40
    assert (turn_photo(turn_photo(photo, 90), 270) == photo).all()
