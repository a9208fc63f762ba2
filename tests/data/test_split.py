"""Splits: rows stay together, and a division loses and doubles nothing."""

import pytest
import torch

from qdigits.data.split import Split, hold_out, join_splits
from qdigits.errors import DataError


def make_split(count: int, first: int = 0, with_writers: bool = True) -> Split:
    """A split in which every column tells the number of its row."""
    number = first + torch.arange(count)
    images = number.to(torch.uint8)[:, None, None].expand(count, 28, 28)
    writers = number // 10 if with_writers else None
    return Split(images, number % 10, writers, series=number)


def test_taking_rows_takes_them_in_every_column():
    taken = make_split(50).take(torch.tensor([3, 41]))
    assert taken.images[:, 0, 0].tolist() == [3, 41]
    assert taken.labels.tolist() == [3, 1]
    assert taken.writers.tolist() == [0, 4]
    assert taken.series.tolist() == [3, 41]


def test_joined_splits_keep_every_row_in_order():
    joined = join_splits([make_split(20), make_split(30, first=20)])
    assert joined.series.tolist() == list(range(50))
    assert joined.images[:, 0, 0].tolist() == list(range(50))


def test_writers_that_one_split_does_not_know_are_unknown_in_all():
    joined = join_splits([make_split(20), make_split(20, with_writers=False)])
    assert joined.writers is None
    assert joined.series is not None


@pytest.mark.parametrize("by_writer", [True, False])
def test_holding_out_divides_the_rows_once(by_writer):
    rest, held_out = hold_out(make_split(200), 0.2, seed=0, by_writer=by_writer)
    assert len(held_out) == 40
    assert sorted(torch.cat([rest.series, held_out.series]).tolist()) == list(range(200))


def test_holding_out_by_writer_divides_no_writer():
    rest, held_out = hold_out(make_split(200), 0.2, seed=0, by_writer=True)
    assert not set(rest.writers.tolist()) & set(held_out.writers.tolist())


def test_a_division_that_leaves_nothing_is_refused():
    with pytest.raises(DataError, match="3 digits are too few"):
        hold_out(make_split(3), 0.1, seed=0, by_writer=False)
