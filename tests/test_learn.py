"""The chapters of docs/learn, the plain script and the notebook run and print what they show."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import build_notebook

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "docs" / "learn").glob("[0-9]-*.md"))
EXAMPLE = re.compile(
    r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"-?\d+\.\d+")


def assert_same_output(printed, shown):
    """Compare words exactly and decimal numbers roughly: processors round differently."""
    printed = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    shown = shown.rstrip()
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", shown)
    numbers = [float(number) for number in NUMBER.findall(printed)]
    assert numbers == pytest.approx([float(n) for n in NUMBER.findall(shown)], rel=0.05, abs=0.02)


@pytest.fixture
def in_clone(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_five_chapters_lead_from_one_to_the_next():
    assert len(CHAPTERS) == 5
    for chapter, following in zip(CHAPTERS, CHAPTERS[1:], strict=False):
        assert f"]({following.name})" in chapter.read_text()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_prints_what_it_shows(chapter, capsys, in_clone):
    namespace = {}
    examples = EXAMPLE.findall(chapter.read_text())
    assert examples
    for code, shown in examples:
        exec(compile(code, chapter.name, "exec"), namespace)
        assert_same_output(capsys.readouterr().out, shown)


def test_training_chapter_shows_the_loop_as_it_is():
    loop = build_notebook.read_pieces()["train_epoch"]
    assert loop in (ROOT / "docs" / "learn" / "4-training.md").read_text()


def test_plain_script_learns_from_the_sample():
    command = [sys.executable, "examples/train_plain.py", "--epochs", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    share = re.search(r"([\d.]+)% of 833 test digits right", done.stdout)
    assert share and float(share[1]) > 70


def test_notebook_is_made_from_the_plain_script():
    written = json.loads((ROOT / "examples" / "train.ipynb").read_text())
    assert written == build_notebook.build_notebook(), "run python -m tools.build_notebook"


def test_notebook_runs(capsys, in_clone):
    namespace = {}
    for kind, text in build_notebook.list_cells():
        if kind == "code":
            exec(text.replace("EPOCHS = 15", "EPOCHS = 1"), namespace)
    printed = capsys.readouterr().out
    assert printed.count("epoch") == 1
    assert "of 833 test digits right" in printed
    assert printed.count("label") == 3
