"""Labelled digits as a zip file: the folders 0/ to 9/ that `qdigits train --data folder` takes."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np

from qdigits.app.explain import png
from qdigits.app.session import LABELS, MAX_ITEMS
from qdigits.errors import ImageError
from qdigits.imaging.archive import list_members, open_archive, read_member
from qdigits.imaging.decode import open_photo
from qdigits.imaging.tile import prepare

MAX_PICTURE_BYTES = 10_000_000
MAX_TOTAL_PIXELS = 1_000_000_000  # of all pictures: ten seconds of work


def pack(digits: Iterable[tuple[np.ndarray, str]]) -> bytes:
    """Pack tiles, uint8 (28, 28), and what they are; what is no digit lies in the folder none/."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, (tile, label) in enumerate(digits):
            archive.writestr(f"{label}/{number:04}.png", png(tile))
    return file.getvalue()


def unpack(data: bytes) -> list[tuple[np.ndarray, str]]:
    """Read a zip file that `pack` made, or anybody with the same folders.

    Nothing is written to disk, and a picture that cannot be read is left out.

    Raises:
        ImageError: This is no zip file that can be read, its pictures are too large in all, or
            none of them lies in a folder 0 to 9 or none.
    """
    digits: list[tuple[np.ndarray, str]] = []
    archive = open_archive(io.BytesIO(data))
    pixels = 0.0
    for name in list_members(archive)[: 2 * MAX_ITEMS]:
        label = PurePosixPath(name).parent.name
        if label not in LABELS or len(digits) >= MAX_ITEMS:
            continue
        try:
            photo = open_photo(read_member(archive, name, MAX_PICTURE_BYTES))
            digits.append((prepare(photo).tile, label))
        except ImageError:
            continue
        pixels += photo.pixels[..., 0].size * photo.downscale**2
        if pixels > MAX_TOTAL_PIXELS:
            raise ImageError("too many large pictures in this zip file; make them smaller")
    if not digits:
        raise ImageError("there are no pictures in folders 0 to 9 in this zip file")
    return digits
