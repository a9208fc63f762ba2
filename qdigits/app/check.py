"""The tab Check: the kept digits, to correct, to take away and to teach from."""

from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import streamlit as st

from qdigits.app.explain import data_url, labelled_folder, png
from qdigits.app.model_picker import use
from qdigits.app.session import (
    MINE,
    NO_DIGIT,
    OpenModel,
    finetune_result,
    own_models,
    review_items,
)
from qdigits.errors import QDigitsError

MIN_DIGITS = 20  # what fine-tuning needs
COLUMNS = {
    "picture": st.column_config.ImageColumn("Picture", width="small"),
    "read": st.column_config.TextColumn("Read as", width="small"),
    "true": st.column_config.SelectboxColumn(
        "Really", options=[*"0123456789", NO_DIGIT], required=True, width="small"
    ),
    "sure": st.column_config.NumberColumn("Sure", format="percent", width="small"),
    "from": st.column_config.TextColumn("From"),
}


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    if not review_items():
        st.subheader("Nothing to check yet")
        st.write(
            "Draw or photograph digits and press *Keep for checking*."
            " They gather here; you say what is right."
        )
    else:
        show_table()
    show_teaching(labelled_digits(), next(iter(models.values())).model)


def labelled_digits() -> list[tuple[np.ndarray, int]]:
    """Return the tiles of all kept digits, and what they really are."""
    labelled = [(item.tile, item.truth or item.read_as) for item in review_items()]
    return [(tile, int(label)) for tile, label in labelled if label != NO_DIGIT]


def show_table() -> None:
    """Show the kept digits as a table."""
    said = st.empty()
    rows = []
    for item in review_items():
        picture, truth = data_url(png(item.tile)), item.truth or item.read_as
        rows.append((picture, item.read_as, truth, item.confidence, item.source))
    edited = st.data_editor(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        hide_index=True,
        key=f"table {st.session_state.get('tables_emptied', 0)}",
        row_height=44,
        disabled=[name for name in COLUMNS if name != "true"],
        column_config=COLUMNS,
    )
    for item, truth in zip(review_items(), edited["true"], strict=True):
        item.truth = truth
    right = sum(item.read_as == item.truth for item in review_items())
    said.write(
        f"**{right} of {len(review_items())} right.**"
        " Where one is wrong, say under *Really* what it is."
    )
    digits = labelled_digits()
    csv = edited.drop(columns="picture").to_csv(index=False)
    with st.container(horizontal=True):
        st.download_button("Table (CSV)", csv, "digits.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Labelled folder (zip)", labelled_folder(digits), "digits.zip", on_click="ignore"
        )
        if st.button("Forget all"):
            review_items().clear()
            # A fresh table, without old edits.
            st.session_state.tables_emptied = st.session_state.get("tables_emptied", 0) + 1
            st.rerun()


def show_teaching(digits: list[tuple[np.ndarray, int]], model: Any) -> None:
    """Offer to teach a copy of the model one person's handwriting."""
    st.subheader("Teach it your handwriting")
    st.write(
        "A copy of the model learns from your digits in seconds."
        " A third of them is kept aside, to measure it on."
    )
    if len(digits) < MIN_DIGITS:
        words = f"{len(digits)} of {MIN_DIGITS} digits kept; {MIN_DIGITS} are enough to learn from."
        st.progress(len(digits) / MIN_DIGITS, words)
    elif st.button(f"Learn from these {len(digits)} digits", type="primary"):
        teach(digits, model)
    if finetune_result():
        show_finetune_result()


def teach(digits: list[tuple[np.ndarray, int]], model: Any) -> None:
    """Fine-tune a copy of the model, and keep it among the visitor's own models."""
    from qdigits.training.finetune import finetune

    try:
        with st.spinner("Learning …", show_time=True):
            result = finetune(model, [tile for tile, _ in digits], [label for _, label in digits])
    except QDigitsError as error:
        st.error(str(error))
        return
    st.session_state.finetune_result = result
    own_models()[MINE] = OpenModel(result.model, (MINE, uuid4().hex))
    st.rerun()


def show_finetune_result() -> None:
    """Show what the last teaching brought, and offer to use it."""
    result = finetune_result()
    assert result is not None
    rates = {
        "Your digits, those it did not learn from": (result.before, result.after),
        "Other people's digits, from MNIST": (result.others_before, result.others_after),
    }
    columns = st.columns(2, gap="large")
    for column, (label, (before, after)) in zip(columns, rates.items(), strict=True):
        column.metric(label, f"{after.right} of {after.count} right")
        column.caption(f"before: {before.right} of {before.count}")
    with st.container(horizontal=True):
        st.download_button("Model (.pth)", result.file(), "my_handwriting.pth", on_click="ignore")
        old = st.session_state.model
        if st.button("Compare with the old one", on_click=use, args=(old, MINE)):
            st.rerun()  # the whole page, not this tab alone
