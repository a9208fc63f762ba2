"""No set of real digits may fall by more than its noise below what docs/real.json keeps."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.result_table import Line, find_fallen, share

ROOT = Path(__file__).parent.parent


def test_no_external_set_falls_below_what_was_measured_before(dev, mnist):
    command = [sys.executable, "-m", "bench.accuracy.external_sets", "--check"]
    done = subprocess.run(
        [*command, "--data-dir", dev.parent], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_line_shows_counts_interval_and_a_missed_target():
    line = Line("usps", 0.99, 0.995, 990, 1000)
    assert not line.met
    shown = str(line)
    assert "990 of 1,000" in shown
    assert "98.17% to 99.46%" in shown
    assert shown.endswith("| at least 99.50% | **no** |")


def test_small_error_meets_a_larger_bound():
    assert Line("error", 0.01, 0.02, less_is_better=True).met
    assert not Line("error", 0.03, 0.02, less_is_better=True).met


def test_noise_shrinks_with_the_number_of_pictures():
    line = share("usps", [True] * 99 + [False])
    assert line.noise(1000) < 0.02
    assert line.noise(100) > 0.02


@pytest.mark.parametrize("less_is_better", [False, True])
def test_only_a_fall_beyond_the_noise_is_reported(less_is_better):
    before = [Line("set", 0.9, right=900, count=1000, less_is_better=less_is_better)]
    worse = 0.95 if less_is_better else 0.85
    assert not find_fallen(before, [Line("set", worse, count=100, less_is_better=less_is_better)])
    assert find_fallen(before, [Line("set", worse, count=5000, less_is_better=less_is_better)])


def test_figures_of_other_names_are_not_compared():
    with pytest.raises(ValueError, match="cannot be compared"):
        find_fallen([Line("a", 0.5)], [Line("b", 0.5)])
