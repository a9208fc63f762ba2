"""The tab Check: the kept digits, to look at, to correct, to take away and to teach from."""

from collections import Counter

import pandas as pd
import streamlit as st

from qdigits.app import labelled_zip
from qdigits.app.explain import data_url, png
from qdigits.app.formatting import inert_csv, percent, plain
from qdigits.app.session import (
    LABELS,
    OpenModel,
    ReviewItem,
    add_items,
    items_as_text,
    items_from_text,
    labelled_digits,
    review_items,
)
from qdigits.app.storage import stored_text
from qdigits.app.teach import show_teaching
from qdigits.app.tile_grid import GridTile, tile_grid
from qdigits.app.uploads import MAX_MEGABYTES, explained_refusals
from qdigits.errors import ImageError


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    changed = st.session_state.get("items_changed", False)
    stored = stored_text(items_as_text(review_items()) if changed else None)
    if stored and not changed:
        st.session_state.offered = items_from_text(stored)
        offer_stored(st.session_state.offered)
    if review_items():
        show_grid()
        show_actions()
    else:
        st.subheader("Nothing to check yet")
        st.write(
            "Draw or photograph digits and press *Keep for checking*."
            " They gather here; you say what is right."
        )
    show_loading()
    show_teaching(*next(iter(models.items())))


def offer_stored(items: list[ReviewItem]) -> None:
    """Offer the digits that an earlier visit left in this browser."""
    if not items:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.write(f"Your last visit left {len(items)} digits in this browser.")
        st.button("Take them up", on_click=add_items, args=([],))
        st.button("Forget them", on_click=forget_all)


def show_grid() -> None:
    """Show the kept digits as tiles, and ask what the chosen one is."""
    items = review_items()
    counts = Counter(item.state for item in items)
    st.markdown(
        f"**{len(items)} kept: {counts['unchecked']} unchecked, {counts['right']} right,"
        f" {counts['wrong']} wrong, {counts['none']} no digit.** Tap one and say what it is."
    )
    selected = min(st.session_state.get("selected_item", 0), len(items) - 1)
    tiles = [grid_tile(number, item) for number, item in enumerate(items)]
    tile_grid(tiles, selected, key="kept digits", on_choice=select)
    item = items[selected]
    key = f"truth {id(item)}"
    st.session_state[key] = item.truth  # it may have been said by another button
    st.pills(
        f"Number {selected + 1} was read as {item.read_as} ({percent(item.confidence)}),"
        f" from {item.source}. What is it really?",
        LABELS,
        key=key,
        on_change=say_truth,
        args=(selected, key),
    )


def grid_tile(number: int, item: ReviewItem) -> GridTile:
    """Return how one kept digit looks in the grid."""
    signs = {"unchecked": "?", "right": " ✓", "wrong": f" ✗ {item.truth}", "none": " ✗ none"}
    sign = " ✓" if item.truth == item.read_as else signs[item.state]
    words = f"number {number + 1}: read as {item.read_as}, {item.state}"
    if item.state == "wrong":
        words += f", it is {item.truth}"
    return GridTile(data_url(png(item.tile)), item.read_as + sign, words, item.state)


def select(number: int) -> None:
    """Choose one of the kept digits."""
    st.session_state.selected_item = number


def say_truth(number: int, key: str) -> None:
    """Note what a kept digit really is, and go on to the next one that nobody has looked at."""
    items = review_items()
    items[number].truth = st.session_state[key]
    st.session_state.items_changed = True
    places = [*range(number + 1, len(items)), *range(number)]
    select(next((place for place in places if items[place].truth is None), number))


def confirm_unchecked() -> None:
    """Note that all answers nobody has looked at one by one are right."""
    for item in review_items():
        item.truth = item.truth or item.read_as
    st.session_state.items_changed = True


def forget_all() -> None:
    """Forget the kept digits, in the browser, too."""
    review_items().clear()
    st.session_state.pop("offered", None)
    st.session_state.items_changed = True


def show_actions() -> None:
    """Show what can be done with all kept digits at once."""
    rows = []
    for item in review_items():
        rows.append((item.source, item.read_as, round(item.confidence, 4), item.truth or ""))
    csv = inert_csv(pd.DataFrame(rows, columns=["from", "read", "sure", "true"]))
    unchecked = sum(item.truth is None for item in review_items())
    with st.container(horizontal=True):
        st.button(
            "The unchecked ones are right", on_click=confirm_unchecked, disabled=not unchecked
        )
        st.download_button("Table (CSV)", csv, "digits.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Labelled folder (zip)",
            labelled_zip.pack(labelled_digits()),
            "digits.zip",
            on_click="ignore",
            disabled=not labelled_digits(),
        )
        st.button("Forget all", on_click=forget_all)


def show_loading() -> None:
    """Let the visitor bring back a labelled folder."""
    with st.expander("Go on with a labelled folder (zip)"):
        loaded = st.session_state.get("zips_loaded", 0)
        with explained_refusals("zip", f"a zip file of at most {MAX_MEGABYTES} MB"):
            file = st.file_uploader(
                "Labelled folder (zip)",
                ["zip"],
                max_upload_size=MAX_MEGABYTES,
                key=f"zip {loaded}",
            )
        if file is None:
            return
        try:
            digits = labelled_zip.unpack(file.getvalue())
        except ImageError as error:
            st.error(plain(f"{file.name} cannot be read: {error}"))
            return
        add_items([ReviewItem(tile, file.name, label, 1.0, label) for tile, label in digits])
        st.session_state.zips_loaded = loaded + 1  # an empty uploader
        st.rerun()
