"""What one visitor has on the page: kept digits, models of their own. It lasts as long as the visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from qdigits.predictor import Model, Prediction

if TYPE_CHECKING:
    from qdigits.training.finetune import FinetuneResult

MINE = "my handwriting"  # what the fine-tuned model is called
NO_DIGIT = "none"
DRAWING = "drawing"  # the name of what stands on the pad


class OpenModel(NamedTuple):
    """A model and what tells it from every other one, so that its answers can be cached."""

    model: Model
    identity: tuple[Any, ...]


@dataclass
class ReviewItem:
    """A digit that was kept for checking."""

    tile: np.ndarray  # uint8 (28, 28)
    source: str  # the picture it came from
    read_as: str  # "0" to "9", or NO_DIGIT
    confidence: float
    truth: str | None = None  # what the visitor says it is; None while nobody has looked


def review_items() -> list[ReviewItem]:
    """Return the kept digits, oldest first; the list itself, to add to."""
    return st.session_state.setdefault("review_items", [])


def keep(found: Prediction, source: str) -> None:
    """Keep a digit for checking, unless it is kept already."""
    known = {(item.source, item.tile.tobytes()) for item in review_items()}
    if (source, found.tile.tobytes()) not in known:
        read_as = NO_DIGIT if found.digit is None else str(found.digit)
        review_items().append(ReviewItem(found.tile, source, read_as, found.confidence))


def own_models() -> dict[str, OpenModel]:
    """Return the models that the visitor trained on the page, by name."""
    return st.session_state.setdefault("own_models", {})


def finetune_result() -> FinetuneResult | None:
    """Return how the last fine-tuning went, if there was one."""
    return st.session_state.get("finetune_result")
