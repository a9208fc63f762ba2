"""A page is turned and moved before it is read; its boxes still lie on the original picture."""

import cv2
import numpy as np
import pytest

from qdigits.reading.place import place_photo, put_on_paper, straighten, turn_quarters
from tests.reading.shapes import photo
from tests.reading.test_page import reading_of

STEPS = {
    "paper around it": lambda placed: put_on_paper(placed, 14),
    "one quarter": lambda placed: turn_quarters(placed, 1),
    "two quarters": lambda placed: turn_quarters(placed, 2),
    "three quarters": lambda placed: turn_quarters(placed, 3),
    "straightened": lambda placed: straighten(placed, 0.15),
    "all of it": lambda placed: straighten(turn_quarters(put_on_paper(placed, 14), 3), -0.15),
}


def box_of(picture: np.ndarray) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect((picture[:, :, 0] < 128).astype(np.uint8))
    return left, top, left + width, top + height


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_box_leads_back_to_the_original_picture(step):
    original = np.full((90, 160, 3), 255, np.uint8)
    cv2.circle(original, (110, 30), 12, (0, 0, 0), -1)  # it looks the same however it is turned
    half = cv2.resize(original, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    moved = step(place_photo(half, 2.0))
    box = moved.place.box(*box_of(moved.photo))
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    np.testing.assert_allclose(middle, (110, 30), atol=2)
    assert 22 <= box.right - box.left <= 34


def test_no_box_reaches_beyond_the_picture():
    moved = put_on_paper(place_photo(np.zeros((20, 30, 3), np.uint8), 1.0), 14)
    assert moved.place.box(0, 0, 58, 48) == (0, 0, 30, 20)


def test_the_digits_of_a_leaning_page_are_boxed_where_they_stand():
    picture = photo("0000", "000", size=50)
    turn = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), -8, 1)
    leaning = cv2.warpAffine(picture, turn, picture.shape[::-1], borderValue=230)
    reading = reading_of(leaning)
    assert reading.text == "0000\n000"
    for digit in reading.digits:
        left, top, right, bottom = digit.box
        assert (leaning[top:bottom, left:right] < 150).any()
