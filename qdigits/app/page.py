"""The page: words and widgets. What they say is worked out in the package."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # a reader takes one core: torch obeys when it is first loaded

import altair as alt
import pandas as pd
import streamlit as st

from qdigits import ImageError, Prediction, QDigitsError, Reading, load_model, read
from qdigits.app.check import MINE, NO_DIGIT, check, kept, percent, quality
from qdigits.app.explain import alike, png, preview, steps, url
from qdigits.app.pad import digit_pad
from qdigits.files import BUNDLED, ROOT, resolve

EXAMPLES = next(
    folder / "examples"
    for folder in (Path(__file__).parent, ROOT)
    if (folder / "examples").exists()
)
SHOWN = {
    "a tile": "seven.png",
    "a photo": "photo.jpg",
    "a year": "year.jpg",
    "a page": "page.jpg",
    "a form": "form.jpg",
    "no digit": "star.jpg",
}
BEST, DRAWING = "mnist_model.pth", "drawing"
PICTURES = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
STYLE = """<style>
:root { --digit-pad: visible } .stMainBlockContainer { max-width: 62rem; padding-top: 2.5rem }
h1 { font-size: clamp(1.8rem, 6vw, 2.75rem) !important; padding-bottom: .25rem !important }
.answer { font-size: clamp(5rem, 20vw, 9rem); line-height: 1; font-weight: 600 }
.answer.unsure { opacity: .5 } .stCode > div { opacity: 1 !important; visibility: visible }
[data-testid="stCaptionContainer"] { opacity: .8 !important }
[data-testid="stBaseButton-primary"] p { color: light-dark(#fff, #042f2e) }
[class*="st-key-few"] pre, [class*="st-key-many"] pre { background: none; padding: .5rem 3rem .5rem 0 }
[class*="st-key-few"] code { font: 600 clamp(3.5rem, 18vw, 5.5rem)/1 "Source Sans", sans-serif }
[class*="st-key-many"] code { font-size: clamp(1.2rem, 5vw, 1.6rem) }
</style>"""

st.set_page_config("qdigits", str(EXAMPLES / "seven.png"), layout="wide")
st.html(STYLE)
cores = st.cache_resource(
    lambda: BoundedSemaphore(os.cpu_count() or 1)
)  # visitors queue, instead of all being slow


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def model_at(path: str, changed: float, size: int) -> Any:
    model = load_model(path, device="cpu")
    gc.freeze()  # Streamlit collects after every rerun: looking through all of torch each time took 0.17 s
    return model


@st.cache_data(max_entries=1000, show_spinner=False)
def reading_of(picture: str, model: tuple, _data: bytes, _model: Any) -> Reading:
    with cores():
        return read(_model, _data)


@st.cache_data(max_entries=64, show_spinner=False)
def boxes_on(picture: str, model: tuple, _data: bytes, _reading: Reading | None) -> str:
    with cores():
        return preview(_data, _reading or Reading("", ()))


@contextmanager
def complaints(name: str) -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        st.error(f"{name} cannot be read: {error}")


def open_model(name: str) -> tuple[Any, tuple] | None:
    """The model and what tells it from others; None, and words on the page, if it cannot be had."""
    if name == MINE:
        return st.session_state.mine
    path = Path(name)
    try:
        path = resolve(name, os.environ.get("QDIGITS_MODEL_ROOT", "."))
        identity = (str(path), path.stat().st_mtime, path.stat().st_size)
        return model_at(*identity), identity
    except QDigitsError as error:
        st.error(f"This model cannot be used: {str(error).replace(f'{path.parent}/', '')}")
        return None


def choose_models() -> dict[str, tuple[Any, tuple]]:
    """The model of the sidebar, and the one to compare it with."""
    bundled = [
        BEST,
        *sorted({file.name for folder in BUNDLED for file in folder.glob("mnist_*.pth")} - {BEST}),
    ]
    with st.sidebar:
        st.header("Model")
        st.session_state.setdefault("path", BEST)
        name = (
            st.text_input(
                "Model path", key="path", help="A model file in this folder, or a bundled one."
            )
            or BEST
        )
        for file in bundled:
            st.button(
                file, on_click=st.session_state.update, kwargs={"path": file}, width="stretch"
            )
        others = [*bundled, MINE] if "mine" in st.session_state else bundled
        other = st.selectbox(
            "Compare with", others, index=None, key="other", placeholder="no other model"
        )
    models = {each: open_model(each) for each in dict.fromkeys([name, other]) if each}
    return {each: opened for each, opened in models.items() if opened}


def in_words(reading: Reading) -> str:
    doubtful = sum(not one.accepted for one in reading.digits)
    if not reading.digits:
        return "There is nothing here that looks like a digit."
    if len(reading.digits) > 1:
        least = percent(min(one.confidence for one in reading.digits))
        return f"{len(reading.digits)} digits, {doubtful or 'none'} of them doubtful; the least sure {least}"
    one = reading.digits[0]
    if one.accepted:
        return f"{percent(one.confidence)} sure"
    closest = max(range(10), key=one.probabilities.__getitem__)
    return f"This does not look like a digit. The closest is {closest}: {percent(one.confidence)}"


def answer(picture: str, data: bytes, name: str, models: dict, below: Any) -> None:
    """The digits, large; how sure; the tile; what each model thought of one of them; and below, how it came about."""
    readings = {
        each: reading_of(picture, identity, data, model)
        for each, (model, identity) in models.items()
    }
    first = next(iter(readings.values()))
    digits, count, number = first.digits, len(first.digits), 0
    top = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    for each, reading in readings.items():
        size = "few" if len(reading.text) < 7 else "many"
        with top.container(width="content", gap=None, key=f"{size} {name} {each}"):
            if len(reading.digits) > 1:
                st.code(reading.text, language=None, width="content")
            else:
                unsure = "" if any(one.accepted for one in reading.digits) else "unsure"
                st.html(
                    f'<div class="answer {unsure}" role="status">{escape(reading.text) or "–"}</div>'
                )
            st.caption((f"{each}  \n" if len(readings) > 1 else "") + in_words(reading))
    if count == 0:
        return
    if count > 1:
        top = st.container(horizontal=True, vertical_alignment="bottom")
        number = top.selectbox(
            "Look closer at",
            range(count),
            key=f"digit {name} {first.text}",
            format_func=lambda i: (
                f"digit {i + 1}: {digits[i].digit}" + ("" if digits[i].accepted else ", doubtful")
            ),
        )
    top.image(
        url(png(digits[number].tile)), "what it saw", width=96, alt="The tile that the network saw"
    )
    chart(
        {
            each: reading.digits[number]
            for each, reading in readings.items()
            if len(reading.digits) == count
        }
    )
    if st.button("Keep for checking", key=f"keep {name}"):
        keep([(name, first)])
    how = below.expander("How did it get there?", on_change="rerun", key=f"how {name}")
    if how.open:
        with how, cores(), st.container(horizontal=True):
            pictures = steps(next(iter(models.values()))[0], data, digits[number]) | alike(
                digits[number]
            )
            for title, step in pictures.items():
                st.image(url(png(step)), title, width=116, alt=title)
            st.caption(
                "From your picture to the tile that the network saw. The redder the ink, the more it decided."
            )


def keep(readings: list[tuple[str, Reading]]) -> None:
    """Into the table under Check, and the pad is free for the next."""
    there = {(row["from"], row["tile"].tobytes()) for row in kept()}
    for name, one in ((name, one) for name, reading in readings for one in reading.digits):
        called = NO_DIGIT if one.digit is None else str(one.digit)
        if (name, one.tile.tobytes()) not in there:
            kept().append(
                {
                    "tile": one.tile,
                    "from": name,
                    "read": called,
                    "sure": one.confidence,
                    "true": called,
                }
            )
    st.session_state.pad = st.session_state.get("pad", 0) + (readings[0][0] == DRAWING)
    st.toast(f"Kept. Waiting under Check: {len(kept())}")
    st.rerun()


def chart(found: dict[str, Prediction]) -> None:
    """Ten bars for each model."""
    rows = [
        (str(digit), p, each)
        for each, one in found.items()
        for digit, p in enumerate(one.probabilities)
    ]
    bars = (
        alt.Chart(pd.DataFrame(rows, columns=["digit", "probability", "model"]))
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            alt.X("digit", title=None, axis=alt.Axis(labelAngle=0)),
            alt.Y(
                "probability",
                title=None,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=3),
            ),
            alt.XOffset("model", sort=list(found)),
            alt.Color(
                "model",
                sort=list(found),
                title=None,
                legend=alt.Legend(orient="top") if len(found) > 1 else None,
            ),
            tooltip=["model", "digit", alt.Tooltip("probability", format=".1%")],
        )
    )
    said = ", ".join(f"{digit} {p:.0%} ({each})" for digit, p, each in rows if p >= 0.005)
    st.altair_chart(bars, height=190, alt=f"Probability of each digit: {said}")


@st.fragment
def draw(models: dict) -> None:
    (left, right), below = st.columns(2, gap="medium"), st.container()
    with left:
        data = digit_pad(f"pad {st.session_state.get('pad', 0)}")
    with right:
        if data and models:
            answer(str(hash(data)), data, DRAWING, models, below)
        elif not data:
            st.write(
                "### Draw a digit\nWith mouse, finger or pen; several, if you like. The answer appears here."
            )


@st.fragment
def photograph(models: dict) -> None:
    own = partial(st.session_state.update, example=None)
    files = st.file_uploader(
        "Pictures of digits: one, many, or a folder dragged here", PICTURES, True, on_change=own
    )
    pictures = {
        file.file_id: (file.name, file.getvalue())
        for file in sorted(files, key=lambda file: file.name)
    }
    row, asked = (
        st.container(horizontal=True, vertical_alignment="center"),
        st.session_state.setdefault("asked", set()),
    )
    pressed = row.button("Predict", type="primary")
    if row.toggle("Use the camera") and (
        shot := st.camera_input("Point it at digits", on_change=own)
    ):
        pictures = {shot.file_id: ("camera", shot.getvalue())} | pictures
        asked.add(shot.file_id)
    if pressed:
        asked.update(pictures)
        own()
        if not pictures:
            st.info("Choose a picture first, or take one of the examples.")
    if example := st.pills("Or try an example", SHOWN, key="example"):
        pictures = {example: (SHOWN[example], (EXAMPLES / SHOWN[example]).read_bytes())}
        asked.add(example)
    (model, identity), found = next(iter(models.values()), (None, ())), {}
    with st.spinner("Reading …"):
        for picture, (name, data) in pictures.items():
            with complaints(name):
                found[picture] = (
                    reading_of(picture, identity, data, model)
                    if model and picture in asked
                    else None
                )
    if not found:
        return
    picture = list(found)[overview([(pictures[one][0], reading) for one, reading in found.items()])]
    (name, data), reading = pictures[picture], found[picture]
    (left, right), below = st.columns(2, gap="medium"), st.container()
    with left, complaints(name):
        st.image(
            boxes_on(picture, identity if reading else (), data, reading),
            name,
            alt=f"The picture {name}",
        )
    if reading:
        with right:
            answer(picture, data, name, models, below)


def overview(readings: list[tuple[str, Reading | None]]) -> int:
    """Many pictures as a table, and the number of the one to look at."""
    if len(readings) == 1:
        return 0
    if known := [(name, reading) for name, reading in readings if reading]:
        rows = [
            (name, r.text or "–", min((d.confidence for d in r.digits), default=0))
            for name, r in known
        ]
        table = pd.DataFrame(rows, columns=["picture", "digits", "least sure"])
        form = st.column_config.NumberColumn(format="percent")
        st.dataframe(table, hide_index=True, column_config={"least sure": form})
        row = st.container(horizontal=True)
        row.download_button(
            "Readings (CSV)",
            table.to_csv(index=False),
            "readings.csv",
            "text/csv",
            on_click="ignore",
        )
        if row.button("Keep all for checking"):
            keep(known)
    return st.selectbox(
        "Look at", range(len(readings)), format_func=lambda i: f"{i + 1}. {readings[i][0]}"
    )


st.title("qdigits")
st.write("Reads handwritten digits and says honestly how sure it is.")
with st.container():  # always there, so that an error in it moves nothing else
    chosen = choose_models()
tabs = st.tabs(["Draw", "Photo", "Check", "How good is it?"])
for tab, face in zip(tabs, (draw, photograph, check, quality), strict=True):
    with tab:
        face(chosen)
