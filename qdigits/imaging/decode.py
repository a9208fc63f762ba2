"""Any input -> upright RGB."""

import io
import math
import os
import warnings
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from qdigits.errors import ImageError
from qdigits.files import read_file
from qdigits.imaging.constants import MAX_FILE_BYTES, MAX_PIXELS, MAX_WORKING_SIDE

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
KEPT = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "I": "I",
    "F": "F",
    "CMYK": "CMYK",
}  # Pillow's mode, the one to make small


def open_photo(source: Any) -> tuple[np.ndarray, float]:
    """Any picture as upright RGB, and how many original pixels one pixel is.

    Takes   a path, bytes, file object, Pillow image, numpy array or tensor (grey, RGB or RGBA, channels first or last).
    Gives   uint8 (H, W, 3); a file is decoded no larger than reading needs.
    Raises  ImageError: absent, unreadable or empty file; over 50 megapixels; an array that is no picture.
    """
    if isinstance(source, (str, os.PathLike)):
        source = read_file(source, MAX_FILE_BYTES, ImageError)
    elif hasattr(source, "read"):
        source = source.read(MAX_FILE_BYTES + 1)
    try:
        with (
            warnings.catch_warnings()
        ):  # of damage, of many pixels: said elsewhere, in our own words
            warnings.simplefilter("ignore")
            return _decoded(source)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"not a picture; give one of {', '.join(FORMATS)}") from error
    except Exception as error:  # Pillow raises far more than OSError on a damaged file
        raise ImageError(
            f"not a picture that can be read ({error}); give one of {', '.join(FORMATS)}"
        ) from error


def _decoded(source: Any) -> tuple[np.ndarray, float]:
    if coded := isinstance(source, (bytes, bytearray, memoryview)):
        if not 0 < len(source) <= MAX_FILE_BYTES:
            raise ImageError(f"picture of {len(source)} bytes: 1 to {MAX_FILE_BYTES:,} can be read")
        source = Image.open(io.BytesIO(source), formats=FORMATS)
    if not isinstance(source, Image.Image):
        return _from_array(source), 1.0
    longer = max(source.size)
    most = (
        MAX_PIXELS // 2 if source.format == "WEBP" else MAX_PIXELS
    )  # its decoder makes three copies
    if source.width * source.height > most:
        raise ImageError(f"{source.width} x {source.height} pixels; at most {most:,} are read")
    if coded and source.format == "TIFF":
        with suppress(EOFError):
            source.seek(1)
            raise ImageError(
                "a file of several pages; give each by itself, as a file or as a Pillow image"
            )
    if (
        coded and longer > MAX_WORKING_SIDE
    ):  # a JPEG can be decoded to a half, a quarter or an eighth
        source.draft(
            None,
            (source.width * MAX_WORKING_SIDE // longer, source.height * MAX_WORKING_SIDE // longer),
        )
    photo = _from_array(np.asarray(ImageOps.exif_transpose(_reduced(source))))
    return photo, longer / max(photo.shape[:2])


def _reduced(image: Image.Image) -> Image.Image:
    """As L, RGB, RGBA, I or F; made small first, for a copy of 50 megapixels takes 200 MB."""
    mode = KEPT.get(image.mode.split(";")[0], "RGB")
    if image.has_transparency_data and mode != "LA":
        mode = "RGBA"
    if image.mode != mode:
        image = image.convert(mode)
    if (fewer := max(image.size) // MAX_WORKING_SIDE) > 1:
        image = image.reduce(fewer)
    return image.convert({"CMYK": "RGB", "LA": "RGBA"}[mode]) if mode in ("CMYK", "LA") else image


def _from_array(array: Any) -> np.ndarray:
    if hasattr(array, "detach"):  # a tensor, without importing torch
        array = array.detach().cpu().numpy()
    array = np.asarray(array)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if (
        array.dtype.kind not in "biuf"
        or array.ndim not in (2, 3)
        or array.shape[2:] not in ((), (1,), (3,), (4,))
    ):
        raise ImageError(
            f"array of shape {array.shape} and type {array.dtype} is no picture: give (H, W) or (H, W, 3)"
        )
    if not 0 < array.shape[0] * array.shape[1] <= MAX_PIXELS:
        raise ImageError(
            f"array of {array.shape[1]} x {array.shape[0]} pixels; 1 to {MAX_PIXELS:,} can be read"
        )
    array = _to_uint8(array)
    if array.ndim == 3 and array.shape[2] == 4:
        return _on_backdrop(array)
    return (
        array
        if array.ndim == 3 and array.shape[2] == 3
        else cv2.cvtColor(array, cv2.COLOR_GRAY2RGB)
    )


def _to_uint8(array: np.ndarray) -> np.ndarray:
    """Scale by what the numbers show: mean and deviation taken off already, 0..1, 0..255, or more bits than eight."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array * np.uint8(255) if array.max() == 1 else array)
    values = array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(low + high):
        raise ImageError("array with values that are not finite")
    if low < 0 or (array.dtype.kind == "f" and 1 < high < 10):
        values, top = values - low, high - low
    elif high <= 1:
        top = 1.0
    else:
        top = 2.0 ** max(8, math.ceil(math.log2(high + 1))) - 1
    return np.rint(values * (255 / max(top, 1e-6))).clip(0, 255).astype(np.uint8)


def _on_backdrop(rgba: np.ndarray) -> np.ndarray:
    """Transparent parts become paper: the opposite of the ink, or the colour of the sheet when most of it is opaque."""
    colour = rgba[..., :3]
    if rgba[..., 3].min() == 255:
        return np.ascontiguousarray(colour)
    alpha = rgba[..., 3:].astype(np.uint16)
    seen = colour[alpha[..., 0] > 127]
    if len(seen) * 2 > alpha.size:
        backdrop = np.median(seen[:: len(seen) // 10_000 + 1], axis=0).astype(np.uint16)
    else:
        backdrop = np.uint16(0 if len(seen) and seen.mean() > 127 else 255)
    mixed = colour * alpha
    mixed += backdrop * (255 - alpha) + 127
    mixed //= 255
    return mixed.astype(np.uint8)
