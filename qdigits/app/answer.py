"""One answer: the digits, how sure the network is, and how it got there."""

import os
from html import escape
from threading import BoundedSemaphore

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qdigits.app.explain import data_url, png
from qdigits.app.formatting import inert_csv, percent
from qdigits.app.inside import show_inside
from qdigits.app.learn import HONESTY, show_chapter_link
from qdigits.app.model_picker import title_of
from qdigits.app.session import DRAWING, NO_DIGIT, OpenModel, keep, review_items
from qdigits.batch import describe_reading, sheet_table
from qdigits.imaging.annotate import mark_doubt
from qdigits.predictor import Number, Prediction, Reading, predict, read

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


@st.cache_data(max_entries=1000, show_spinner=False)
def _predict_cached(picture: str, identity: tuple, _data: bytes, _model: OpenModel) -> Prediction:
    with cores():
        return predict(_model.model, _data)


def digits_to_show(picture: str, model: OpenModel, data: bytes) -> tuple[Prediction, ...]:
    """Return the digits that were read or, where none was, what comes closest to one."""
    digits = read_cached(picture, model, data).digits
    return digits or (_predict_cached(picture, model.identity, data, model),)


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
    answering = next(iter(models.values()))
    answer = read_cached(picture, answering, data)
    digits = digits_to_show(picture, answering, data)
    top = st.container(
        horizontal=True, vertical_alignment="bottom", gap="medium", key=f"top {name}"
    )
    for each, model in models.items():
        reading = read_cached(picture, model, data)
        size = "few" if len(reading.text) < SHORT else "many"
        with top.container(width="content", gap=None, key=f"{size} {name} {each}"):
            closest = digits_to_show(picture, model, data)[0]
            show_text(reading, closest)
            heading = f"{title_of(each)}  \n" if len(models) > 1 else ""
            st.caption(heading + in_words(reading, closest))
    number = 0
    if len(digits) > 1:
        top = st.container(horizontal=True, vertical_alignment="center")
        number = choose_digit(answer, top, key=choice_key(picture))
    tile = data_url(png(digits[number].tile))
    top.image(tile, "what it saw", width=96, alt="The tile that the network saw")
    shown = {}
    for each, model in models.items():
        theirs = digits_to_show(picture, model, data)
        if len(theirs) == len(digits):
            shown[title_of(each)] = theirs[number]
    show_probabilities(shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Keep for checking", key=f"keep {name}"):
            keep_for_checking([(name, digits)])
        show_chapter_link(HONESTY, name)
    show_table(answer, name)
    with below:
        show_inside(name, answering, data, digits[number], answer.turned)


def show_text(reading: Reading, closest: Prediction) -> None:
    """Show what was read, large, with a question mark behind every number that is in doubt."""
    if len(reading.text) > 1:
        st.code(text_with_doubts(reading), language=None, width="content")
        return
    text = text_with_doubts(reading)
    kind = "" if text else "words"
    nothing = "nothing read" if closest.accepted else "no digit"
    st.html(f'<div class="answer {kind}" role="status">{escape(text) or nothing}</div>')


def text_with_doubts(reading: Reading) -> str:
    """Write the numbers of a reading as they stand in rows; "?" marks those that are in doubt."""
    rows: dict[int, list[str]] = {}
    for number in reading.numbers:
        rows.setdefault(number.row, []).append(mark_doubt(number))
    return "\n".join(" ".join(rows[row]) for row in sorted(rows))


def in_words(reading: Reading, closest: Prediction) -> str:
    """Say how sure the network is, how the picture was turned, and what was not read.

    Args:
        reading: What was read.
        closest: Its first digit or, where none was read, what comes closest to one.
    """
    words = describe_certainty(reading) if reading.numbers else describe_closest(closest)
    beside = describe_reading(reading)
    return f"{words}. {beside[0].upper()}{beside[1:]}." if beside else words


def describe_certainty(reading: Reading) -> str:
    """Say how sure the network is of the numbers that it read."""
    sure = percent(reading.confidence)
    if len(reading.numbers) == 1:
        return f"{sure} sure" if reading.accepted else f"In doubt: {sure} sure"
    doubtful = sum(not number.accepted for number in reading.numbers)
    numbers = f"{len(reading.numbers)} numbers, {doubtful or 'none'} of them doubtful"
    return f"{numbers}; the least sure {sure}"


def describe_closest(closest: Prediction) -> str:
    """Say what a picture without a number comes closest to."""
    digit = max(range(10), key=closest.probabilities.__getitem__)
    chance = percent(closest.probabilities[digit])
    if closest.accepted:
        return f"It found no number here. The mark that it sees, alone, is {digit}: {chance}"
    return f"This does not look like a digit. The closest is {digit}: {chance}"


def describe_digits(reading: Reading) -> list[str]:
    """Name each digit of a reading with the number that it belongs to and its confidence."""
    return [
        describe_digit(place, found, number)
        for place, (found, number) in enumerate(digits_in_numbers(reading), start=1)
    ]


def digits_in_numbers(reading: Reading) -> list[tuple[Prediction, Number]]:
    """Return each digit, in reading order, with the number that it belongs to."""
    return [(found, number) for number in reading.numbers for found in number.digits]


def describe_digit(place: int, found: Prediction, number: Number) -> str:
    """Name one of several digits; it is in doubt where its number is."""
    doubt = "" if number.accepted else "?"
    within = f" in {number.text}" if len(number.text) > 1 else ""
    printed = ", printed" if found.printed else ""
    return f"digit {place}: {found.digit}{doubt}{within}{printed} ({percent(found.confidence)})"


def choice_key(picture: str) -> str:
    """Return under which key the session keeps which digit of a picture is looked at."""
    return f"digit of {picture}"


def choose_digit(reading: Reading, top: DeltaGenerator, key: str) -> int:
    """Let the visitor choose one of several digits; return its place among them."""
    names = describe_digits(reading)
    if st.session_state.get(key, 0) >= len(names):  # another model found fewer
        st.session_state[key] = 0
    return top.selectbox(
        "Look closer at", range(len(names)), key=key, format_func=names.__getitem__
    )


def show_probabilities(found: dict[str, Prediction]) -> None:
    """Show eleven bars for each model: the ten digits, and none of them."""
    chances = {}
    for title, prediction in found.items():
        rest = max(0.0, 1 - sum(prediction.probabilities))
        chances[title] = [*prediction.probabilities, rest]
    columns, spoken = [], []
    for place, label in enumerate([*"0123456789", NO_DIGIT]):
        each = [chances[title][place] for title in chances]
        bars = "".join(f'<span style="height:{100 * chance:.1f}%"></span>' for chance in each)
        figure = f"{100 * each[0]:.0f}" if len(each) == 1 and each[0] >= 0.005 else ""
        columns.append(
            f'<div><div class="figure">{figure}</div><div class="columns">{bars}</div>{label}</div>'
        )
        for title, chance in zip(chances, each, strict=True):
            if chance >= 0.005:
                spoken.append(f"{label} {percent(chance)} ({title})")
    words = escape(f"Probability of each digit: {', '.join(spoken)}", quote=True)
    legend = "".join(f"<span>{escape(title)}</span>" for title in chances)
    heading = "Probability in %, by the tile alone"
    if len(chances) > 1:
        heading += f'<div class="legend">{legend}</div>'
    st.html(f'{heading}<div class="bars" role="img" aria-label="{words}">{"".join(columns)}</div>')


def show_table(reading: Reading, name: str) -> None:
    """Offer the numbers as a table, where they stand in rows and columns."""
    cells = sheet_table(reading)
    if len(cells) < 2 or len(cells[0]) < 2:
        return
    table = pd.DataFrame(cells, columns=[f"column {place + 1}" for place in range(len(cells[0]))])
    with st.expander(f"As a table: {len(cells)} rows, {len(cells[0])} columns"):
        st.dataframe(table, hide_index=True)
        csv = inert_csv(table)
        st.download_button("Table (CSV)", csv, f"{name}.csv", "text/csv", on_click="ignore")


def keep_for_checking(found: list[tuple[str, tuple[Prediction, ...]]]) -> None:
    """Keep the digits of some pictures for the tab Check, and empty the pad for the next.

    Args:
        found: For each picture its name and its digits.
    """
    for name, digits in found:
        for digit in digits:
            keep(digit, name)
        if name == DRAWING:
            st.session_state.pads_cleared = st.session_state.get("pads_cleared", 0) + 1
    st.toast(f"Kept. Waiting under Check: {len(review_items())}")
    st.rerun()
