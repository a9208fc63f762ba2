"""From a photograph to a Reading, with networks that know simple shapes."""

import numpy as np
import pytest

from qdigits.augment.pages.marks import CLASSES
from qdigits.reading.detector import Mark
from qdigits.reading.page import View, read_page, turn_odds
from qdigits.reading.place import place_photo
from tests.reading.shapes import ShapeModel, ShapeNet, photo


def reading_of(picture, net=None, downscale=1.0):
    colour = np.ascontiguousarray(np.repeat(picture[:, :, None], 3, 2))
    return read_page(net or ShapeNet(), ShapeModel().probabilities, colour, downscale)


@pytest.mark.parametrize("slope", [0.0, 0.12, -0.12])
def test_rows_from_top_to_bottom_and_left_to_right(slope):
    assert reading_of(photo("1001", "01", "00110", slope=slope)).text == "1001\n01\n00110"


def test_bright_ink_on_a_dark_page_is_read():
    assert reading_of(255 - photo("1001", "01")).text == "1001\n01"


def test_a_wide_gap_ends_a_number():
    reading = reading_of(photo("10   01"))
    assert [number.text for number in reading.numbers] == ["10", "01"]
    assert [number.column for number in reading.numbers] == [0, 1]


def test_a_sign_stands_in_the_text_and_a_cross_stays_unread():
    reading = reading_of(photo("10.01", "1x0", pitch=40))
    assert reading.text.split("\n")[0] == "10.01"
    assert len(reading.unread) == 1


def test_a_number_that_unread_ink_touches_is_never_accepted():
    reading = reading_of(photo("00x", "00", pitch=40))
    beside, alone = reading.numbers
    assert beside.confidence > 0.9 and not beside.accepted
    assert alone.accepted and not reading.accepted


def test_columns_of_a_table_keep_their_place():
    reading = reading_of(photo("01  10  11", "00      10", pitch=40))
    assert reading.table() == [["01", "10", "11"], ["00", "", "10"]]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_turned_back_and_says_so(quarters):
    picture = photo("10010", "110")
    turned = np.ascontiguousarray(np.rot90(picture, quarters))
    upright = reading_of(picture)
    reading = reading_of(turned, QuarterNet(quarters))
    assert (reading.text, reading.turned) == (upright.text, quarters)
    boxes = np.array([digit.box for digit in reading.digits])
    height, width = turned.shape
    assert (boxes[:, 2] <= width).all() and (boxes[:, 3] <= height).all()
    for box in boxes:
        left, top, right, bottom = box.tolist()
        assert (turned[top:bottom, left:right] < 150).any()


class QuarterNet(ShapeNet):
    """Sees by how much a page is turned: its first line is the longer one."""

    def __init__(self, quarters):
        self.quarters = quarters

    def maps(self, grey):
        self.turned = 0 if self._is_upright(grey) else self.quarters
        return super().maps(grey)

    def _is_upright(self, page):
        dark = page < page.max() - 75.0
        rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
        middle = (rows[0] + rows[-1]) // 2
        longer_above = dark[:middle].sum() > dark[middle:].sum()
        return bool(np.ptp(columns) > np.ptp(rows) and longer_above)


def test_boxes_lie_on_the_original_picture():
    small = reading_of(photo("01", "10"))
    large = reading_of(photo("01", "10"), downscale=3.0)
    for digit, other in zip(small.digits, large.digits, strict=True):
        assert np.allclose(np.array(digit.box) * 3, other.box, atol=3)


@pytest.mark.parametrize("shape", [(1, 10_000), (10_000, 1), (20, 20), (700, 900)])
def test_a_blank_page_of_any_shape_is_an_empty_reading(shape):
    reading = reading_of(np.full(shape, 230, np.uint8))
    assert reading.text == "" and reading.digits == () and reading.numbers == ()


def view(turned: int, turns: list[float], marks: int = 4) -> View:
    """Return a view of some marks in which the network believes in each turn so much."""
    certain = Mark(0.0, 0.0, 10.0, 20.0, np.full(len(CLASSES), 10.0), 0.0, 20.0)
    blank = place_photo(np.zeros((100, 100, 3), np.uint8), 1.0)
    return View([certain] * marks, np.array(turns), blank, turned)


def test_each_view_of_a_page_is_a_witness_of_which_way_up_it_is():
    as_given = view(0, [0.8, 0.04, 0.12, 0.04])
    turned_back = view(2, [0.9, 0.02, 0.06, 0.02])
    assert turn_odds([as_given]).argmax() == 0  # most pages are upright
    assert turn_odds([as_given, turned_back]).argmax() == 2
    neither = view(2, [0.8, 0.04, 0.12, 0.04])
    assert turn_odds([as_given, neither]).argmax() == 0


def test_marks_that_nobody_saw_tell_nothing_of_which_way_up_a_page_is():
    odds = turn_odds([view(0, [0.1, 0.1, 0.7, 0.1], marks=0)])
    assert odds.argmax() == 0
