"""Which parts of a page the network looks at."""

import numpy as np
import pytest

from qdigits.reading.detector import MOST_BLOCKS, _rectangles


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_every_inked_block_is_read_once_and_no_other(share):
    inked = np.random.default_rng(0).random((9, 7)) < share
    times = np.zeros(inked.shape, int)
    for top, bottom, left, right in _rectangles(inked):
        assert (bottom - top) * (right - left) <= MOST_BLOCKS
        times[top:bottom, left:right] += 1
    assert (times == inked).all()


def test_a_page_of_few_blocks_is_read_in_one_piece():
    assert list(_rectangles(np.ones((3, 5), bool))) == [(0, 3, 0, 5)]
