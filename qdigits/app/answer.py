"""One answer: the digits, how sure the network is, and how it got there."""

import os
from html import escape
from threading import BoundedSemaphore

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qdigits.app.explain import data_url, nearest_examples, pipeline_steps, png
from qdigits.app.formatting import percent
from qdigits.app.model_picker import title_of
from qdigits.app.session import DRAWING, OpenModel, keep, review_items
from qdigits.predictor import Prediction, Reading, read

SHORT = 7  # letters: an answer below this is shown as large as a single digit


@st.cache_resource
def cores() -> BoundedSemaphore:
    """Return the processor's cores: visitors queue for them, instead of all being slow."""
    return BoundedSemaphore(os.cpu_count() or 1)


def read_cached(picture: str, model: OpenModel, data: bytes) -> Reading:
    """Read a picture, once for each model."""
    return _read_cached(picture, model.identity, data, model)


@st.cache_data(max_entries=1000, show_spinner=False)
def _read_cached(picture: str, identity: tuple, _data: bytes, _model: OpenModel) -> Reading:
    with cores():
        return read(_model.model, _data)


def show_answer(
    picture: str, data: bytes, name: str, models: dict[str, OpenModel], below: DeltaGenerator
) -> None:
    """Show what each model read on one picture.

    Args:
        picture: What tells this picture from all others.
        data: The picture, a file.
        name: What the visitor calls it.
        models: The model that answers, and those to compare it with.
        below: Where to show how the answer came about.
    """
    readings = {each: read_cached(picture, model, data) for each, model in models.items()}
    first = next(iter(readings.values()))
    digits, count, number = first.digits, len(first.digits), 0
    top = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    for each, reading in readings.items():
        size = "few" if len(reading.text) < SHORT else "many"
        with top.container(width="content", gap=None, key=f"{size} {name} {each}"):
            show_text(reading)
            heading = f"{title_of(each)}  \n" if len(readings) > 1 else ""
            st.caption(heading + in_words(reading))
    if count == 0:
        return
    if count > 1:
        top = st.container(horizontal=True, vertical_alignment="bottom")
        number = choose_digit(digits, top, key=f"digit {name} {first.text}")
    tile = data_url(png(digits[number].tile))
    top.image(tile, "what it saw", width=96, alt="The tile that the network saw")
    comparable = {
        title_of(each): reading.digits[number]
        for each, reading in readings.items()
        if len(reading.digits) == count
    }
    show_probabilities(comparable)
    if st.button("Keep for checking", key=f"keep {name}"):
        keep_for_checking([(name, first)])
    how = below.expander("How did it get there?", on_change="rerun", key=f"how {name}")
    if how.open:
        with how:
            show_pipeline(next(iter(models.values())), data, digits[number])


def show_text(reading: Reading) -> None:
    """Show what was read, large."""
    if len(reading.digits) > 1:
        st.code(reading.text, language=None, width="content")
        return
    unsure = "" if any(found.accepted for found in reading.digits) else "unsure"
    text = escape(reading.text) or "–"
    st.html(f'<div class="answer {unsure}" role="status">{text}</div>')


def in_words(reading: Reading) -> str:
    """Say how sure the network is."""
    if not reading.digits:
        return "There is nothing here that looks like a digit."
    if len(reading.digits) > 1:
        doubtful = sum(not found.accepted for found in reading.digits)
        least = percent(min(found.confidence for found in reading.digits))
        digits = f"{len(reading.digits)} digits, {doubtful or 'none'} of them doubtful"
        return f"{digits}; the least sure {least}"
    found = reading.digits[0]
    if found.accepted:
        return f"{percent(found.confidence)} sure"
    closest = max(range(10), key=found.probabilities.__getitem__)
    chance = percent(found.confidence)
    return f"This does not look like a digit. The closest is {closest}: {chance}"


def choose_digit(digits: tuple[Prediction, ...], top: DeltaGenerator, key: str) -> int:
    """Let the visitor choose one of several digits; return its number."""

    def describe(number: int) -> str:
        found = digits[number]
        return f"digit {number + 1}: {found.digit}" + ("" if found.accepted else ", doubtful")

    return top.selectbox("Look closer at", range(len(digits)), key=key, format_func=describe)


def show_probabilities(found: dict[str, Prediction]) -> None:
    """Show ten bars for each model."""
    rows = []
    for title, prediction in found.items():
        for digit, probability in enumerate(prediction.probabilities):
            rows.append((str(digit), probability, title))
    table = pd.DataFrame(rows, columns=["digit", "probability", "model"])
    y_axis = alt.Axis(format="%", tickCount=3)
    legend = alt.Legend(orient="top") if len(found) > 1 else None
    bars = (
        alt.Chart(table)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            alt.X("digit", title=None, axis=alt.Axis(labelAngle=0)),
            alt.Y("probability", title=None, scale=alt.Scale(domain=[0, 1]), axis=y_axis),
            alt.XOffset("model", sort=list(found)),
            alt.Color("model", sort=list(found), title=None, legend=legend),
            tooltip=["model", "digit", alt.Tooltip("probability", format=".1%")],
        )
    )
    spoken = [f"{digit} {share:.0%} ({title})" for digit, share, title in rows if share >= 0.005]
    st.altair_chart(bars, height=190, alt=f"Probability of each digit: {', '.join(spoken)}")


def show_pipeline(model: OpenModel, data: bytes, found: Prediction) -> None:
    """Show the way from the picture to the answer."""
    with cores():
        pictures = pipeline_steps(model.model, data, found) | nearest_examples(found)
    with st.container(horizontal=True):
        for title, step in pictures.items():
            st.image(data_url(png(step)), title, width=116, alt=title)
    st.caption(
        "From your picture to the tile that the network saw."
        " The redder the ink, the more it decided."
    )


def keep_for_checking(readings: list[tuple[str, Reading]]) -> None:
    """Keep all digits of some pictures for the tab Check, and empty the pad for the next."""
    for name, reading in readings:
        for found in reading.digits:
            keep(found, name)
        if name == DRAWING:
            st.session_state.pads_cleared = st.session_state.get("pads_cleared", 0) + 1
    st.toast(f"Kept. Waiting under Check: {len(review_items())}")
    st.rerun()
