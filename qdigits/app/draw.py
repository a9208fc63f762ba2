"""The tab Draw: a pad, and beside it what was read on it."""

import streamlit as st

from qdigits.app.answer import show_answer
from qdigits.app.pad import digit_pad
from qdigits.app.session import DRAWING, OpenModel


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    left, right = st.columns(2, gap="medium")
    below = st.container()
    with left:
        data = digit_pad(f"pad {st.session_state.get('pads_cleared', 0)}")
    with right:
        if data:
            show_answer(str(hash(data)), data, DRAWING, models, below)
        else:
            st.write("### Draw a digit")
            st.write("With mouse, finger or pen; several, if you like. The answer appears here.")
