"""The tab Photo: pictures from files, from the camera or from the examples, and what was read."""

from pathlib import Path

import pandas as pd
import streamlit as st

from qdigits.app.answer import cores, keep_for_checking, read_cached, show_answer
from qdigits.app.explain import preview
from qdigits.app.session import OpenModel
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
SUFFIXES = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
Pictures = dict[str, tuple[str, bytes]]  # id → name, file


@st.cache_data(max_entries=64, show_spinner=False)
def preview_cached(picture: str, model: tuple, _data: bytes, _reading: Reading | None) -> str:
    """Draw the boxes on a picture, once."""
    with cores():
        return preview(_data, _reading or Reading("", ()))


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    pictures, asked = collect_pictures()
    model = next(iter(models.values()))
    readings: dict[str, Reading | None] = {}
    with st.spinner("Reading …"):
        for picture, (name, data) in pictures.items():
            try:
                preview_cached(picture, (), data, None)
                readings[picture] = read_cached(picture, model, data) if picture in asked else None
            except ImageError as error:
                st.error(f"{name} cannot be read: {error}")
    if readings:
        names = [pictures[picture][0] for picture in readings]
        chosen = list(readings)[choose_picture(names, list(readings.values()))]
        show_result(chosen, *pictures[chosen], readings[chosen], models)


def collect_pictures() -> tuple[Pictures, set[str]]:
    """Show where pictures come from.

    Returns:
        The pictures, and which of them are to be read.
    """
    files = st.file_uploader(
        "Pictures of digits: one, many, or a folder dragged here",
        SUFFIXES,
        accept_multiple_files=True,
        on_change=forget_example,
    )
    by_name = sorted(files, key=lambda file: file.name)
    pictures = {file.file_id: (file.name, file.getvalue()) for file in by_name}
    asked = st.session_state.setdefault("asked", set())
    row = st.container(horizontal=True, vertical_alignment="center")
    pressed = row.button("Predict", type="primary")
    if row.toggle("Use the camera"):
        shot = st.camera_input("Point it at digits", on_change=forget_example)
        if shot:
            pictures = {shot.file_id: ("camera", shot.getvalue())} | pictures
            asked.add(shot.file_id)
    if pressed:
        asked.update(pictures)
        forget_example()
        if not pictures:
            st.info("Choose a picture first, or take one of the examples.")
    example = st.pills("Or try an example", EXAMPLE_FILES, key="example", bind="query-params")
    if example:
        name = EXAMPLE_FILES[example]
        pictures = {example: (name, (EXAMPLES / name).read_bytes())}
        asked.add(example)
    return pictures, asked


def forget_example() -> None:
    """Put the example aside: the visitor brought a picture."""
    st.session_state.example = None


def choose_picture(names: list[str], readings: list[Reading | None]) -> int:
    """Show many pictures as a table; return the number of the one to look at."""
    if len(names) == 1:
        return 0
    known = [(name, reading) for name, reading in zip(names, readings, strict=True) if reading]
    if known:
        show_table(known)
    return st.selectbox("Look at", range(len(names)), format_func=lambda i: f"{i + 1}. {names[i]}")


def show_table(known: list[tuple[str, Reading]]) -> None:
    """Show one row for each picture that was read, to download and to keep."""
    rows = []
    for name, reading in known:
        least_sure = min((found.confidence for found in reading.digits), default=0)
        rows.append((name, reading.text or "–", least_sure))
    table = pd.DataFrame(rows, columns=["picture", "digits", "least sure"])
    share = st.column_config.NumberColumn(format="percent")
    st.dataframe(table, hide_index=True, column_config={"least sure": share})
    with st.container(horizontal=True):
        csv = table.to_csv(index=False)
        st.download_button("Readings (CSV)", csv, "readings.csv", "text/csv", on_click="ignore")
        if st.button("Keep all for checking"):
            keep_for_checking(known)


def show_result(
    picture: str, name: str, data: bytes, reading: Reading | None, models: dict[str, OpenModel]
) -> None:
    """Show one picture, and what was read on it."""
    left, right = st.columns(2, gap="medium")
    below = st.container()
    with left:
        identity = next(iter(models.values())).identity if reading else ()
        boxes = preview_cached(picture, identity, data, reading)
        st.image(boxes, name, alt=f"The picture {name}")
    if reading:
        with right:
            show_answer(picture, data, name, models, below)
