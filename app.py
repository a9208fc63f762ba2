"""The page: words and widgets. What they say is worked out in the package."""

import base64
import os
from html import escape
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a reader takes one core: torch obeys when it is first loaded

import altair as alt
import pandas as pd
import streamlit as st

from qdigits import ImageError, Prediction, QDigitsError, Reading, load_model, read
from qdigits.files import BUNDLED, resolve
from qdigits.pad import digit_pad
from qdigits.show import labelled_folder, png, preview, steps

EXAMPLES = Path(__file__).parent / "examples"
SHOWN = {
    "a tile": "seven.png", "a photo": "photo.jpg", "a year": "year.jpg", "a page": "page.jpg", "no digit": "star.jpg",
}  # fmt: skip
PICTURES = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
NO_DIGIT, MINE, ENOUGH = "none", "my handwriting", 20
STYLE = """<style>
.stMainBlockContainer { max-width: 62rem; padding-top: 3rem }
.answer { font-size: clamp(5rem, 20vw, 9rem); line-height: 1; font-weight: 600; overflow-wrap: anywhere }
.answer.long { font-size: clamp(2.5rem, 9vw, 4rem); line-height: 1.15; white-space: pre-line }
.answer.unsure { opacity: .5 }
</style>"""

st.set_page_config("qdigits", str(EXAMPLES / "seven.png"), layout="wide")
st.html(STYLE)
kept: list[dict] = st.session_state.setdefault("kept", [])


@st.cache_resource
def cores() -> BoundedSemaphore:
    return BoundedSemaphore(os.cpu_count() or 1)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def model_at(path: str, changed: float, size: int) -> Any:
    return load_model(path, device="cpu")


@st.cache_data(max_entries=64, show_spinner=False)
def reading_of(picture: str, model: tuple, _data: bytes, _model: Any) -> Reading:
    with cores():
        return read(_model, _data)


@st.cache_data(max_entries=64, show_spinner=False)
def boxes_on(picture: str, model: tuple, _data: bytes, _reading: Reading) -> bytes:
    with cores():
        return preview(_data, _reading)


def percent(share: float) -> str:
    return "over 99.9 %" if share > 0.999 else f"{share:.1%}".replace("%", " %")


# ── the model ────────────────────────────────────────────────────────────────────────────────────────────


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
        st.error(f"This model cannot be used. {str(error).replace(f'{path.parent}/', '')}")
        return None


def choose_models() -> dict[str, tuple[Any, tuple]]:
    """The model of the sidebar, and the one to compare it with."""
    bundled = sorted({file.name for folder in BUNDLED for file in folder.glob("mnist_*.*")})

    def take() -> None:
        st.session_state.path = st.session_state.bundled or st.session_state.path

    with st.sidebar:
        st.header("Model")
        st.session_state.setdefault("path", "mnist_model.pth")
        name = st.text_input("Model path", key="path", help="A model file in this folder, or a bundled one.")
        st.pills("Bundled models", bundled, key="bundled", on_change=take, label_visibility="collapsed")
        others = [*bundled, MINE] if "mine" in st.session_state else bundled
        other = st.selectbox("Compare with", others, index=None, placeholder="no other model")
    models = {each: open_model(each) for each in dict.fromkeys([name, other]) if each}
    return {each: opened for each, opened in models.items() if opened}


# ── an answer ────────────────────────────────────────────────────────────────────────────────────────────


def in_words(reading: Reading) -> str:
    doubtful = sum(not one.accepted for one in reading.digits)
    if not reading.digits:
        return "There is nothing here that looks like a digit."
    if len(reading.digits) > 1:
        return f"{len(reading.digits)} digits" + (f", {doubtful} of them doubtful" if doubtful else "")
    one = reading.digits[0]
    if one.accepted:
        return f"{percent(one.confidence)} sure"
    closest = max(range(10), key=one.probabilities.__getitem__)
    return f"This does not look like a digit. The closest is {closest}: {percent(one.confidence)}"


def answer(picture: str, data: bytes, name: str, models: dict, below: Any) -> None:
    """The digits, large; how sure; the tile; what each model thought of one of them; and below, how it came about."""
    readings = {each: reading_of(picture, identity, data, model) for each, (model, identity) in models.items()}
    first = next(iter(readings.values()))
    digits, count = first.digits, len(first.digits)
    number = 0
    if count > 1:
        number = st.selectbox(
            "Look closer at", range(count), key=f"digit {name}", label_visibility="collapsed",
            format_func=lambda i: f"number {i + 1} of {count}: {digits[i].digit}",
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        for each, reading in readings.items():
            with st.container(width="content", gap=None):
                style = "long" if count > 3 else "" if all(d.accepted for d in reading.digits) else "unsure"
                st.html(f'<div class="answer {style}" role="status">{escape(reading.text) or "–"}</div>')
                st.caption((f"{each}: " if len(readings) > 1 else "") + in_words(reading))
        if digits:
            st.image(digits[number].tile, "what it saw", width=96, alt="The tile of 28 by 28 pixels")
    if not digits:
        return
    if count > 1:
        st.code(first.text, language=None)
    chart({each: reading.digits[number] for each, reading in readings.items() if len(reading.digits) == count})
    if st.button("Keep for checking", key=f"keep {name}", help="Adds these digits to the table under Check"):
        keep(name, first)
        st.rerun()
    how = below.expander("How did it get there?", on_change="rerun", key=f"how {name}")
    if how.open:
        with how, cores(), st.container(horizontal=True):
            for title, step in steps(next(iter(models.values()))[0], data, digits[number]).items():
                st.image(step, title, width=140, alt=title)


def keep(name: str, reading: Reading) -> None:
    kept.extend(
        {"tile": d.tile, "from": name, "read": d.digit, "sure": d.confidence, "true": str(d.digit)}
        for d in reading.digits
    )


def chart(found: dict[str, Prediction]) -> None:
    table = pd.DataFrame(
        [
            {"digit": str(digit), "probability": p, "model": each}
            for each, one in found.items()
            for digit, p in enumerate(one.probabilities)
        ]
    )
    bars = alt.Chart(table).mark_bar(cornerRadiusEnd=3).encode(
        alt.X("digit", title=None, axis=alt.Axis(labelAngle=0)),
        alt.Y("probability", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=3)),
        alt.XOffset("model", sort=list(found)),
        alt.Color("model", sort=list(found), title=None, legend=alt.Legend(orient="top") if len(found) > 1 else None),
        tooltip=["model", "digit", alt.Tooltip("probability", format=".1%")],
    )  # fmt: skip
    said = "; ".join(
        f"{each}: " + ", ".join(f"{d} {p:.0%}" for d, p in enumerate(one.probabilities) if p > 0.005)
        for each, one in found.items()
    )
    st.altair_chart(bars, height=180, alt=f"Probability of each digit. {said}")


# ── the tabs ─────────────────────────────────────────────────────────────────────────────────────────────


@st.fragment
def draw(models: dict) -> None:
    (left, right), below = st.columns(2, gap="large"), st.container()
    with left:
        data = digit_pad("pad")
    with right:
        if data and models:
            answer(str(hash(data)), data, "drawing", models, below)
        elif not data:
            st.subheader("Draw a digit")
            st.write("With mouse, finger or pen; several side by side if you like. The answer appears here.")


@st.fragment
def photograph(models: dict) -> None:
    def own() -> None:
        st.session_state.example = None

    files = st.file_uploader(
        "Pictures of digits: one, many, or a whole page", PICTURES, accept_multiple_files=True, on_change=own
    )
    pictures = {file.file_id: (file.name, file.getvalue()) for file in files}
    if st.toggle("Use the camera") and (shot := st.camera_input("Camera", label_visibility="collapsed")):
        pictures[shot.file_id] = ("camera", shot.getvalue())
    asked: set[str] = st.session_state.setdefault("asked", set())
    if st.button("Predict", type="primary", disabled=not pictures):
        asked.update(pictures)
        own()
    if example := st.pills("Or try an example", SHOWN, key="example"):
        pictures = {example: (SHOWN[example], (EXAMPLES / SHOWN[example]).read_bytes())}
        asked.add(example)
    readings = {}
    with st.spinner("Reading …", show_time=True):
        for picture, (name, data) in pictures.items():
            try:
                reading, identity = Reading("", ()), ()
                if picture in asked and models:
                    model, identity = next(iter(models.values()))
                    reading = reading_of(picture, identity, data, model)
                readings[picture] = reading, boxes_on(picture, identity, data, reading)
            except ImageError as error:
                st.error(f"{name} cannot be read. {error}")
    if len(readings) > 1:
        overview({picture: (pictures[picture][0], reading) for picture, (reading, _) in readings.items()})
    chosen = list(readings)[st.session_state.get("look at", 0) if len(readings) > 1 else 0 :][:1]
    for picture in chosen:
        (left, right), below = st.columns(2, gap="large"), st.container()
        left.image(readings[picture][1], pictures[picture][0], alt=f"The picture {pictures[picture][0]}")
        if picture in asked and models:
            with right:
                answer(picture, pictures[picture][1], pictures[picture][0], models, below)


def overview(readings: dict[str, tuple[str, Reading]]) -> None:
    """Many pictures as a table, and which of them to look at."""
    if any(reading.digits for _, reading in readings.values()):
        rows = [(name, r.text, min((d.confidence for d in r.digits), default=None)) for name, r in readings.values()]
        table = pd.DataFrame(rows, columns=["picture", "digits", "least sure"])
        st.dataframe(
            table, hide_index=True, column_config={"least sure": st.column_config.NumberColumn(format="percent")}
        )
        if st.button("Keep all for checking"):
            for name, reading in readings.values():
                keep(name, reading)
            st.rerun()
    names = [name for name, _ in readings.values()]
    st.selectbox("Look at", range(len(names)), key="look at", format_func=lambda i: f"{i + 1}. {names[i]}")


@st.fragment
def check(models: dict) -> None:
    if not kept:
        st.subheader("Nothing to check yet")
        st.write("Draw or photograph digits and press *Keep for checking*: they gather here, and you say what is right.")
        return
    table = pd.DataFrame(kept)
    small = [base64.b64encode(png(tile)).decode() for tile in table.pop("tile")]
    table.insert(0, "picture", [f"data:image/png;base64,{each}" for each in small])
    edited = st.data_editor(
        table, hide_index=True, key="table", disabled=["picture", "from", "read", "sure"],
        column_config={
            "picture": st.column_config.ImageColumn("Picture"),
            "from": st.column_config.TextColumn("From"),
            "read": st.column_config.NumberColumn("Read as"),
            "sure": st.column_config.NumberColumn("Sure", format="percent"),
            "true": st.column_config.SelectboxColumn("Really", options=[*map(str, range(10)), NO_DIGIT], required=True),
        },
    )  # fmt: skip
    for row, true in zip(kept, edited["true"], strict=True):
        row["true"] = true
    right = sum(str(row["read"]) == row["true"] for row in kept)
    st.write(f"**{right} of {len(kept)} right.** Where one is wrong, choose what it really is.")
    digits = [(row["tile"], int(row["true"])) for row in kept if row["true"] != NO_DIGIT]
    with st.container(horizontal=True):
        st.download_button("Table (CSV)", edited.drop(columns="picture").to_csv(index=False), "digits.csv", "text/csv")
        st.download_button("Labelled folder (zip)", labelled_folder(digits), "digits.zip", "application/zip")
        if st.button("Forget all"):
            kept.clear()
            st.rerun()


st.title("qdigits")
st.write("Reads handwritten digits, drawn or photographed, and says honestly how sure it is.")
chosen = choose_models()
for tab, face in zip(st.tabs(["Draw", "Photo", "Check"]), (draw, photograph, check), strict=True):
    with tab:
        face(chosen)
