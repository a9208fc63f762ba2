"""One digit on a photo: the surer of two answers, and how far both together can be believed."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from qdigits.reading.detector import PageNet, find_marks
from qdigits.reading.judge import Judge, describe_single
from qdigits.reading.page import Marks, tell_apart, to_prediction
from qdigits.reading.place import Place, place_photo
from qdigits.reading.recognition import Classifier
from qdigits.reading.result import Prediction

SIDE = 256
"""Pixels: a photo of one digit is enlarged to this, where it is smaller."""


def read_single(
    net: PageNet, classify: Classifier, photo: np.ndarray, downscale: float, whole: Prediction
) -> Prediction:
    """Read a photo of one digit.

    Args:
        net: The page network; it says where something stands.
        classify: The tile network; it says what a digit is.
        photo: uint8 (H, W, 3), RGB.
        downscale: Pixels of the original picture to one of the photo's.
        whole: The tile network's answer to all the ink together.
    """
    judge = Judge.of(net.card)
    marks, _ = find_marks(net, cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), enlarged_side=SIDE)
    told = tell_apart(marks, classify, photo, judge)
    compared = compare(told, whole, place_photo(photo, downscale).place)
    if compared.answer.digit is None:
        return compared.answer
    confidence = judge.single_confidence(compared.features)
    return with_confidence(compared.answer, confidence, confidence >= judge.single_threshold)


class Compared(NamedTuple):
    """The surer of the two answers, and what tells how far it can be believed."""

    answer: Prediction
    features: np.ndarray


def compare(told: Marks, whole: Prediction, place: Place) -> Compared:
    """Compare the surest digit that was found with all the ink as one digit."""
    digits = [glyph for glyph in told.glyphs if glyph.character.isdigit()]
    surest = max(digits, key=lambda glyph: glyph.confidence, default=None)
    found = to_prediction(surest, place, accepted=False) if surest else None
    sure = found.confidence if found else 0.0
    agree = found is not None and found.digit == whole.digit
    refused = max((unread.likely for unread in told.unread), default=0.0)
    features = describe_single(sure, whole.confidence, agree, refused)
    return Compared(found if found and sure >= whole.confidence else whole, features)


def with_confidence(answer: Prediction, confidence: float, accepted: bool) -> Prediction:
    """Return an answer with another confidence; its other digits share what is left as before."""
    rest = (1 - confidence) / max(1 - answer.confidence, 1e-6)
    probabilities = [rest * probability for probability in answer.probabilities]
    assert answer.digit is not None
    probabilities[answer.digit] = confidence
    return replace(
        answer, confidence=confidence, accepted=accepted, probabilities=tuple(probabilities)
    )
