"""What pages are made of: handwritten digits, drawn letters, and the glyphs of fonts."""

from __future__ import annotations

import string
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from qdigits.augment.pages.skeletons import distance_fields
from qdigits.errors import ConfigError

EM = 48
"""Pixels of the size at which glyphs are kept."""
FAINTEST = 40
"""Grey level above which a pixel of a tile is ink."""
PRINT = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "cmr10",
    "cmss10",
    "cmtt10",
    "cmb10",
)
"""Fonts that come with matplotlib."""
SYMBOLS = "$%+=()#*&<>!?@[]{}\"'~^_£€§°×÷;"
CHARACTERS = string.digits + string.ascii_letters + ".,-/:" + SYMBOLS


class Glyph(NamedTuple):
    """One character of a font at EM pixels."""

    ink: np.ndarray
    """float32 (H, W), tightly cropped."""
    left: float
    """Pixels from the pen to its left edge."""
    top: float
    """Pixels from the baseline up to its top edge."""
    advance: float


class Font(NamedTuple):
    """The glyphs of a font by character, and the height of its digits in pixels."""

    glyphs: dict[str, Glyph]
    digit_height: float


class Digits(NamedTuple):
    """Handwritten tiles, each tightly cropped, and their places by label."""

    tiles: list[np.ndarray]
    """uint8 (H, W), ink 255 on paper 0."""
    by_label: list[np.ndarray]

    def has(self, label: int) -> bool:
        """Return whether any tile shows this digit."""
        return len(self.by_label[label]) > 0

    def random_tile(self, rng: Generator, label: int) -> np.ndarray:
        """Return one of the tiles of a digit."""
        places = self.by_label[label]
        return self.tiles[places[rng.integers(len(places))]]


class Supplies(NamedTuple):
    """Everything that pages are drawn from."""

    writers: Digits
    """Digits that people wrote: MNIST's."""
    drawn: Digits
    """Digits in European forms that the program draws."""
    lines: Digits
    """Digits that people wrote, as the line of the pen's tip: tiles are distance fields."""
    letters: Digits
    """Letters and signs of many alphabets that the program draws, all of one label."""
    printed: list[Font]
    handwriting: list[Font]


def sort_digits(tiles: np.ndarray, labels: np.ndarray, classes: int = 10) -> Digits:
    """Crop uint8 tiles (N, 28, 28) to their ink and sort them by label (N,)."""
    cropped = [_crop(tile) for tile in tiles]
    return Digits(cropped, find_labels(labels, classes))


def find_labels(labels: np.ndarray, classes: int = 10) -> list[np.ndarray]:
    """Return the places of each label in labels (N,)."""
    return [np.flatnonzero(labels == label) for label in range(classes)]


def sort_lines(tiles: np.ndarray, labels: np.ndarray) -> Digits:
    """Turn uint8 tiles (N, 28, 28) into lines and sort them by label (N,)."""
    return Digits(distance_fields(tiles), find_labels(labels))


def _crop(tile: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(tile.max(1) > FAINTEST)
    columns = np.flatnonzero(tile.max(0) > FAINTEST)
    top, bottom = rows[[0, -1]]
    left, right = columns[[0, -1]]
    return np.ascontiguousarray(tile[top : bottom + 1, left : right + 1])


@cache
def printed_fonts() -> list[Font]:
    """Return the fonts of print."""
    matplotlib = find_spec("matplotlib")
    if matplotlib is None or matplotlib.origin is None:
        raise ConfigError("printed letters need matplotlib; pip install 'qdigits[train]'")
    folder = Path(matplotlib.origin).parent / "mpl-data/fonts/ttf"
    return [load_font(folder / f"{name}.ttf") for name in PRINT]


@cache
def handwriting_fonts() -> list[Font]:
    """Return the fonts that imitate handwriting; fonts/README.md names their makers."""
    return [load_font(path) for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf"))]


def load_font(path: Path) -> Font:
    """Read the glyphs of a font file."""
    font = ImageFont.truetype(str(path), EM)
    glyphs = {}
    for character in CHARACTERS:
        glyph = _glyph(font, character)
        if glyph is not None:
            glyphs[character] = glyph
    return Font(glyphs, glyphs["7"].ink.shape[0])


def _glyph(font: ImageFont.FreeTypeFont, character: str) -> Glyph | None:
    page = Image.new("L", (3 * EM, 3 * EM))
    ImageDraw.Draw(page).text((EM, 2 * EM), character, 255, font, anchor="ls")
    box = page.getbbox()
    if box is None:
        return None
    ink = np.asarray(page.crop(box), np.float32) / 255
    return Glyph(ink, box[0] - EM, 2 * EM - box[1], font.getlength(character))
