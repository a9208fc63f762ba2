"""Rows, reading order, cuts: with a judge that knows the marks by sight, without a network."""

import cv2
import numpy as np
import pytest

from qdigits.reading.segment import Mark, _digits_only, find_digits, find_marks


def page(*rows, size=40, slope=0.0):
    """Ink map with bars for 1 and rings for 0 at (row, column) places."""
    ink = np.zeros((120 * len(rows) + 200, 80 * max(map(len, rows)) + 160), np.uint8)
    for r, row in enumerate(rows):
        for c, shape in enumerate(row):
            x, y = 80 + 80 * c, 100 + 120 * r + round(slope * 80 * c)
            if shape == "1":
                cv2.line(ink, (x, y - size // 2), (x, y + size // 2), 255, 6)
            if shape == "0":
                cv2.ellipse(ink, (x, y), (size // 3, size // 2), 0, 0, 360, 255, 6)
            if shape == "I":  # struck out until nothing could be read: to the judge a bar
                cv2.line(ink, (x, y - size // 2), (x, y + size // 2), 255, 13)
            if shape == "x":
                cv2.line(ink, (x - 15, y - 20), (x + 15, y + 20), 255, 6)
                cv2.line(ink, (x + 15, y - 20), (x - 15, y + 20), 255, 6)
    return ink


def judge(crops):
    """A ring is a 0, a bar a 1, a cross nothing."""
    answers = np.zeros((len(crops), 10), np.float32)
    for row, crop in zip(answers, crops, strict=True):
        solid = (crop > 72).mean()
        holes = cv2.connectedComponents((np.pad(crop, 1) <= 72).astype(np.uint8))[0] - 2
        slim = crop.shape[0] > 3 * crop.shape[1]
        row[0] = 0.99 if holes == 1 and solid < 0.8 and not slim else 0.01
        row[1] = 0.99 if slim and solid > 0.6 else 0.01
    return answers


def text(ink):
    return ["".join(str(mark.row.argmax()) for mark in row) for row in find_digits(ink, judge)]


@pytest.mark.parametrize("slope", [0.0, 0.12, -0.12])
def test_rows_from_top_to_bottom_and_left_to_right(slope):
    assert text(page("1001", "01", "00110", slope=slope)) == ["1001", "01", "00110"]


def test_two_that_touch_are_cut():
    ink = page("0 0")
    ring = ink[:, 60:101].copy()
    ink[:, 60:] = 0
    ink[:, 60:101] = ring
    ink[:, 92:133] = np.maximum(ink[:, 92:133], ring)
    assert len(find_marks(ink)) == 1
    assert text(ink) == ["00"]


def test_what_the_network_does_not_know_is_left_out():
    assert text(page("01x0110", "01")) == ["010110", "01"]
    assert text(page("xxxx", "0101")) == ["0101"]


@pytest.mark.parametrize(
    ("heights", "number"), [((40, 42, 38, 41, 40), True), ((40, 80, 38, 20, 75), False)]
)
def test_pieces_of_all_heights_are_a_word(heights, number):
    four = np.eye(10, dtype=np.float32)[4] * 0.95
    inks = [np.full((height, 25), 255, np.uint8) for height in heights]
    row = [Mark(30 * i, 0, ink, (True, True), row=four) for i, ink in enumerate(inks)]
    assert bool(_digits_only(row)) is number


def test_a_bar_thicker_than_the_others_was_struck_out():
    assert text(page("010I1", "I")) == ["0101", "1"]


def test_the_edge_of_the_sheet_is_no_digit():
    ink = page("1010")
    ink[:, :4] = 255
    ink[30:200, -3:] = 255
    assert text(ink) == ["1010"]


def test_dust_and_emptiness():
    assert find_digits(np.zeros((300, 300), np.uint8), judge) == []
    ink = page("101")
    ink[np.random.default_rng(0).random(ink.shape) < 0.001] = 255
    assert text(ink) == ["101"]


def test_marks_keep_their_place():
    (row,) = find_digits(page("01"), judge)
    left, top, right, bottom = row[1].box
    assert abs((left + right) / 2 - 160) < 2 and abs((top + bottom) / 2 - 100) < 2


def test_noise_by_the_thousand_takes_no_time():
    noise = np.random.default_rng(0).integers(0, 256, (800, 800)).astype(np.uint8)
    calls = []
    find_digits(
        noise, lambda crops: calls.append(len(crops)) or np.full((len(crops), 10), 0.01, np.float32)
    )
    assert sum(calls) < 12_000
