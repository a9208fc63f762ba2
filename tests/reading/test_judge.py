"""What marks are described by, and how sure a number is."""

import numpy as np
import pytest

from qdigits.augment.pages.marks import CLASSES
from qdigits.reading.detector import Mark
from qdigits.reading.judge import (
    NOTHING,
    Judge,
    describe_marks,
    describe_neighbours,
    describe_number,
    describe_places,
    is_worth_asking,
)
from tests.reading.shapes import plain_judge

PAGE = (200, 300)  # pixels: height and width


def mark(character: str, left: float, top: float = 0, height: float = 30, logit: float = 5.0):
    logits = np.full(len(CLASSES), -7.0, np.float32)
    logits[CLASSES.index(character)] = logit
    return Mark(left, top, left + 20, top + height, logits, 0.0, height)


def test_the_judge_tells_digits_signs_and_false_sightings_apart():
    marks = [mark("7", 0), mark("/", 40), mark("3", 80, logit=-3)]
    judge = Judge.of({"reading": plain_judge()})
    opinions = np.full((3, 10), np.nan, np.float32)
    outcomes = judge.outcomes(describe_marks(marks, opinions, PAGE))
    assert outcomes.argmax(1).tolist() == [7, CLASSES.index("/"), NOTHING]
    assert outcomes.sum(1) == pytest.approx(1)


def test_a_mark_that_was_not_asked_about_differs_from_one_that_was_refused():
    marks = [mark("7", 0)] * 2
    opinions = np.array([np.full(10, np.nan), np.full(10, 1e-3)], np.float32)
    not_asked, refused = describe_marks(marks, opinions, PAGE)
    assert np.isfinite(not_asked).all() and (not_asked != refused).any()


def test_a_mark_knows_the_edge_of_the_page_and_the_usual_height():
    marks = [mark("7", 0), mark("3", 100, top=100), mark("8", 290, top=60, height=60)]
    at_edge, inside, cut = describe_places(marks, PAGE)
    assert at_edge == pytest.approx([0, 0]) and inside == pytest.approx([0.5, 0])
    assert cut[0] < 0 and cut[1] == pytest.approx(np.log(2))


def test_neighbours_are_those_on_the_same_line():
    marks = [mark("1", 0), mark("2", 30), mark("3", 30, top=100), mark("4", 70, height=60)]
    described = describe_neighbours(marks)
    gap_left, gap_right = described[1, 0] * 30, described[1, 3] * 30
    assert (gap_left, gap_right) == (pytest.approx(10), pytest.approx(20))
    assert not described[2, 6:].any()  # alone on its line
    assert described[3, 8] == pytest.approx(np.log(2))  # twice as high as the others


def test_a_number_is_less_sure_with_a_doubtful_part_and_with_ink_beside_it():
    kept = plain_judge() | {"number": [[[1.0], [0.0], [0.0], [-0.5]], [0.0]]}
    judge = Judge.of({"reading": kept})

    def confidence(parts, beside=()):
        return judge.number_confidence(describe_number(parts, beside))

    assert confidence([0.99, 0.99]) > confidence([0.99, 0.6])
    assert confidence([0.99, 0.99]) > confidence([0.99, 0.99], [0.3])


@pytest.mark.parametrize(("character", "asked"), [("7", True), (".", False), ("-", True)])
def test_the_tile_network_is_not_asked_about_dots(character, asked):
    assert is_worth_asking(mark(character, 0)) == asked
