"""Negatives: seeded pictures of every kind, and none that is still a digit."""

import pytest
import torch

from qdigits.augment.negatives import (
    CHANGED_BY_A_QUARTER_TURN,
    KINDS,
    draw_negatives,
    turned_digit,
)
from tests.augment.support import seeded


def test_negatives_follow_their_seed_and_stay_in_range(digits):
    images = draw_negatives(101, digits.images, digits.labels, seeded())
    again = draw_negatives(101, digits.images, digits.labels, seeded())
    assert images.shape == (101, 1, 28, 28)
    assert torch.equal(images, again)
    assert images.min() >= 0
    assert images.max() <= 1


@pytest.mark.parametrize("kind", KINDS, ids=[kind.draw.__name__ for kind in KINDS])
def test_a_kind_of_negative_draws_something(kind, digits):
    images = kind.draw(digits.images[:50], seeded())
    is_inked = images.flatten(1).amax(1) > 0.05
    assert is_inked.float().mean() > 0.7


def test_no_0_and_no_8_is_turned():
    (kind,) = [kind for kind in KINDS if kind.draw is turned_digit]
    assert set(range(10)) - set(kind.digits) == {0, 8}
    assert kind.digits == CHANGED_BY_A_QUARTER_TURN


def test_where_no_digit_can_be_turned_paper_fills_up(digits):
    zeros = digits.labels == 0
    images = draw_negatives(100, digits.images[zeros], digits.labels[zeros], seeded())
    assert len(images) == 100
