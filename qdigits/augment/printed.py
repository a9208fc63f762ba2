"""Letters of many alphabets, as the font prints them that comes with matplotlib: they are no digits."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from qdigits.errors import ConfigError

LIKE_DIGITS = (  # a reader who doesn't know the alphabet may well take these for digits
    "BDGIOSZbgiloqszØøıƀƁƂƃƄƅƊƏƐƓƖƟƧƨƲƵƶƷƺƻƼƽǀǃȜȝȢȣȤȥȴɊɋɓɕɘɛɜɠɡɢɥɭɵɺɻʂʅʇʋʑʒʓʙʮʯΒΖΘΙΟεζθοςσϚϛϞϟϤϧϨ"
    "ϩЅІБВЗОЦЧЬЭбвзоцчъьэѕіѲѳѺѻҍҕҘҙҶҷҹӀӋӌӏӘӠӡӨөԆԌԍԐԑԛԳԴԶԿՁՂՅՎՏՕգզլկճշվցօງຣວႡႢႨႯႷႽჃვზკმპხჰჳჷᐟᐠᑊᑫᑳᑴ"
    "ᑵᒀᒃᒅᒉᒓᒣᒭᔆᔐᔗᔘᔦᔮᔯᔰᕊᕐᕒᖊᖧᗞᙆᴅᴈᴉᴏᴑᴟᴢᴣᶅⱫⱬⱰⱾⴄⴉⴗⴘⴝⴣⴤⴰⴵⵁⵏⵑⵔⵖꓐꓓꓖꓜꓢꓭꓲꓳꓶꙄꙅꙆꙩꜢꜣꜪꜱꝗꞀꞁꞋꞌꞍꟻꟼꟾ𐌁𐌃𐌉𐌚𐌜"
    "\u05d5\u05d8\u05d9\u05da\u05dc\u05df\u05e1\u05e3\u05e8\u0627\u0647\u0648\u066f\u06d5\u07cb\u07d4\u07d7\u07de\u07e3"
)
LAST = 0x11000  # beyond it the font has mathematical doubles alone


def _is_letter(sign: str) -> bool:
    """A letter in its plain form: not accented, raised, ligated or otherwise made of others."""
    return unicodedata.category(sign) in ("Lu", "Ll", "Lo") and not unicodedata.decomposition(sign)


def _tile(sign: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """uint8 (28, 28), the letter in the 20x20 box in the middle, as digits are."""
    page = Image.new("L", (3 * int(font.size), 3 * int(font.size)))
    ImageDraw.Draw(page).text((font.size, font.size), sign, 255, font)
    letter = ImageOps.pad(page.crop(page.getbbox()), (20, 20), Image.Resampling.BOX)
    return np.asarray(ImageOps.expand(letter, 4))


@cache
def printed() -> Tensor:
    """1,466 letters of 15 alphabets, by matplotlib 3.11: float32 (N, 1, 28, 28), ink 1.0 on paper 0.0.

    Raises  ConfigError: matplotlib is not installed.
    """
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ConfigError("drawing letters needs matplotlib; pip install 'qdigits[train]'")
    from matplotlib.ft2font import FT2Font

    path = Path(spec.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    font = ImageFont.truetype(str(path), 64)
    signs = map(chr, sorted(code for code in FT2Font(str(path)).get_charmap() if code < LAST))
    tiles = [_tile(sign, font) for sign in signs if _is_letter(sign) and sign not in LIKE_DIGITS]
    return torch.from_numpy(np.stack(tiles))[:, None].float() / 255
