"""Synthetic pages: the same key gives the same page, and the truth says where the ink is."""

from __future__ import annotations

import numpy as np
import pytest

from qdigits.augment import handwriting
from qdigits.augment.pages.marks import CLASSES
from qdigits.augment.pages.sheet import SIDE, Sheet
from qdigits.augment.pages.supplies import Supplies
from qdigits.augment.synthetic_pages import KINDS, draw_page
from qdigits.data.loading import Split
from qdigits.training import page_data

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def supplies() -> Supplies:
    forms, labels = handwriting.draw_digits(600, torch.Generator().manual_seed(1))
    missing = torch.tensor([6] * 10)  # no European form of a 6 is drawn
    tiles = torch.cat([forms[:, 0], forms[labels == 0, 0][:10]])
    labels = torch.cat([labels, missing])[: len(tiles)]
    return page_data.supplies_from(Split((tiles * 255).to(torch.uint8), labels), seed=0)


def same(one, other) -> bool:
    return np.array_equal(one.picture, other.picture) and one.marks == other.marks


def test_the_same_key_gives_the_same_page(supplies):
    for number in range(6):
        assert same(draw_page(supplies, 1, 2, 3, number), draw_page(supplies, 1, 2, 3, number))


def test_every_part_of_the_key_changes_the_page(supplies):
    page = draw_page(supplies, 1, 2, 3, 4)
    for key in ((0, 2, 3, 4), (1, 0, 3, 4), (1, 2, 0, 4), (1, 2, 3, 0)):
        assert not same(page, draw_page(supplies, *key))


@pytest.mark.parametrize("kind", KINDS)
def test_marks_of_each_kind_lie_on_the_page(supplies, kind):
    for number in range(4):
        page = draw_page(supplies, 5, number, kind=kind)
        assert page.picture.shape == (SIDE, SIDE)
        assert page.picture.dtype == np.uint8
        for mark in page.marks:
            x, y = mark.box.centre
            assert 0 <= mark.kind < len(CLASSES)
            assert -1 <= x <= SIDE + 1
            assert -1 <= y <= SIDE + 1


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"nothing"}))
def test_each_kind_draws_marks(supplies, kind):
    assert sum(len(draw_page(supplies, 6, n, kind=kind, turned=0).marks) for n in range(8)) > 3


@pytest.mark.parametrize("kind", ["plain lines", "boxes", "table", "signs and dates"])
def test_ink_stands_where_the_truth_says(supplies, kind):
    for number in range(4):
        sheet = Sheet()
        KINDS[kind][0](np.random.default_rng(number), sheet, supplies)
        for mark in sheet.marks:
            left, top, right, bottom = (max(int(edge), 0) for edge in mark.box)
            ink = sheet.ink[top : bottom + 1, left : right + 1]
            assert ink.size == 0 or ink.max() > 0.1, mark


def test_turned_pages_turn_their_marks(supplies):
    for number in range(20):
        upright = draw_page(supplies, 7, number, kind="big digits", turned=0.0)
        turned = draw_page(supplies, 7, number, kind="big digits", turned=1.0)
        assert np.array_equal(np.rot90(upright.picture, turned.turns), turned.picture)
        assert len(upright.marks) == len(turned.marks)
