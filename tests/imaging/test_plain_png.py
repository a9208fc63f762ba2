"""The short way into a tile: what it takes is what Pillow would have given, and nothing else."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from qdigits.imaging.decode import open_photo
from qdigits.imaging.image_file import decode_image
from qdigits.imaging.plain_png import decode_plain_png
from tests.attacks.pictures import png, saved

ROWS = np.random.default_rng(0).integers(0, 256, (28, 29), np.uint8)
ROWS[:, 0] %= 5  # each row has passed through one of the five filters


def grey(height: int = 28, width: int = 28) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width), np.uint8)
    return Image.fromarray(pixels)


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("data", [saved(grey(), "PNG"), png(28, 28, zlib.compress(bytes(ROWS)))])
def test_a_plain_tile_has_the_pixels_that_pillow_gives(data):
    plain = decode_plain_png(data)
    assert plain is not None
    assert (plain == by_pillow(data)).all()
    photo = open_photo(data)
    slow = decode_image(Image.open(io.BytesIO(data)))
    assert (photo.pixels == slow.pixels).all()
    assert photo.downscale == slow.downscale == 1.0


def not_plain() -> dict[str, bytes]:
    body = zlib.compress(bytes(ROWS))
    whole = png(28, 28, body)
    wrong_filter = ROWS.copy()
    wrong_filter[7, 0] = 5
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "mine")
    clear = struct.pack(">I", 2) + b"tRNS" + b"\0\7"
    clear += struct.pack(">I", zlib.crc32(clear[4:]))
    return {
        "larger": saved(grey(65, 28), "PNG"),
        "colour": saved(grey().convert("RGB"), "PNG"),
        "1 bit": saved(grey().convert("1"), "PNG"),
        "16 bits": png(28, 28, zlib.compress(bytes(28 * 57)), bits=16),
        "a comment": saved(grey(), "PNG", pnginfo=text),
        "transparent": png(28, 28, body, clear),
        "frames": saved(grey(), "PNG", save_all=True, append_images=[grey(28, 28).rotate(90)]),
        "no pixels": png(0, 28, body),
        "a row too few": png(28, 29, body),
        "a row too many": png(28, 27, body),
        "a bomb": png(28, 28, zlib.compress(bytes(10**7))),
        "cut off inside": png(28, 28, body[:-9]),
        "bytes behind the pixels": png(28, 28, body + b"more"),
        "no zlib": png(28, 28, b"none"),
        "an unknown filter": png(28, 28, zlib.compress(bytes(wrong_filter))),
        "a wrong checksum": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        "a wrong checksum of the header": whole[:30] + bytes([whole[30] ^ 1]) + whole[31:],
        "cut off": whole[:-5],
        "bytes behind the end": whole + b"more",
        "an end alone": whole[:33] + whole[-12:],
        "empty": b"",
    }


@pytest.mark.parametrize("data", not_plain().values(), ids=not_plain().keys())
def test_all_else_is_left_to_pillow(data):
    assert decode_plain_png(data) is None


def damaged(draw: np.random.Generator) -> bytes:
    """Return a tile with other bytes among its rows, and perhaps in its header; checksums fit."""
    rows = ROWS.copy().reshape(-1)
    rows[draw.integers(0, rows.size, 40)] = draw.integers(0, 256, 40)
    data = bytearray(png(28, 28, zlib.compress(bytes(rows))))
    if draw.random() < 0.5:
        data[draw.integers(16, 29)] = draw.integers(0, 40)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_a_tile_damaged_under_right_checksums_gives_what_pillow_gives_or_is_left_to_it(capfd):
    draw = np.random.default_rng(2)
    taken = 0
    for _ in range(2000):
        data = damaged(draw)
        plain = decode_plain_png(data)
        if plain is not None:
            assert (plain == by_pillow(data)).all()
            taken += 1
    assert 100 < taken < 1000
    assert capfd.readouterr().err == ""  # the decoder had nothing to complain about
