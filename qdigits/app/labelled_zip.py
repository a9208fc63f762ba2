"""Labelled digits as a zip file: the folders 0/ to 9/ that `qdigits train --data folder` takes."""

import io
import zipfile
from collections.abc import Iterable

import numpy as np

from qdigits.app.explain import png
from qdigits.app.session import LABELS, MAX_ITEMS
from qdigits.errors import ImageError
from qdigits.imaging.tile import prepare

MAX_PICTURE = 10_000_000  # bytes of one picture, unpacked


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
        ImageError: This is no zip file, or no picture in it lies in a folder 0 to 9 or none.
    """
    digits: list[tuple[np.ndarray, str]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist()[: 2 * MAX_ITEMS]:
                label = entry.filename.rpartition("/")[0].rpartition("/")[2]
                if label not in LABELS or entry.is_dir() or len(digits) >= MAX_ITEMS:
                    continue
                with archive.open(entry) as file:
                    picture = file.read(MAX_PICTURE + 1)
                try:
                    digits.append((prepare(picture[:MAX_PICTURE]).tile, label))
                except ImageError:
                    continue
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ImageError("this is no zip file that can be read") from error
    if not digits:
        raise ImageError("there are no pictures in folders 0 to 9 in this zip file")
    return digits
