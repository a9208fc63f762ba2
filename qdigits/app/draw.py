"""The tab Draw: a pad, and beside it what was read on it."""

import time

import streamlit as st

from qdigits.app.answer import show_answer
from qdigits.app.pad import digit_pad
from qdigits.app.session import DRAWING, OpenModel

LIVE_SECONDS = 0.1  # an answer that takes longer comes when the pen is lifted, not while it moves


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    left, right = st.columns(2, gap="medium")
    below = st.container()
    with left:
        last = st.session_state.get("seconds_to_answer", 0.0)
        data = digit_pad(f"pad {st.session_state.get('pads_cleared', 0)}", last <= LIVE_SECONDS)
    with right:
        if data:
            began = time.perf_counter()
            show_answer(str(hash(data)), data, DRAWING, models, below)
            st.session_state.seconds_to_answer = time.perf_counter() - began
        else:
            st.write("### Draw a digit")
            st.write("With mouse, finger or pen; several, if you like. The answer appears here.")
