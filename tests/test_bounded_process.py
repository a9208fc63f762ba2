"""A script that loops, asks for gigabytes, crashes or refuses ends in one short sentence."""

import sys

import pytest

from qdigits.bounded_process import BoundedProcessError, Bounds, run_bounded

BOUNDS = Bounds(seconds=1, clock_seconds=3, memory=2**28)
COPY = "import sys; sys.stdout.buffer.write(sys.argv[1].encode() + sys.stdin.buffer.read())"
FAILURES = {
    "while True: pass": "takes longer than 1 s, or crashes",
    "import time; time.sleep(60)": "takes longer than 3 s",
    "bytes(2**30)": "takes more than 256 MB of memory",
    "import os; os.abort()": "or crashes the library that reads it",
    "import sys; sys.exit('there is no page 3')": "^there is no page 3$",
    "raise ValueError('bad ' + 200 * 'x')": "^bad x{96}$",
    "import os; os._exit(3)": "^without a word$",
    "import stranger": "No module named 'stranger'",
}


@pytest.fixture
def script(tmp_path):
    """Write Python and return the path of the script."""

    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


def test_what_a_script_writes_comes_back(script):
    assert run_bounded(script(COPY), 7, b" pages\0", BOUNDS) == b"7 pages\0"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bound less")
@pytest.mark.parametrize("text", FAILURES)
def test_a_script_that_fails_is_told_in_a_few_words(script, tmp_path, monkeypatch, text):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "stranger.py").write_text("")
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    with pytest.raises(BoundedProcessError, match=FAILURES[text]):
        run_bounded(script(text), 0, b"", BOUNDS)
