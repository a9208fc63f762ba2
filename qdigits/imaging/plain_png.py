"""The shortest way from a PNG file to pixels, for the plainest of files: tiles of one digit.

Pillow needs 130 us to open a tile, which is more than all else that Python does to read it. Here a
file either fulfils every line of `holds_only_pixels`, or Pillow decodes it: nothing is refused.
"""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

MAX_SIDE = 64  # pixels: a larger picture takes longer to read than to decode
HEADER = struct.Struct(">8sI4sIIBBBBBI")  # signature, the chunk IHDR and its checksum
CHUNK = struct.Struct(">I4s")  # length of its body, kind
CHECKSUM = struct.Struct(">I")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"  # the last chunk, always the same
GREY_8_BITS = (8, 0, 0, 0, 0)  # bits, colour, compression, filter, interlace
LAST_FILTER = 4  # of those that a row may have passed through: none, sub, up, average, Paeth


def decode_plain_png(data: bytes) -> np.ndarray | None:
    """Decode a small grey PNG that holds nothing but its pixels.

    Args:
        data: Any file.

    Returns:
        uint8 (H, W); None: it is no such file, or a damaged one.
    """
    if not holds_only_pixels(data):
        return None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def holds_only_pixels(data: bytes) -> bool:
    """Say whether a file is a small 8-bit grey PNG of one block of pixels, whole to the last bit.

    Whatever else a PNG may hold, such as transparency, frames or a comment, is for Pillow.
    """
    body_start = HEADER.size + CHUNK.size
    body_end = len(data) - CHECKSUM.size - len(END)
    if body_end < body_start or not data.endswith(END):
        return False
    signature, size, kind, width, height, *coding, checksum = HEADER.unpack_from(data)
    if (signature, size, kind, *coding) != (SIGNATURE, 13, b"IHDR", *GREY_8_BITS):
        return False
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        return False
    if checksum != zlib.crc32(data[12:29]):
        return False
    if CHUNK.unpack_from(data, HEADER.size) != (body_end - body_start, b"IDAT"):
        return False
    if CHECKSUM.unpack_from(data, body_end) != (zlib.crc32(data[HEADER.size + 4 : body_end]),):
        return False
    return holds_rows(data[body_start:body_end], width, height)


def holds_rows(body: bytes, width: int, height: int) -> bool:
    """Say whether a zlib stream holds all rows of a picture, each with its filter, and no more."""
    row_length = 1 + width
    stream = zlib.decompressobj()
    try:
        rows = stream.decompress(body, height * row_length + 1)  # one more shows that there is more
    except zlib.error:
        return False
    is_whole = len(rows) == height * row_length and stream.eof and not stream.unused_data
    return is_whole and max(rows[::row_length]) <= LAST_FILTER
