"""The page: what is shown, in which order. Each tab is a file of its own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# A reader takes one core, or visitors slow each other down; torch looks at this when it is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from qdigits.app import check, draw, photo, quality, train
from qdigits.app.memory import share_memory_between_threads
from qdigits.app.model_picker import choose_models
from qdigits.app.session import OpenModel
from qdigits.imaging.threads import use_one_thread

HERE = Path(__file__).parent

share_memory_between_threads()
use_one_thread()


class Tab(NamedTuple):
    """One tab: its file's `show`, and whether it is built only while it is looked at."""

    show: Callable[[dict[str, OpenModel]], None]
    only_when_open: bool = False


TABS = {
    "Draw": Tab(draw.show),
    "Photo": Tab(photo.show),
    "Check": Tab(check.show),
    "Train": Tab(train.show, only_when_open=True),
    "How good is it?": Tab(quality.show, only_when_open=True),
}


def main() -> None:
    """Show the page to one visitor; Streamlit calls this again after each action."""
    st.set_page_config("qdigits", str(photo.EXAMPLES / "seven.png"), layout="wide")
    st.html(HERE / "page.css")
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        with st.container(gap="xsmall", width="content"):
            st.title("qdigits")
            with st.container(key="tagline"):
                st.write("Reads handwritten digits and says honestly how sure it is.")
        with st.container(width="content"):
            models = choose_models()
    tabs = st.tabs(list(TABS), key="tab", bind="query-params")
    for place, tab in zip(tabs, TABS.values(), strict=True):
        with place:
            if place.open or not tab.only_when_open:
                tab.show(models)


if __name__ == "__main__":  # an installed package: `qdigits app` has Streamlit run this file
    main()
