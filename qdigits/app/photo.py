"""The tab Photo: pictures from files, from the camera or from the examples, and what was read."""

from functools import partial
from typing import NamedTuple

import pandas as pd
import streamlit as st

from qdigits.app.answer import (
    choice_key,
    cores,
    describe_digits,
    digits_in_numbers,
    digits_to_show,
    keep_for_checking,
    read_cached,
    show_answer,
    text_with_doubts,
)
from qdigits.app.boxes import LabelledBox, tappable_photo
from qdigits.app.explain import Preview, preview
from qdigits.app.formatting import inert_csv, percent, plain
from qdigits.app.session import OpenModel
from qdigits.app.uploads import MAX_MEGABYTES, explained_refusals
from qdigits.batch import describe_reading
from qdigits.errors import ImageError
from qdigits.files import ROOT
from qdigits.predictor import Reading

EXAMPLES = next(
    folder for folder in (ROOT.parent / "examples", ROOT / "examples") if folder.exists()
)  # a clone, an installed package
EXAMPLE_FILES = {
    "a tile": "seven.png",
    "a photo": "photo.jpg",
    "a year": "year.jpg",
    "a page": "page.jpg",
    "a form": "form.jpg",
    "no digit": "star.jpg",
}


class Picture(NamedTuple):
    """A picture that the visitor brought."""

    name: str
    data: bytes


@st.cache_data(max_entries=64, show_spinner=False)
def preview_cached(picture: str, _data: bytes) -> Preview:
    """Make a picture small enough for the screen, once."""
    with cores():
        return preview(_data)


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    pictures, asked = collect_pictures()
    model = next(iter(models.values()))
    readings: dict[str, Reading | None] = {}
    with st.spinner("Reading …"):
        for picture, (name, data) in pictures.items():
            try:
                preview_cached(picture, data)
                readings[picture] = read_cached(picture, model, data) if picture in asked else None
            except ImageError as error:
                st.error(plain(f"{name} cannot be read: {error}"))
    if readings:
        names = [pictures[picture].name for picture in readings]
        number = 0 if len(names) == 1 else choose_picture(names, readings, pictures, model)
        chosen = list(readings)[number]
        show_result(chosen, pictures[chosen], readings[chosen], models)


def collect_pictures() -> tuple[dict[str, Picture], set[str]]:
    """Show where pictures come from.

    Returns:
        The pictures by what tells them apart, and which of them are to be read.
    """
    with explained_refusals("photo", f"pictures of at most {MAX_MEGABYTES} MB each"):
        files = st.file_uploader(
            "Pictures of digits: one, many, or a folder dragged here",
            accept_multiple_files=True,
            max_upload_size=MAX_MEGABYTES,
            on_change=forget_example,
        )
    by_name = sorted(files, key=lambda file: file.name)
    pictures = {file.file_id: Picture(file.name, file.getvalue()) for file in by_name}
    asked = st.session_state.setdefault("asked", set())
    row = st.container(horizontal=True, vertical_alignment="center")
    pressed = row.button("Predict", type="primary")
    if row.toggle("Use the camera") and camera_allowed():
        shot = st.camera_input("Point it at digits", on_change=forget_example)
        if shot:
            pictures = {shot.file_id: Picture("camera", shot.getvalue())} | pictures
            asked.add(shot.file_id)
    if pressed:
        asked.update(pictures)
        forget_example()
        if not pictures:
            st.info("Choose a picture first, or take one of the examples.")
    example = st.pills("Or try an example", EXAMPLE_FILES, key="example", bind="query-params")
    if example:
        name = EXAMPLE_FILES[example]
        pictures = {example: Picture(name, (EXAMPLES / name).read_bytes())}
        asked.add(example)
    return pictures, asked


def camera_allowed() -> bool:
    """Say why there is no camera where browsers allow none: at an address without HTTPS."""
    url = st.context.url or ""
    here = ("http://localhost", "http://127.0.0.1", "http://[::1]")
    if url.startswith("http://") and not url.startswith(here):
        st.info(
            "Browsers lend the camera only to pages with HTTPS, and this one has none."
            " Press *Upload* instead: on a phone it offers the camera, too."
        )
        return False
    return True


def forget_example() -> None:
    """Put the example aside: the visitor brought a picture."""
    st.session_state.example = None


def choose_picture(
    names: list[str],
    readings: dict[str, Reading | None],
    pictures: dict[str, Picture],
    model: OpenModel,
) -> int:
    """Show many pictures as a table; return the number of the one to look at."""
    rows, kept = [], []
    for picture, reading in readings.items():
        if reading is None:
            continue
        name, data = pictures[picture]
        text = text_with_doubts(reading) or "no digit"
        rows.append((name, text, percent(reading.confidence), describe_reading(reading)))
        kept.append((name, digits_to_show(picture, model, data)))
    if rows:
        table = pd.DataFrame(rows, columns=["picture", "numbers", "least sure", "notes"])
        st.dataframe(table, hide_index=True)
        with st.container(horizontal=True):
            csv = inert_csv(table)
            st.download_button("Readings (CSV)", csv, "readings.csv", "text/csv", on_click="ignore")
            if st.button("Keep all for checking"):
                keep_for_checking(kept)
    return st.selectbox("Look at", range(len(names)), format_func=lambda i: f"{i + 1}. {names[i]}")


def show_result(
    picture: str, brought: Picture, reading: Reading | None, models: dict[str, OpenModel]
) -> None:
    """Show one picture, and what was read on it."""
    name, data = brought
    with st.container(key="result"):  # page.css puts the answer first on phones
        left, right = st.columns(2, gap="medium")
        below = st.container()
        with left:
            shown = preview_cached(picture, data)
            tappable_photo(
                shown.url,
                f"The picture {name}",
                shown.size,
                boxes_of(reading) if reading and shown.with_boxes else [],
                key=f"photo {picture}",
                on_choice=partial(look_closer, picture),
            )
            grey = "  \nGrey boxes: not read." if reading and reading.unread else ""
            st.caption(plain(name) + grey)
        if reading:
            with right:
                show_answer(picture, data, name, models, below)


def boxes_of(reading: Reading) -> list[LabelledBox]:
    """Return a box for each digit, in order, and one for each mark that was not read."""
    boxes = []
    names = describe_digits(reading)
    for (found, number), words in zip(digits_in_numbers(reading), names, strict=True):
        assert found.box is not None  # only ink is read
        label = f"{found.digit}{'' if number.accepted else '?'}"
        kind = "sure" if number.accepted else "doubtful"
        boxes.append(LabelledBox(found.box, label, words, kind))
    for box in reading.unread:
        boxes.append(LabelledBox(box, "", "not read", "unread"))
    return boxes


def look_closer(picture: str, number: int) -> None:
    """Show the details of the digit whose box was tapped."""
    st.session_state[choice_key(picture)] = number
