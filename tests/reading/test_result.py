"""An answer shows itself: short in a console, whole in JSON, in rows and columns as a table."""

import json

import numpy as np

from qdigits.reading.result import Box, Number, Prediction, Reading

TILE = np.zeros((28, 28), np.uint8)


def digit(value: int, accepted: bool = True) -> Prediction:
    return Prediction(value, 0.97, (0.097,) * 10, TILE, Box(1, 2, 3, 4), accepted)


def number(text: str, row: int, column: int, accepted: bool = True) -> Number:
    digits = tuple(digit(int(letter), accepted) for letter in text if letter.isdigit())
    return Number(text, digits, Box(0, 0, 9, 9), row, column, 0.9, accepted)


READING = Reading(
    "4.5 12\n7", (digit(4),), (number("4.5", 0, 0), number("12", 0, 2), number("7", 1, 1, False))
)


def test_representations_are_short_and_hold_no_pixels():
    assert repr(digit(7)) == "Prediction(7, confidence 0.970)"
    assert repr(digit(7, False)) == "Prediction(7, confidence 0.970, not accepted)"
    assert repr(number("4.5", 0, 0)) == "Number('4.5', confidence 0.900)"
    assert repr(READING) == "Reading('4.5 12\\n7', 3 numbers, 0 unread)"


def test_as_text_an_answer_is_what_was_read():
    assert str(digit(7)) == "7"
    assert str(number("4.5", 0, 0)) == "4.5"
    assert str(READING) == READING.text


def test_everything_but_the_tiles_goes_into_json():
    kept = json.loads(json.dumps(READING.to_dict()))
    assert kept["numbers"][0] == {
        "text": "4.5",
        "box": [0, 0, 9, 9],
        "row": 0,
        "column": 0,
        "confidence": 0.9,
        "accepted": True,
    }
    assert set(kept["digits"][0]) >= {"digit", "confidence", "box", "probabilities", "printed"}
    assert "tile" not in kept["digits"][0]


def test_a_table_has_the_sheet_s_rows_and_columns():
    assert READING.table() == [["4.5", "", "12"], ["", "7", ""]]
    assert Reading("", ()).table() == []


def test_a_reading_is_accepted_when_every_number_is():
    assert not READING.accepted
    assert Reading("4.5", (), (number("4.5", 0, 0),)).accepted
    assert not Reading("", ()).accepted
