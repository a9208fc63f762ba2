"""Uploads: why a file was not taken stands on the page; Streamlit says it on hover only."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

MAX_MEGABYTES = 30  # of one upload; a phone's photograph has 3 to 15


@contextmanager
def explained_refusals(place: str, wanted: str) -> Iterator[None]:
    """Put words below an uploader, which page.css shows as soon as it refuses a file.

    Args:
        place: What tells this uploader from others on the page.
        wanted: Which files it takes.
    """
    with st.container(key=f"uploads {place}", gap="xsmall"):
        yield
        words = escape(f"A file with a red mark was not taken. This takes {wanted}.")
        st.html(f'<p class="refused" role="alert">{words}</p>')
