"""Picture files that Pillow reads: bounded before they are decoded, turned upright, made small."""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

from qdigits.errors import ImageError
from qdigits.imaging.constants import MAX_PIXELS, MAX_WORKING_SIDE
from qdigits.imaging.pixels import to_rgb

# Their decoders hold several copies of the picture at once.
HUNGRY_FORMATS = ("WEBP", "AVIF", "HEIF")

# A scan is one pass of a progressive JPEG over all its pixels; cameras write about ten.
START_OF_SCAN = b"\xff\xda"
MAX_SCANS = 200
MAX_SCANNED_PIXELS = 1_000_000_000  # pixels times scans: a good second of work

MAX_PIECES = 300_000  # chunks, markers and blocks that a file is read in: a second of Python
MAX_TIFF_VALUES = 65_536  # of one tag: no picture of 50 megapixels needs more strips
BYTE_TYPES = (1, 2, 6, 7)  # of TIFF tags: text, profiles and the like, which are kept as they are
MAX_FRAMES = 100  # of a moving picture or a scan in TIFF
JPEG_FORMATS = ("JPEG", "MPO")  # the further pictures of a camera's MPO are no pages

# Pillow's mode -> the mode in which a picture is made small
SHRINKABLE_MODES = {"1": "L", "L": "L", "LA": "LA", "I": "I", "F": "F", "CMYK": "CMYK"}


class Photo(NamedTuple):
    """A picture as everything after this file sees it."""

    pixels: np.ndarray  # uint8 (H, W, 3), upright RGB
    downscale: float  # original pixels to one of these


class BoundedReader(io.BytesIO):
    """The bytes of a file, handed out in a bounded number of pieces: each of them takes time."""

    pieces = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next piece.

        Raises:
            ImageError: There were too many already.
        """
        self.pieces += 1
        if self.pieces > MAX_PIECES:
            raise ImageError("a picture in too many small pieces; save it anew")
        return super().read(size)


def open_image_file(data: bytes, form: str) -> Image.Image:
    """Open a picture file without decoding it.

    Args:
        data: The file.
        form: Pillow's name of its format.

    Raises:
        ImageError: It is too large, or takes too long.
    """
    if form == "TIFF":
        check_tiff_values(data)
    image = Image.open(BoundedReader(data), formats=[form])
    check_size(image)
    if image.format in JPEG_FORMATS:
        check_scans(image, data)
    return image


def decode_image_file(image: Image.Image) -> Photo:
    """Decode an open picture file."""
    longest = max(image.size)
    if longest > MAX_WORKING_SIDE:  # a JPEG can be decoded to a half, a quarter or an eighth
        width, height = (side * MAX_WORKING_SIDE // longest for side in image.size)
        image.draft(None, (width, height))
    return decode_image(image, longest)


def decode_image(image: Image.Image, longest: int | None = None) -> Photo:
    """Decode an open image, turned upright and made small.

    Args:
        image: Any Pillow image.
        longest: Its longer side before it was opened at a fraction of its size (pixels).
    """
    check_size(image)
    longest = longest or max(image.size)
    pixels = to_rgb(np.asarray(turn_upright(shrink(image))))
    return Photo(pixels, longest / max(pixels.shape[:2]))


def turn_upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its camera says; one that is upright already is not copied."""
    is_upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    return image if is_upright else ImageOps.exif_transpose(image)


def check_size(image: Image.Image) -> None:
    """Refuse an image of too many pixels before it is decoded.

    Raises:
        ImageError: It is too large.
    """
    most = MAX_PIXELS // 2 if image.format in HUNGRY_FORMATS else MAX_PIXELS
    if image.width * image.height > most:
        raise ImageError(f"{image.width} x {image.height} pixels; at most {most:,} are read")


def check_tiff_values(data: bytes) -> None:
    """Refuse a TIFF that lists its strips by the million: Pillow keeps an object for each.

    Raises:
        ImageError: A tag has too many values.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = b"+" in data[2:4]
    head = struct.Struct(order + ("Q" if is_big else "H"))  # entries of a directory
    entry = struct.Struct(order + ("HHQ8x" if is_big else "HHI4x"))  # tag, type, values
    link = struct.Struct(order + ("Q" if is_big else "I"))  # where the next directory lies
    try:
        (start,) = link.unpack_from(data, 8 if is_big else 4)
        for _ in range(MAX_FRAMES + 1):
            (entries,) = head.unpack_from(data, start)
            end = start + head.size + entries * entry.size
            for _, kind, values in entry.iter_unpack(data[start + head.size : end]):
                if kind not in BYTE_TYPES and values > MAX_TIFF_VALUES:
                    raise ImageError(f"a TIFF of {values:,} strips; save it anew")
            (start,) = link.unpack_from(data, end)
            if not start:
                return
    except struct.error:
        return  # cut off or damaged: Pillow finds out


def check_scans(image: Image.Image, data: bytes) -> None:
    """Refuse a progressive JPEG that goes over its pixels again and again.

    Raises:
        ImageError: Decoding it would take seconds.
    """
    scans = data.count(START_OF_SCAN)
    if scans > MAX_SCANS or scans * image.width * image.height > MAX_SCANNED_PIXELS:
        raise ImageError(
            f"a progressive JPEG of {scans:,} scans takes too long; save it as a plain JPEG"
        )


def shrink(image: Image.Image) -> Image.Image:
    """Return an image as L, RGB, RGBA, I or F, made small before a copy takes 200 MB."""
    mode = SHRINKABLE_MODES.get(image.mode.split(";")[0], "RGB")
    if image.has_transparency_data and mode != "LA":
        mode = "RGBA"
    if image.mode != mode:
        image = image.convert(mode)
    factor = max(image.size) // MAX_WORKING_SIDE
    if factor > 1:
        image = image.reduce(factor)
    if mode == "CMYK":
        return image.convert("RGB")
    return image.convert("RGBA") if mode == "LA" else image
