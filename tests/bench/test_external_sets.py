"""No set of real digits may fall by more than its noise below what docs/real.json keeps."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.external_sets import (
    Line,
    measure,
    on_a_sheet,
)

KEPT = Path(__file__).parents[2] / "docs" / "real.json"
SAMPLE = 120  # pictures a set: the whole takes ten minutes


def test_no_set_falls(dev, mnist):
    from qdigits import load_model

    if not KEPT.exists():
        pytest.skip("docs/real.json is not here: `make real` writes it")
    kept = [Line(**line) for line in json.loads(KEPT.read_text())["lines"]]
    now = measure(load_model(), dev.parent, SAMPLE, say=lambda line: None)
    fallen = []
    for before, after in zip(kept, now, strict=False):
        assert before.name == after.name
        loss = (
            after.figure - before.figure if before.less_is_better else before.figure - after.figure
        )
        noise = before.noise(after.count) if after.count else 0.03  # the figures that aren't counts
        if loss > noise:
            fallen.append(
                f"{after.name}: {before.figure:.4f} -> {after.figure:.4f}, noise {noise:.4f}"
            )
    assert not fallen, "\n".join(fallen)


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_sheet(dark):
    sheet = on_a_sheet(np.full((28, 28), 255, np.uint8), 3, dark)
    assert sheet.shape == (300, 400) and (sheet == (255 if dark else 0)).sum() >= 28 * 28
    light = 255 - sheet if dark else sheet
    assert light[light > 0].min() < 140 or dark


def test_a_line_knows_its_noise_and_its_target():
    line = Line("usps", 0.99, 0.995, 990, 1000)
    assert not line.met and line.noise(1000) < 0.02 < line.noise(100)
    assert "990 of 1,000" in str(line) and "**no**" in str(line)
    assert Line("error", 0.01, 0.02, less_is_better=True).met
