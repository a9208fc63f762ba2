"""What one visitor has on the page: kept digits, models of their own.

Streamlit keeps it as long as the visit; the browser keeps the digits beyond that (storage.py).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from qdigits.predictor import Model, Prediction

if TYPE_CHECKING:
    from qdigits.training.finetune import FinetuneResult

MINE = "my handwriting"  # what the fine-tuned model is called
NO_DIGIT = "none"
LABELS = [*"0123456789", NO_DIGIT]
DRAWING = "drawing"  # the name of what stands on the pad
MAX_ITEMS = 2000  # kept digits; more would fill the browser's storage


class OpenModel(NamedTuple):
    """A model and what tells it from every other one, so that its answers can be cached."""

    model: Model
    identity: tuple[Any, ...]


@dataclass
class ReviewItem:
    """A digit that was kept for checking."""

    tile: np.ndarray  # uint8 (28, 28)
    source: str  # the picture it came from
    read_as: str  # one of LABELS
    confidence: float
    truth: str | None = None  # what the visitor says it is; None while nobody has looked

    @property
    def state(self) -> str:
        """Whether the answer is "unchecked", "right", "wrong", or there is "none" to be right."""
        if self.truth is None:
            return "unchecked"
        if self.truth == NO_DIGIT:
            return "none"
        return "right" if self.truth == self.read_as else "wrong"


def review_items() -> list[ReviewItem]:
    """Return the kept digits, oldest first; the list itself, to add to."""
    return st.session_state.setdefault("review_items", [])


def add_items(items: list[ReviewItem]) -> None:
    """Keep digits for checking, but for those that are kept already.

    What an earlier visit left in the browser is taken up first, or it would be lost.
    """
    known = {(item.source, item.tile.tobytes()) for item in review_items()}
    for item in st.session_state.pop("offered", []) + items:
        if (item.source, item.tile.tobytes()) not in known and len(review_items()) < MAX_ITEMS:
            review_items().append(item)
    st.session_state.items_changed = True


def keep(found: Prediction, source: str) -> None:
    """Keep a digit for checking, unless it is kept already."""
    read_as = NO_DIGIT if found.digit is None else str(found.digit)
    add_items([ReviewItem(found.tile, source, read_as, found.confidence)])


def labelled_digits() -> list[tuple[np.ndarray, str]]:
    """Return the tiles that somebody checked, and what they really are."""
    return [(item.tile, item.truth) for item in review_items() if item.truth is not None]


def items_as_text(items: list[ReviewItem]) -> str:
    """Write kept digits for the browser's storage."""
    rows = []
    for item in items:
        tile = base64.b64encode(item.tile.tobytes()).decode()
        rows.append([tile, item.source, item.read_as, item.confidence, item.truth])
    return json.dumps(rows)


def items_from_text(text: str) -> list[ReviewItem]:
    """Read kept digits from the browser's storage; what is no such thing gives none."""
    items = []
    try:
        for tile, source, read_as, confidence, truth in json.loads(text)[:MAX_ITEMS]:
            pixels = np.frombuffer(base64.b64decode(tile), np.uint8).reshape(28, 28)
            if read_as in LABELS and truth in (*LABELS, None):
                items.append(ReviewItem(pixels, str(source), read_as, float(confidence), truth))
    except (ValueError, TypeError, KeyError):
        return []
    return items


def own_models() -> dict[str, OpenModel]:
    """Return the models that the visitor trained on the page, by name."""
    return st.session_state.setdefault("own_models", {})


def finetune_result() -> FinetuneResult | None:
    """Return how the last fine-tuning went, if there was one."""
    return st.session_state.get("finetune_result")
