"""Teaching: a copy of the model learns one person's handwriting from the checked digits."""

from importlib.util import find_spec
from typing import Any
from uuid import uuid4

import streamlit as st

from qdigits.app.learn import TRAINING, show_chapter_link
from qdigits.app.model_picker import bundled_models, use
from qdigits.app.session import (
    MINE,
    NO_DIGIT,
    OpenModel,
    finetune_result,
    labelled_digits,
    own_models,
)
from qdigits.errors import QDigitsError
from qdigits.predictor import load_model

MIN_DIGITS = 20  # what fine-tuning needs


def show_teaching(name: str, opened: OpenModel) -> None:
    """Offer to teach a copy of the model, from what was checked."""
    st.subheader("Teach it your handwriting")
    if not find_spec("torch"):
        st.write(
            "Teaching needs PyTorch: `pip install 'qdigits[train]'`, then start the page anew."
        )
        return
    st.write(
        "A copy of the model learns from the digits you checked, in seconds."
        " A third of them is kept aside, to measure it on."
    )
    show_chapter_link(TRAINING, "teach")
    digits = [(tile, int(label)) for tile, label in labelled_digits() if label != NO_DIGIT]
    if len(digits) < MIN_DIGITS:
        words = f"{len(digits)} of {MIN_DIGITS} digits checked: {MIN_DIGITS} are enough."
        st.progress(len(digits) / MIN_DIGITS, words)
    elif st.button(f"Learn from these {len(digits)} digits", type="primary"):
        teach(digits, name, opened)
    if finetune_result():
        show_finetune_result()


def model_to_teach(name: str, opened: OpenModel) -> Any:
    """Return the network itself: a bundled model's .onnx file cannot learn."""
    return load_model(f"{name}.pth", "cpu") if name in bundled_models() else opened.model


def teach(digits: list[tuple[Any, int]], name: str, opened: OpenModel) -> None:
    """Fine-tune a copy of the model, and keep it among the visitor's own models."""
    from qdigits.training.finetune import STEPS, finetune

    tiles, labels = zip(*digits, strict=True)
    bar = st.progress(0.0, "Learning …")
    chart = st.empty()
    losses: list[float] = []

    def show_loss(loss: float) -> None:
        losses.append(loss)
        bar.progress(len(losses) / STEPS, f"Learning: batch {len(losses)} of {STEPS}")
        chart.line_chart({"loss": losses}, height=160, x_label="batch", y_label="loss")

    try:
        result = finetune(model_to_teach(name, opened), tiles, labels, on_step=show_loss)
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
    if result.after.right == result.before.right:
        st.write("That changed nothing on your digits: it read them as well before.")
    chosen = st.session_state.get("model")
    old = chosen if chosen in bundled_models() else next(iter(bundled_models()))
    with st.container(horizontal=True):
        if st.button("Use mine", type="primary", on_click=use, args=(MINE,)):
            st.rerun()  # the whole page, not this tab alone
        if st.button("Compare with the old one", on_click=use, args=(old, MINE)):
            st.rerun()
        st.download_button("Model (.pth)", result.file(), "my_handwriting.pth", on_click="ignore")
