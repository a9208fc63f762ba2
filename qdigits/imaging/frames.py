"""Pages of a scan and frames of a moving picture: counted within bounds, decoded one by one."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from PIL import Image

from qdigits.errors import ImageError
from qdigits.imaging.image_file import (
    JPEG_FORMATS,
    MAX_FRAMES,
    Photo,
    check_size,
    decode_image_file,
    open_image_file,
)
from qdigits.imaging.parts import part_number, several_pictures

MAX_FRAME_PIXELS = 200_000_000  # pixels times frames, for each frame is drawn over those before it
MAX_KEPT_BYTES = 100_000_000  # of decoded frames


class MovingPicture:
    """A moving picture, whose frames are drawn one over the other.

    It decodes them in order and keeps the last ones. If each were decoded from the start, the time
    would grow with the square of their number. Threads may share it.
    """

    def __init__(self, data: bytes, form: str) -> None:
        """Take a file.

        Args:
            data: The file.
            form: Pillow's name of its format.
        """
        self.data = data
        self.form = form
        self._image = open_image_file(data, form)
        self._last = 0  # number of the frame that was decoded last
        self._kept: dict[int, Photo] = {}
        self._lock = Lock()

    def decode(self, number: int) -> Photo:
        """Decode the frame of that number, from 1.

        Raises:
            ImageError: There is no such frame, or it is too large.
        """
        with self._lock:
            if number <= self._last and number not in self._kept:
                return decode_frame(open_image_file(self.data, self.form), number)
            while self._last < number - 1:
                with suppress(Exception):  # whoever asks for this frame is told
                    self._decode_next()
            if self._last < number:
                self._decode_next()
            return self._kept[number]

    def _decode_next(self) -> None:
        self._last += 1
        self._kept[self._last] = decode_frame(self._image, self._last)
        while sum(photo.pixels.nbytes for photo in self._kept.values()) > MAX_KEPT_BYTES:
            del self._kept[min(self._kept)]


def decode_part(data: bytes, form: str, part: str) -> Photo:
    """Decode a picture file, or one page or frame of it.

    Args:
        data: The file.
        form: Pillow's name of its format.
        part: "2" for the second page or frame; "" for the only one.

    Raises:
        SeveralPicturesError: No page or frame was named, and the file has several.
        ImageError: It is too large, or takes too long.
    """
    image = open_image_file(data, form)
    if image.format in JPEG_FORMATS:
        if part not in ("", "1"):
            raise ImageError(f"there is no page or frame {part}")
        return decode_image_file(image)
    if part:
        return decode_frame(image, part_number(part))
    frames = count_frames(image)
    if frames > 1:  # the pages of a TIFF lie side by side: any one can be decoded alone
        source = data if form == "TIFF" else MovingPicture(data, form)
        raise several_pictures(source, frames, "pages or frames")
    return decode_image_file(image)


def decode_frame(image: Image.Image, number: int) -> Photo:
    """Decode the page or frame of that number, from 1.

    Raises:
        ImageError: There is no such page or frame, or it takes too long.
    """
    if image.format != "TIFF" and image.width * image.height * number > MAX_FRAME_PIXELS:
        raise ImageError(f"frame {number} of a moving picture takes too long to draw")
    try:
        image.seek(number - 1)
    except EOFError as error:
        raise ImageError(f"there is no page or frame {number}") from error
    check_size(image)
    return decode_image_file(image)


def count_frames(image: Image.Image) -> int:
    """Count the pages or frames of an open image, as far as MAX_FRAMES.

    Raises:
        ImageError: There are more.
    """
    for number in range(1, MAX_FRAMES + 1):
        try:
            image.seek(number)
        except EOFError:
            if number > 1:
                image.seek(0)
            return number
        if image.width * image.height * number > MAX_FRAME_PIXELS:
            break
    raise ImageError(
        f"a file of too many or too large pages or frames; at most {MAX_FRAMES} are read"
    )
