"""What was read, drawn on the photo."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from qdigits.imaging.decode import open_photo

ACCEPTED_COLOUR = (0, 150, 60)
DOUBTFUL_COLOUR = (230, 120, 0)
MIN_LETTER_SIZE = 10  # pixels


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
