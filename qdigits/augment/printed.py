"""Printed letters of many alphabets, from the font of matplotlib. They are no digits."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from qdigits.errors import ConfigError

LIKE_DIGITS_FILE = Path(__file__).parent / "like_digits.json"
# Somebody who doesn't know the alphabet may well take these for digits.
LIKE_DIGITS = "".join(json.loads(LIKE_DIGITS_FILE.read_text(encoding="utf-8")))
END_OF_LETTERS = 0x11000  # beyond it the font has mathematical doubles alone
FONT_SIZE = 64
BOX_SIZE = 20  # pixels of MNIST's box
MARGIN = 4  # pixels around it


@cache
def printed_letters() -> Tensor:
    """Draw every letter of the font that looks like no digit, once a process.

    Returns:
        Images (N, 1, 28, 28), ink 1.0 on paper 0.0; matplotlib 3.11 has 1,466 such letters of 15
        alphabets.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        raise ConfigError("drawing letters needs matplotlib; pip install 'qdigits[train]'")
    from matplotlib.ft2font import FT2Font

    path = str(Path(package.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf")
    font = ImageFont.truetype(path, FONT_SIZE)
    codes = sorted(code for code in FT2Font(path).get_charmap() if code < END_OF_LETTERS)
    letters = [chr(code) for code in codes if _is_plain_letter(chr(code))]
    tiles = [_draw_tile(letter, font) for letter in letters if letter not in LIKE_DIGITS]
    return torch.from_numpy(np.stack(tiles))[:, None].float() / 255


def _is_plain_letter(character: str) -> bool:
    """Tell whether it is a letter that is not accented, raised, ligated or made of others."""
    is_letter = unicodedata.category(character) in ("Lu", "Ll", "Lo")
    return is_letter and not unicodedata.decomposition(character)


def _draw_tile(letter: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Draw a letter as digits are framed: uint8 (28, 28), in the box in the middle."""
    size = int(font.size)
    page = Image.new("L", (3 * size, 3 * size))
    ImageDraw.Draw(page).text((font.size, font.size), letter, 255, font)
    crop = page.crop(page.getbbox())
    box = ImageOps.pad(crop, (BOX_SIZE, BOX_SIZE), Image.Resampling.BOX)
    return np.asarray(ImageOps.expand(box, MARGIN))
