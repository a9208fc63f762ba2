"""The chapters of docs/learn: each opens over the page, beside what it explains."""

import posixpath
import re
from functools import cache

import streamlit as st

from qdigits.files import ROOT

FOLDER = next(
    folder for folder in (ROOT.parent / "docs/learn", ROOT / "docs/learn") if folder.exists()
)  # a clone, an installed package
PIXELS, NETWORK, LOSS, TRAINING, HONESTY = range(1, 6)
HEADING = re.compile(r"^##", re.M)
LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)")


def show_chapter_link(number: int, place: str) -> None:
    """Show a button that opens a chapter.

    Args:
        number: The chapter.
        place: What tells this button from others on the page.
    """
    title, _ = load_chapter(number)
    words = f"Learn: {title.partition(' ')[2]}"
    if st.button(words, type="tertiary", key=f"learn {number} {place}"):
        show_chapters(number)


@st.dialog("Learn how a network reads a digit", width="medium")
def show_chapters(first: int) -> None:
    """Show a chapter over the page, and let the visitor go on to the others.

    Args:
        first: The chapter to begin with.
    """
    numbers = range(PIXELS, HONESTY + 1)
    titles = {number: load_chapter(number)[0] for number in numbers}
    chosen = st.pills("Chapter", numbers, default=first, format_func=titles.__getitem__)
    st.markdown(load_chapter(chosen or first)[1])
    st.caption("To run the code yourself, you need the folder of qdigits and its extra `train`.")


@cache
def load_chapter(number: int) -> tuple[str, str]:
    """Return the title of a chapter, and its text for the page."""
    (path,) = FOLDER.glob(f"{number}-*.md")
    heading, text = path.read_text(encoding="utf-8").split("\n", 1)
    text, _, _ = text.strip().rpartition("\n")  # the last line leads to the next chapter
    text = HEADING.sub("####", LINK.sub(name_target, text))  # below the title of the dialog
    return heading.removeprefix("# "), text.strip()


def name_target(link: re.Match[str]) -> str:
    """Write a link as text: on the page the files of the repository have no address."""
    words, target = link.groups()
    is_chapter = "/" not in target
    path = posixpath.normpath(f"docs/learn/{target}")
    return words if is_chapter or words == path else f"{words} (`{path}`)"
