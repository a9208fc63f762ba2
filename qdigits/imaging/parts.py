"""Files that hold several pictures: how one of them is named."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from qdigits.errors import ImageError


class Part(NamedTuple):
    """One picture of a file that holds several: a page, a frame, or a file in a zip archive."""

    source: Any  # the bytes of the file, an open archive, or a moving picture
    name: str  # "2" for the second page; the name inside an archive; "" for the only picture

    def __repr__(self) -> str:
        return f"Part({self.name!r})"


class SeveralPicturesError(ImageError):
    """Raised when a file holds several pictures, and the caller named none of them."""

    def __init__(self, message: str, parts: list[Part], others: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.parts = parts  # one for each picture
        self.others = others  # names of what else an archive holds


def split_part(path: str) -> tuple[str, str]:
    """Split "scan.pdf#2" into the file and its part; a file whose own name has # stays whole."""
    if "#" not in path:
        return path, ""
    file, part = path, ""
    while "#" in file and not os.path.exists(file):
        file, _, last = file.rpartition("#")
        part = f"{last}#{part}" if part else last
    return (file, part) if os.path.exists(file) else (path, "")


def several_pictures(source: Any, count: int, what: str) -> SeveralPicturesError:
    """Make the error that says how to name one picture of a file, and lists them."""
    parts = [Part(source, str(number)) for number in range(1, count + 1)]
    return SeveralPicturesError(
        f"a file of {count} {what}; name one of them, as in FILE#{count}", parts
    )


def part_number(part: str) -> int:
    """Return the number of a page or frame, from 1.

    Raises:
        ImageError: The part is no such number.
    """
    if not re.fullmatch("[1-9][0-9]{0,5}", part):
        raise ImageError(f"pages and frames are counted from 1, and this one is called {part!r}")
    return int(part)
