"""What was read, drawn on the photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from qdigits.errors import ImageError
from qdigits.imaging.decode import open_photo

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]  # RGB

ACCEPTED_COLOUR = (0, 150, 60)
DOUBTFUL_COLOUR = (230, 120, 0)
UNREAD_COLOUR = (110, 110, 110)
DASH = 4  # times as long as a line is thick
MIN_LETTER_SIZE = 10  # pixels
LINES_A_SIDE = 250  # so thin that this many would lie side by side on the picture
NOTEBOOK_SIDE = 800  # pixels of a picture that a notebook shows
TILE_ENLARGEMENT = 6  # the pixels of a tile are the lesson: they stay squares


def annotate(photo: Any, reading: Any) -> Image.Image:
    """Draw a box around every number, with its text above, and around ink that was not read.

    Lines are whole around a number that is accepted, and dashed otherwise; a number in doubt has a
    question mark, and ink that was not read has no text.

    Args:
        photo: What the reading was made of, as open_photo takes it.
        reading: A Reading; its boxes lie on the original picture.

    Returns:
        The photo as it was opened, which may be smaller than the original.

    Raises:
        ImageError: The photo cannot be read.
    """
    from PIL import ImageDraw  # for reading alone, it need not be loaded

    pixels, downscale = open_photo(photo)
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    thickness = max(max(image.size) // LINES_A_SIDE, 1)
    for box in reading.unread:
        draw_dashed_box(pen, scale_edges(box, 1 / downscale), UNREAD_COLOUR, thickness)
    for number in reading.numbers:
        colour = ACCEPTED_COLOUR if number.accepted else DOUBTFUL_COLOUR
        edges = scale_edges(number.box, 1 / downscale)
        if number.accepted:
            pen.rectangle(edges, outline=colour, width=thickness)
        else:
            draw_dashed_box(pen, edges, colour, thickness)
        size = max(0.4 * (edges.bottom - edges.top), MIN_LETTER_SIZE)
        corner = (edges.left, max(edges.top - 1.2 * size, 0))
        pen.text(corner, mark_doubt(number), fill=colour, font_size=size)
    return image


def mark_doubt(number: Any) -> str:
    """Return the text of a Number; "?" stands behind it if it is not accepted."""
    return number.text if number.accepted else f"{number.text}?"


class Edges(NamedTuple):
    """The edges of a box on the picture that is drawn on, in pixels."""

    left: float
    top: float
    right: float
    bottom: float


def scale_edges(box: Sequence[int], scale: float) -> Edges:
    """Return the edges of a box on a picture that is `scale` times as large."""
    return Edges(*(edge * scale for edge in box))


def draw_dashed_box(
    pen: ImageDraw,
    edges: Edges,
    colour: Colour,
    thickness: int,
) -> None:
    """Draw the four sides of a box in dashes."""
    left, top, right, bottom = edges
    dash = DASH * thickness
    for start, end in find_dashes(left, right, dash):
        pen.line((start, top, end, top), fill=colour, width=thickness)
        pen.line((start, bottom, end, bottom), fill=colour, width=thickness)
    for start, end in find_dashes(top, bottom, dash):
        pen.line((left, start, left, end), fill=colour, width=thickness)
        pen.line((right, start, right, end), fill=colour, width=thickness)


def find_dashes(start: float, end: float, length: float) -> list[tuple[float, float]]:
    """Divide a line into dashes of about one length, with gaps as long; it has one at each end."""
    count = max(round((end - start) / length / 2), 2)
    step = (end - start) / (2 * count - 1)  # a dash or a gap
    dashes = []
    for number in range(count):
        first = start + 2 * number * step
        last = start + (2 * number + 1) * step
        dashes.append((first, last))
    return dashes


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
