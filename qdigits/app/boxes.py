"""The photo with a box for each digit, to tap: a Streamlit component."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from qdigits.predictor import Box

HERE = Path(__file__).parent

_component = st.components.v2.component(
    "digit_boxes",
    html='<div class="frame"></div>',
    css=(HERE / "boxes.css").read_text(),
    js=(HERE / "boxes.js").read_text(),
)


class LabelledBox(NamedTuple):
    """One box on a photo."""

    box: Box  # left, top, right, bottom in pixels of the photo
    label: str  # stands above the box
    words: str  # what a screen reader says
    kind: str  # "sure", "doubtful" (dashed) or "unread" (dashed, grey, not to be tapped)


def tappable_photo(
    url: str,
    words: str,
    size: tuple[int, int],
    boxes: list[LabelledBox],
    key: str,
    on_choice: Callable[[int], None],
) -> None:
    """Show a photo with boxes.

    Args:
        url: The photo, at any size.
        words: What a screen reader says of the photo.
        size: Width and height, in the pixels that the boxes are given in.
        boxes: The boxes.
        key: What tells this photo from others on the page.
        on_choice: Called with the number of the box that was tapped.
    """
    width, height = size
    shown = []
    for box, label, spoken, kind in boxes:
        left, top, right, bottom = box
        share = [left / width, top / height, (right - left) / width, (bottom - top) / height]
        shown.append({"share": share, "label": label, "words": spoken, "kind": kind})

    def choose() -> None:
        chosen = st.session_state[key].get("chosen")
        if chosen is not None and 0 <= int(chosen) < len(boxes):
            on_choice(int(chosen))

    _component(
        key=key,
        data={"url": url, "words": words, "boxes": shown},
        on_chosen_change=choose,
    )
