"""Digits and signs stand in lines, lines hold numbers, numbers stand in columns."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from qdigits.reading.lines import Span, assign_columns, find_lines, split_numbers
from qdigits.reading.rules import find_ruled_gaps

BLANK = np.full((300, 900), 230, np.uint8)


@dataclass(eq=False)
class Box:
    left: float
    top: float
    right: float
    bottom: float
    character: str


def typed(
    text: str, x: float = 0, y: float = 0, gap: float = 0.2, space: float = 1.0, slope: float = 0.0
) -> list[Box]:
    """Lay out characters 40 pixels high; gap and space are in heights."""
    boxes = []
    for character in text:
        if character == " ":
            x += (space - gap) * 40
            continue
        width = {"1": 8, ".": 6, ",": 6, ":": 6}.get(character, 26)
        top = {".": 34, ",": 34, "-": 18}.get(character, 0) + y + slope * x
        height = {".": 6, ",": 12, "-": 5}.get(character, 40)
        boxes.append(Box(x, top, x + width, top + height, character))
        x += width + gap * 40
    return boxes


def text_of(boxes: list[Box], paper: np.ndarray = BLANK) -> str:
    lines = find_lines(boxes)
    photo = cv2.cvtColor(paper, cv2.COLOR_GRAY2RGB)
    numbers = split_numbers(lines, [find_ruled_gaps(photo, line) for line in lines])
    words = [["".join(box.character for box in number) for number in line] for line in numbers]
    return "\n".join(" ".join(line) for line in words)


@pytest.mark.parametrize("slope", [0.0, 0.15, -0.15])
def test_lines_run_from_top_to_bottom_on_a_leaning_page(slope):
    boxes = typed("20482", y=120, slope=slope) + typed("3375", y=60, slope=slope)
    shuffled = [boxes[i] for i in np.random.default_rng(0).permutation(len(boxes))]
    assert text_of(shuffled) == "3375\n20482"


def test_a_line_may_bend():
    boxes = typed("2048223456", y=100) + typed("9876543223", y=170)
    for box in boxes:
        bend = 0.0006 * (box.left - 150) ** 2
        box.top += bend
        box.bottom += bend
    assert text_of(boxes) == "2048223456\n9876543223"


@pytest.mark.parametrize("space", [0.8, 1.0, 1.3, 1.6, 1.9, 2.2])
def test_numbers_are_kept_apart_by_the_gaps_of_their_line(space):
    assert text_of(typed("22 35 48 70", space=space)) == "22 35 48 70"


@pytest.mark.parametrize("gap", [0.0, 0.2, 0.5, 0.9])
def test_digits_that_stand_evenly_are_one_number(gap):
    assert text_of(typed("2038475", gap=gap)) == "2038475"


def test_a_narrow_digit_in_a_comb_ends_no_number():
    boxes = typed("2038175", gap=0)
    for place, box in enumerate(boxes):
        width = box.right - box.left
        box.left = 60 * place + 30 - width / 2
        box.right = box.left + width
    assert text_of(boxes) == "2038175"


@pytest.mark.parametrize("text", ["4.5", "-37", "31/10/2023", "12:30", "1,250", "555-0142"])
def test_signs_stand_where_they_were_written(text):
    assert text_of(typed(text)) == text
    assert text_of(typed(f"{text} {text}", space=1.6)) == f"{text} {text}"


def test_a_sign_far_from_every_digit_is_left_out():
    assert text_of(typed("23") + typed(".", x=400)) == "23"
    assert text_of(typed(".-")) == ""


def test_columns_are_those_of_the_fullest_line():
    rows = [
        [Span(0, 30), Span(100, 130), Span(200, 230)],
        [Span(102, 120)],
        [Span(5, 20), Span(205, 240)],
    ]
    assert assign_columns(rows) == [[0, 1, 2], [1], [0, 2]]


def test_numbers_of_a_line_never_share_a_column():
    assert assign_columns([[Span(0, 100)], [Span(0, 40), Span(50, 100)]]) == [[0], [0, 1]]


def paper_with_rules(*places: float, top: int = 0, lean: int = 0) -> np.ndarray:
    paper = BLANK.copy()
    for x in map(round, places):
        cv2.line(paper, (x, top), (x + lean, 140), 90, 2)
    return paper


def gaps_of(boxes: list[Box]) -> list[float]:
    return [(a.right + b.left) / 2 for a, b in zip(boxes, boxes[1:], strict=False)]


@pytest.mark.parametrize("lean", [0, 9, -9])
def test_rules_between_cells_keep_numbers_apart_that_stand_close(lean):
    boxes = typed("22354870", x=20, y=60, gap=0.4)
    assert text_of(boxes) == "22354870"
    second, fourth, sixth = gaps_of(boxes)[1::2]
    assert text_of(boxes, paper_with_rules(second, fourth, sixth, lean=lean)) == "22 35 48 70"


def test_boxes_of_one_digit_each_hold_one_number():
    boxes = typed("2235", x=20, y=60, gap=0.6)
    assert text_of(boxes, paper_with_rules(*gaps_of(boxes))) == "2235"


def test_wide_cells_of_one_digit_each_hold_several_numbers():
    boxes = typed("2235", x=20, y=60, gap=1.6)
    assert text_of(boxes) == "2235"
    assert text_of(boxes, paper_with_rules(*gaps_of(boxes))) == "2 2 3 5"


def test_lines_of_the_paper_end_no_number():
    boxes = typed("22354870", x=20, y=60, gap=0.4)
    through_a_digit = boxes[5].left + 13
    assert text_of(boxes, paper_with_rules(gaps_of(boxes)[1], through_a_digit)) == "22354870"


def test_strokes_no_longer_than_the_digits_are_no_rules():
    boxes = typed("22354870", x=20, y=98, gap=0.4)
    assert text_of(boxes, paper_with_rules(gaps_of(boxes)[1], top=100)) == "22354870"


def test_a_fraction_is_a_number_of_its_own():
    two, one, slash, half = typed("21/2", y=60)
    one.bottom -= 20
    half.top += 15
    assert text_of([two, one, slash, half]) == "2 1/2"
    assert text_of(typed("21/2", y=60)) == "21/2"


@pytest.mark.parametrize("height", [20, 33])
def test_an_exponent_stands_in_the_line_of_its_base(height):
    base = typed("98", y=60)
    left, bottom = base[-1].right + 5, 64
    exponent = Box(left, bottom - height, left + 18, bottom, "2")
    assert text_of([*base, exponent]) == "98 2"
