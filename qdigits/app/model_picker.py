"""Which model answers, and which one it is compared with."""

import gc
import os
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from qdigits import files
from qdigits.app.session import OpenModel, own_models
from qdigits.errors import QDigitsError
from qdigits.predictor import Model, load_model


class Purpose(NamedTuple):
    """What a bundled model is called on the page, and what it is good for."""

    title: str
    words: str


PURPOSES = {
    "mnist_model": Purpose(
        "Best",
        "The most accurate: Small answers what is easy, a larger network the rest. "
        "It refuses what is no digit.",
    ),
    "mnist_small": Purpose("Small", "Nearly as accurate, with a tenth of the weights."),
    "mnist_mlp": Purpose(
        "Textbook", "784-128-64-10, as in every course. It never learnt to refuse."
    ),
}
SUFFIX = ".onnx"  # the same network as in the .pth file; onnxruntime starts in a tenth of the time


def bundled_models() -> dict[str, Purpose]:
    """Return the bundled models by name, the best one first."""
    there = files.bundled_models()
    return {name: purpose for name, purpose in PURPOSES.items() if name + SUFFIX in there}


def title_of(name: str) -> str:
    """Return what the page calls a model: a word for a bundled one, its own name for any other."""
    return PURPOSES[name].title if name in PURPOSES else name


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def load_cached(path: str, changed: float, size: int) -> Model:
    """Load a model once for all visitors, as long as its file does not change."""
    model = load_model(path, device="cpu")
    gc.freeze()  # Streamlit collects after each rerun; walking through all of torch took 0.17 s
    return model


def open_model(name: str) -> OpenModel:
    """Open one of the visitor's own models, a bundled one, or a model file.

    Raises:
        QDigitsError: The file is absent, forbidden, damaged or unsafe; the message names no folder.
    """
    if name in own_models():
        return own_models()[name]
    path = Path(name + SUFFIX if name in PURPOSES else name)
    try:
        path = files.resolve(path, os.environ.get("QDIGITS_MODEL_ROOT", "."))
        identity = (str(path), path.stat().st_mtime, path.stat().st_size)
        return OpenModel(load_cached(*identity), identity)
    except QDigitsError as error:
        raise QDigitsError(str(error).replace(f"{path.parent}/", "")) from error


def choose_models() -> dict[str, OpenModel]:
    """Show the choice of models.

    A model that cannot be opened changes nothing: the one chosen before goes on answering.

    Returns:
        The chosen model and, after it, the one to compare it with, by name.
    """
    names = [*bundled_models(), *own_models()]
    by_title = {title_of(each): each for each in names}
    linked = by_title.get(st.query_params.get("model", ""), names[0])
    chosen = st.session_state.get("model")  # not there yet in the first run of a visit
    name = chosen if chosen in names else linked
    path, trouble = st.session_state.get("path", "").strip(), ""
    try:
        models = {path: open_model(path)} if path else {name: open_model(name)}
    except QDigitsError as error:
        models, trouble = {name: open_model(name)}, str(error)
    other = show_choices(names, next(iter(models)), trouble)
    if other:
        models[other] = open_model(other)
    return models


def show_choices(names: list[str], answering: str, trouble: str) -> str | None:
    """Show the box with the models; return the one to compare the answering one with."""
    purposes = bundled_models()
    with st.popover(f"Model: {title_of(answering)}"):
        captions = [purposes[each].words if each in purposes else "Your own." for each in names]
        st.radio(
            "Who answers",
            names,
            key="model",
            format_func=title_of,
            captions=captions,
            on_change=forget_path,
            bind="query-params",
        )
        if only_for_this_machine():
            st.text_input("Or a model file in this folder", key="path", placeholder="best.pth")
        if trouble:
            st.error(f"This model cannot be used: {trouble}")
        if st.session_state.get("other") == answering:  # nobody is compared with themselves
            st.session_state.other = None
        return st.selectbox(
            "Compare with",
            [each for each in names if each != answering],
            index=None,
            key="other",
            format_func=title_of,
            placeholder="no other model",
        )


def only_for_this_machine() -> bool:
    """Whether no other device can open the page: strangers choose no files."""
    return st.get_option("server.address") in ("127.0.0.1", "localhost", "::1")


def forget_path() -> None:
    """Empty the path: a model was chosen by its button."""
    st.session_state.path = ""


def use(name: str, compare_with: str | None = None) -> None:
    """Let a model answer from now on; called when a button is pressed, before the page is drawn."""
    st.session_state.model = name
    st.session_state.path = ""
    st.session_state.other = compare_with
    st.session_state.tab = "Draw"
    both = f" and {title_of(compare_with)}" if compare_with else ""
    st.toast(f"{title_of(name)}{both} will answer now.")
