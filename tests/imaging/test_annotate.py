"""What was read, drawn on the photo: whole lines for what is sure, dashes for everything else."""

import numpy as np
import pytest

from qdigits.imaging.annotate import (
    ACCEPTED_COLOUR,
    DOUBTFUL_COLOUR,
    UNREAD_COLOUR,
    annotate,
    find_dashes,
    mark_doubt,
)
from qdigits.reading.result import Box, Number, Reading

PAPER = np.full((200, 160), 225, np.uint8)
SURE = Number("4.5", (), Box(20, 30, 60, 80), 0, 0, 0.98, True)
DOUBTFUL = Number("-37", (), Box(80, 30, 140, 80), 0, 1, 0.4, False)
UNREAD = Box(20, 120, 90, 170)


def is_colour(drawn, colour):
    return (np.asarray(drawn) == colour).all(2)


def side_of(drawn, box, colour):
    """Where the left side of a box has a colour, from top to bottom."""
    return is_colour(drawn, colour)[box.top : box.bottom, box.left]


def test_a_sure_number_has_a_whole_line_and_its_text_above():
    drawn = annotate(PAPER, Reading("4.5", (), (SURE,)))
    assert drawn.size == (160, 200)
    assert side_of(drawn, SURE.box, ACCEPTED_COLOUR).all()
    above = np.asarray(drawn)[: SURE.box.top, SURE.box.left :]
    assert (above != 225).any()


@pytest.mark.parametrize(
    ("reading", "box", "colour"),
    [
        (Reading("-37", (), (DOUBTFUL,)), DOUBTFUL.box, DOUBTFUL_COLOUR),
        (Reading("", (), (), (UNREAD,)), UNREAD, UNREAD_COLOUR),
    ],
)
def test_doubtful_numbers_and_unread_ink_have_dashes(reading, box, colour):
    side = side_of(annotate(PAPER, reading), box, colour)
    assert side[0]
    assert 0.3 < side.mean() < 0.8


def test_unread_ink_has_no_text():
    drawn = annotate(PAPER, Reading("", (), (), (UNREAD,)))
    assert (np.asarray(drawn)[: UNREAD.top] == 225).all()


def test_only_a_doubtful_number_has_a_question_mark():
    assert mark_doubt(SURE) == "4.5"
    assert mark_doubt(DOUBTFUL) == "-37?"


def test_dashes_end_at_the_corners_of_the_smallest_box_too():
    for end in (0.0, 1.0, 7.0, 100.0):
        dashes = find_dashes(0.0, end, 4)
        assert dashes[0][0] == 0
        assert dashes[-1][1] == pytest.approx(end)
        assert len(dashes) >= 2
