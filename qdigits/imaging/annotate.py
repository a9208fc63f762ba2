"""What was read, drawn on the photo."""

from typing import Any

from PIL import Image, ImageDraw

from qdigits.imaging.decode import open_photo


def annotate(photo: Any, reading: Any) -> Image.Image:
    """The photo with a box and a digit drawn for everything that a Reading found; pale where it is not accepted."""
    opened, downscale = open_photo(photo)
    image = Image.fromarray(opened)
    pen = ImageDraw.Draw(image)
    thickness = max(max(image.size) // 250, 1)
    for found in reading.digits:
        left, top, right, bottom = (edge / downscale for edge in found.box)
        colour = (0, 150, 60) if found.accepted else (230, 120, 0)
        pen.rectangle((left, top, right, bottom), outline=colour, width=thickness)
        size = max(0.4 * (bottom - top), 10)
        pen.text((left, max(top - 1.2 * size, 0)), str(found.digit), fill=colour, font_size=size)
    return image
