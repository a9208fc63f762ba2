"""What reading a photograph gives: digits, numbers, and what was seen and not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Box(NamedTuple):
    """A rectangle in pixels of the original picture."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Prediction:
    """One answer.

    `confidence` is the calibrated probability that this is a digit and that it is this one.
    """

    digit: int | None  # None: nothing there that could be a digit
    confidence: float
    probabilities: tuple[float, ...]  # of 0..9; what is missing to 1 is "not a digit"
    tile: np.ndarray = field(compare=False, repr=False)  # uint8 (28, 28), what the network saw
    box: Box | None  # on the original picture
    accepted: bool  # confidence reaches the threshold stored in the model file
    printed: bool = False  # by a machine, not by a person

    def __repr__(self) -> str:
        printed = ", printed" if self.printed else ""
        return f"Prediction({self.digit}, confidence {self.confidence:.3f}{_doubt(self)}{printed})"

    def __str__(self) -> str:
        return "" if self.digit is None else str(self.digit)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the tile, for JSON."""
        return {
            "digit": self.digit,
            "confidence": self.confidence,
            "accepted": self.accepted,
            "box": self.box,
            "probabilities": self.probabilities,
            "printed": self.printed,
        }

    def _repr_png_(self) -> bytes:
        """Return the tile that the network saw, which a notebook shows."""
        from qdigits.imaging.annotate import enlarged_png

        return enlarged_png(self.tile)


@dataclass(frozen=True)
class Number:
    """Digits and signs that stand together.

    `confidence` is the calibrated probability that all of it is right. A number that touches ink
    which was seen and not read is never accepted.
    """

    text: str  # digits and signs in order: "4.5", "-37", "31/10/2023"
    digits: tuple[Prediction, ...]
    box: Box
    row: int
    column: int
    confidence: float
    accepted: bool

    def __repr__(self) -> str:
        return f"Number({self.text!r}, confidence {self.confidence:.3f}{_doubt(self)})"

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the digits, for JSON."""
        names = ("text", "box", "row", "column", "confidence", "accepted")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Reading:
    """All numbers of a photo in reading order."""

    text: str  # rows joined by newlines, numbers in a row by spaces
    digits: tuple[Prediction, ...]
    numbers: tuple[Number, ...] = ()
    unread: tuple[Box, ...] = ()  # ink that looks like part of a number and was not read
    turned: int = 0  # quarters, counter-clockwise, by which the photo had been turned
    source: Any = field(default=None, compare=False, repr=False)  # the photo, as it was given

    @property
    def accepted(self) -> bool:
        """Whether there is a number, and every number is accepted."""
        return bool(self.numbers) and all(number.accepted for number in self.numbers)

    @property
    def confidence(self) -> float:
        """The confidence of the number that is least sure; 0.0 without one."""
        return min((number.confidence for number in self.numbers), default=0.0)

    def table(self) -> list[list[str]]:
        """Return the numbers as rows and columns, as they stand on the sheet."""
        width = max((number.column + 1 for number in self.numbers), default=0)
        height = max((number.row + 1 for number in self.numbers), default=0)
        cells = [[""] * width for _ in range(height)]
        for number in self.numbers:
            cells[number.row][number.column] = number.text
        return cells

    def __repr__(self) -> str:
        count = len(self.numbers)
        numbers = "1 number" if count == 1 else f"{count} numbers"
        return f"Reading({self.text!r}, {numbers}, {len(self.unread)} unread)"

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the tiles, for JSON."""
        return {
            "text": self.text,
            "digits": [digit.to_dict() for digit in self.digits],
            "numbers": [number.to_dict() for number in self.numbers],
            "unread": list(self.unread),
            "turned": self.turned,
        }

    def _repr_png_(self) -> bytes | None:
        """Return the photo with its boxes, which a notebook shows; None if it is gone."""
        from qdigits.imaging.annotate import annotated_png

        return None if self.source is None else annotated_png(self.source, self)


def _doubt(answer: Prediction | Number) -> str:
    return "" if answer.accepted else ", not accepted"
