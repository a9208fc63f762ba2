"""Any photo -> MNIST-like tiles: open, even out the light, find the ink, fit the tile."""

import io
import math
import os
import warnings
from contextlib import suppress
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from qdigits.errors import ImageError
from qdigits.files import read_file
from qdigits.imaging.ink import (
    HIGH_THRESHOLD,
    LOW_THRESHOLD,
    MAX_WORKING_SIDE,
    find_ink,
    find_polarity,
)

TILE_SIZE, DIGIT_BOX, TILE_CENTRE = (
    28,
    20,
    14,
)  # MNIST's tile, the box its digits fill, where their centre of mass lies (pixels)
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
KEPT = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "I": "I",
    "F": "F",
    "CMYK": "CMYK",
}  # Pillow's mode, the one to make small
MIN_DIGIT_SIDE = 8  # a smaller mark (pixels) is no digit
MAX_PIXELS, MAX_FILE_BYTES = 50_000_000, 100_000_000


class Prepared(NamedTuple):
    """One digit and every step on its way: what the page shows as a strip of pictures."""

    photo: np.ndarray  # uint8 (H, W, 3), as opened
    downscale: float  # original pixels to one of the photo's
    flattened: np.ndarray  # uint8 (h, w), light evened out, ink 255 on paper 0
    ink: np.ndarray  # uint8 (h, w), only what belongs to the digit
    box: (
        tuple[int, int, int, int] | None
    )  # left, top, right, bottom on this photo; None: nothing there
    tile: np.ndarray  # uint8 (28, 28)
    polarity_ambiguous: bool  # which is ink and which is paper can't be told: ask for both


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


def prepare(source: Any, invert: bool = False) -> Prepared:
    """One photographed digit as the tile MNIST would have made of it.

    Takes   whatever open_photo takes; a 28x28 picture on dark paper is a tile already and passes unchanged;
            invert: take ink for paper, for a second look where the first is in doubt.
    Gives   Prepared; without ink, its box is None and its tile black.
    Raises  ImageError, as open_photo does.
    Source  LeCun et al. 1998 (20x20 box, centre of mass); Yadav and Bottou 2019, arXiv:1905.10498.
    """
    photo, downscale = open_photo(source)
    small = photo.shape[:2] == (TILE_SIZE, TILE_SIZE)
    framed = small and not (
        photo[[0, -1]].any() or photo[:, [0, -1]].any()
    )  # as MNIST's are, in black: no doubt
    ink_is_bright, polarity_ambiguous = (True, False) if framed else find_polarity(photo)
    if small and ink_is_bright != invert:
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        return Prepared(
            photo, downscale, grey, grey, (0, 0, TILE_SIZE, TILE_SIZE), grey, polarity_ambiguous
        )
    flattened, scale = find_ink(photo, ink_is_bright != invert)
    ink, box = _one_digit(flattened)
    if box is None:
        return Prepared(
            photo,
            downscale,
            flattened,
            ink,
            None,
            np.zeros((TILE_SIZE, TILE_SIZE), np.uint8),
            polarity_ambiguous,
        )
    left, top, right, bottom = box
    on_photo = (
        int(left * scale),
        int(top * scale),
        math.ceil(right * scale),
        math.ceil(bottom * scale),
    )
    return Prepared(
        photo,
        downscale,
        flattened,
        ink,
        on_photo,
        fit_tile(ink[top:bottom, left:right]),
        polarity_ambiguous,
    )


def _one_digit(flattened: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int] | None]:
    """The heaviest mark and what lies close to it."""
    mask = (flattened >= LOW_THRESHOLD).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if flattened.max() < HIGH_THRESHOLD:
        return np.zeros_like(flattened), None
    solid = np.bincount(labels[flattened >= HIGH_THRESHOLD], minlength=len(stats))[1:]
    boxes, areas = stats[1:, :4], stats[1:, 4] * (solid > 0)
    main = int(areas.argmax())
    left, top, width, height = boxes[main]
    if max(width, height) < MIN_DIGIT_SIDE:
        return np.zeros_like(flattened), None
    reach = 0.3 * max(width, height)
    gap_x = np.maximum(boxes[:, 0] - (left + width), left - (boxes[:, 0] + boxes[:, 2]))
    gap_y = np.maximum(boxes[:, 1] - (top + height), top - (boxes[:, 1] + boxes[:, 3]))
    keep = (np.maximum(gap_x, gap_y) < reach) & (areas > 0.02 * areas[main])
    chosen = np.isin(labels, np.flatnonzero(keep) + 1).astype(np.uint8)
    ink = np.where(cv2.dilate(chosen, np.ones((3, 3), np.uint8)) > 0, flattened, 0)
    left, top, width, height = cv2.boundingRect((ink > 20).astype(np.uint8))
    return ink, (left, top, left + width, top + height)


def fit_tile(ink: np.ndarray) -> np.ndarray:
    """A crop of ink as MNIST frames it: longest side 20 pixels, anti-aliased, centre of mass at (14, 14).

    Takes   uint8 (h, w), ink on 0.
    Gives   uint8 (28, 28).
    """
    scale = DIGIT_BOX / max(ink.shape)
    size = (max(round(ink.shape[1] * scale), 1), max(round(ink.shape[0] * scale), 1))
    small = cv2.resize(
        ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    ).astype(np.float32)
    small *= 255 / max(float(np.percentile(small, 98)), 1.0)
    mass = small.sum() or 1.0
    x = TILE_CENTRE - (small.sum(0) @ np.arange(size[0])) / mass
    y = TILE_CENTRE - (small.sum(1) @ np.arange(size[1])) / mass
    right, down = (
        np.clip(round(x), 0, TILE_SIZE - size[0]),
        np.clip(round(y), 0, TILE_SIZE - size[1]),
    )
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(small.clip(0, 255).astype(np.uint8), shift, (TILE_SIZE, TILE_SIZE))


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
