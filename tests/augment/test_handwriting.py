"""Digits and letters from spline glyphs."""

import pytest
import torch

from qdigits.augment.handwriting import (
    DIGIT_LABELS,
    build_glyphs,
    draw_digits,
    draw_letters,
    parse_stroke,
    write_glyphs,
)
from tests.augment.support import seeded


def test_a_sharp_point_is_met_three_times():
    assert parse_stroke("0,5! 10,10") == [(0, 0.5)] * 3 + [(1, 1)]


def test_a_spline_starts_and_ends_on_the_ends_of_its_stroke():
    glyphs = build_glyphs(["2,1 5,9 8,3"])
    points = glyphs.weights[0, 0] @ glyphs.control_points[0]
    torch.testing.assert_close(points[0], torch.tensor([0.2, 0.1]))
    torch.testing.assert_close(points[-1], torch.tensor([0.8, 0.3]), atol=1e-2, rtol=0)


def test_a_glyph_of_one_stroke_looks_the_same_beside_one_of_two():
    alone = build_glyphs(["2,0 2,10"])
    beside = build_glyphs(["2,0 2,10", "0,0 10,10 / 10,0 0,10"])
    one = alone.weights[0, 0] @ alone.control_points[0]
    for stroke in beside.weights[0]:
        torch.testing.assert_close(stroke @ beside.control_points[0], one)


def test_drawn_digits_follow_their_seed():
    images, labels = draw_digits(60, seeded())
    again, labels_again = draw_digits(60, seeded())
    assert torch.equal(images, again)
    assert torch.equal(labels, labels_again)


def test_every_digit_of_the_glyphs_is_drawn():
    _, labels = draw_digits(600, seeded())
    assert set(labels.tolist()) == set(DIGIT_LABELS.tolist())


@pytest.mark.parametrize(
    "draw",
    [lambda: draw_digits(60, seeded())[0], lambda: draw_letters(torch.empty(60, 0), seeded())],
    ids=["digits", "letters"],
)
def test_glyphs_are_inked_and_inside_the_tile(draw):
    images = draw()
    assert images.shape == (60, 1, 28, 28)
    assert images.amax((1, 2, 3)).min() > 0.5
    assert images[:, :, :2].max() == 0


def test_a_glyph_is_never_written_twice_alike():
    glyphs = build_glyphs(["0,0 10,10"])
    twice = write_glyphs(glyphs, torch.tensor([0, 0]), seeded())
    assert not torch.equal(twice[0], twice[1])
