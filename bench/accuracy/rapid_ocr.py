"""RapidOCR (PP-OCRv6 small, weights in its wheel), which `make field` sets beside us.

Install it with `pip install -e ".[bench]"`.
"""

from __future__ import annotations

import logging
from typing import Any

import cv2
import numpy as np

from qdigits.imaging.decode import open_photo
from tools.page_scoring import Answer

VERSION = "3.10.0"
SAME_LINE = 0.5  # share of the lower box's height that two boxes of one text line have in common


class RapidReader:
    """Reads whole pages with the models and settings that RapidOCR ships; no orientation check.

    Raises:
        ImportError: RapidOCR is not installed.
    """

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._engine = RapidOCR()
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)

    def page(self, picture: Any) -> Answer:
        """Read every text line of a picture; RapidOCR refuses nothing that it returns."""
        photo, _ = open_photo(picture)  # uint8 (H, W, 3), RGB
        found = self._engine(cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), use_cls=False)
        if found.boxes is None:
            return Answer("", False)
        text = "\n".join(_text_lines(found.boxes, found.txts))
        return Answer(text, any(letter.isdigit() for letter in text))

    def digit(self, picture: Any) -> Answer:
        """Read a picture of one digit: the answer counts as one only if it is a single digit."""
        answer = self.page(picture)
        digits = "".join(letter for letter in answer.text if letter in "0123456789")
        return Answer(digits, answer.accepted)


def _text_lines(boxes: np.ndarray, texts: tuple[str, ...]) -> list[str]:
    """Join boxes (N, 4, 2) that stand side by side, lines from top to bottom."""
    lines: list[list[tuple[float, float, float, str]]] = []
    order = np.argsort([box[:, 1].mean() for box in boxes])
    for index in order:
        left, top = boxes[index].min(0)
        bottom = boxes[index][:, 1].max()
        item = (float(left), float(top), float(bottom), texts[index])
        beside = [line for line in lines if _overlap(line[-1], item) > SAME_LINE]
        if beside:
            beside[0].append(item)
        else:
            lines.append([item])
    return [" ".join(item[3] for item in sorted(line)) for line in lines]


def _overlap(one: tuple, other: tuple) -> float:
    """Return how much of the lower box's height lies beside the other box."""
    shared = min(one[2], other[2]) - max(one[1], other[1])
    return shared / max(min(one[2] - one[1], other[2] - other[1]), 1e-6)
