"""What was read, drawn on the photo."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from qdigits.errors import ImageError
from qdigits.imaging.decode import open_photo

ACCEPTED_COLOUR = (0, 150, 60)
DOUBTFUL_COLOUR = (230, 120, 0)
MIN_LETTER_SIZE = 10  # pixels
NOTEBOOK_SIDE = 800  # pixels of a picture that a notebook shows
TILE_ENLARGEMENT = 6  # the pixels of a tile are the lesson: they stay squares


def annotate(photo: Any, reading: Any) -> Image.Image:
    """Draw a box and a digit for everything that was found; orange where it is not accepted.

    Args:
        photo: What the reading was made of, as open_photo takes it.
        reading: A Reading; its boxes lie on the original picture.

    Returns:
        The photo as it was opened, which may be smaller than the original.

    Raises:
        ImageError: The photo cannot be read.
    """
    pixels, downscale = open_photo(photo)
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    thickness = max(max(image.size) // 250, 1)
    for found in reading.digits:
        left, top, right, bottom = (edge / downscale for edge in found.box)
        colour = ACCEPTED_COLOUR if found.accepted else DOUBTFUL_COLOUR
        pen.rectangle((left, top, right, bottom), outline=colour, width=thickness)
        size = max(0.4 * (bottom - top), MIN_LETTER_SIZE)
        corner = (left, max(top - 1.2 * size, 0))
        pen.text(corner, str(found.digit), fill=colour, font_size=size)
    return image


def annotated_png(photo: Any, reading: Any) -> bytes | None:
    """Return the annotated photo as a PNG of a notebook's width; None if it can't be opened now."""
    try:
        image = annotate(photo, reading)
    except ImageError:
        return None
    image.thumbnail((NOTEBOOK_SIDE, NOTEBOOK_SIDE))
    return png_bytes(image)


def enlarged_png(tile: np.ndarray) -> bytes:
    """Return a tile, uint8 (28, 28), as a PNG large enough to look at."""
    image = Image.fromarray(tile)
    side = image.width * TILE_ENLARGEMENT
    return png_bytes(image.resize((side, side), Image.Resampling.NEAREST))


def png_bytes(image: Image.Image) -> bytes:
    """Return an image as the bytes of a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
