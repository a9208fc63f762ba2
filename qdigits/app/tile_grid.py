"""Tiles in a grid, to tap: a Streamlit component."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

HERE = Path(__file__).parent

_component = st.components.v2.component(
    "tile_grid",
    html='<div class="grid"></div>',
    css=(HERE / "tile_grid.css").read_text(),
    js=(HERE / "tile_grid.js").read_text(),
)


class GridTile(NamedTuple):
    """One tile of the grid."""

    url: str
    label: str  # stands below the tile
    words: str  # what a screen reader says
    state: str  # "unchecked", "right", "wrong" or "none": its colour and its sign


def tile_grid(
    tiles: list[GridTile], selected: int | None, key: str, on_choice: Callable[[int], None]
) -> None:
    """Show tiles in a grid.

    Args:
        tiles: The tiles, in reading order.
        selected: The number of the one with a frame, or None.
        key: What tells this grid from others on the page.
        on_choice: Called with the number of the tile that was tapped.
    """

    def choose() -> None:
        chosen = st.session_state[key].get("chosen")
        if chosen is not None and 0 <= int(chosen) < len(tiles):
            on_choice(int(chosen))

    shown = [tile._asdict() for tile in tiles]
    _component(key=key, data={"tiles": shown, "selected": selected}, on_chosen_change=choose)
