"""The browser's storage: a Streamlit component that keeps a text beyond the visit."""

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "browser_storage",
    html="<span></span>",
    js=(Path(__file__).parent / "storage.js").read_text(),
)


def stored_text(save: str | None) -> str | None:
    """Keep a text in the browser, and return the one kept by an earlier visit.

    Args:
        save: What to keep; None leaves what is there.

    Returns:
        What an earlier visit kept; None as long as nothing is known of it.
    """
    known = st.session_state.get("storage", {}).get("found") is not None
    found = _component(
        key="storage",
        data={"save": save, "known": known},
        default={"found": None},
        on_found_change=lambda: None,
    ).found
    return found or None
