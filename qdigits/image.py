"""Any photo -> MNIST-like tiles: open, even out the light, find the ink, fit the tile."""

import io
import math
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from .errors import ImageError

EDGE, SOLID = 72, 128  # an ink map's value on the edge of a stroke, and what every stroke reaches somewhere
TILE, BOX, CENTRE = 28, 20, 14  # MNIST's tile, the box its digits fill, where their centre of mass lies (pixels)
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
MAX_PIXELS, MAX_BYTES = 50_000_000, 100_000_000
DARKEST = 32  # paper's brightness; below it a camera sees noise
LONGEST, SHORTEST = 2000, TILE  # working size (longest side, pixels): larger pictures are shrunk, smaller enlarged


@dataclass(frozen=True)
class Prepared:
    """One digit and every step on its way: what the page shows as a strip of pictures."""

    photo: np.ndarray  # uint8 (H, W, 3), as opened
    evened: np.ndarray  # uint8 (h, w), light evened out, ink 255 on paper 0
    ink: np.ndarray  # uint8 (h, w), only what belongs to the digit
    box: tuple[int, int, int, int] | None  # left, top, right, bottom on the photo; None: nothing there
    tile: np.ndarray  # uint8 (28, 28)
    doubtful: bool  # which is ink and which is paper can't be told: ask for both


def open_photo(source: Any) -> np.ndarray:
    """Any picture as upright RGB.

    Takes   a path, bytes, file object, Pillow image, numpy array or tensor (grey, RGB or RGBA, channels first or last).
    Gives   uint8 (H, W, 3).
    Raises  ImageError: absent, unreadable or empty file; over 50 megapixels; an array that is no picture.
    """
    return _open(source)[0]


def open_reduced(source: Any) -> tuple[np.ndarray, float]:
    """`open_photo` of a page, decoded no larger than reading needs; and how many original pixels one pixel is."""
    return _open(source, LONGEST)


def _open(source: Any, longest: int | None = None) -> tuple[np.ndarray, float]:
    if isinstance(source, (str, os.PathLike)):
        source = _read_file(source)
    elif hasattr(source, "read"):
        source = source.read(MAX_BYTES + 1)
    try:
        if isinstance(source, (bytes, bytearray, memoryview)):
            if not 0 < len(source) <= MAX_BYTES:
                raise ImageError(f"picture of {len(source)} bytes: 1 to {MAX_BYTES:,} can be read")
            source = Image.open(io.BytesIO(source), formats=FORMATS)
        if not isinstance(source, Image.Image):
            return _from_array(source), 1.0
        width = source.width
        if width * source.height > MAX_PIXELS:
            raise ImageError(f"{width} x {source.height} pixels; at most {MAX_PIXELS:,} are read")
        if longest and width * source.height > longest**2:
            share = longest / max(source.size)
            source.draft(None, (round(width * share), round(source.height * share)))
        return _from_pillow(source), width / source.width
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"not a picture; give one of {', '.join(FORMATS)}") from error
    except Exception as error:  # Pillow raises far more than OSError on a damaged file
        raise ImageError(f"not a picture that can be read ({error}); give one of {', '.join(FORMATS)}") from error


def _read_file(path: str | os.PathLike) -> bytes:
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # a FIFO would hang, a folder has no bytes
            raise ImageError(f"{path}: not a regular file")
        if found.st_size > MAX_BYTES:
            raise ImageError(f"{path}: {found.st_size:,} bytes; at most {MAX_BYTES:,} are read")
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _from_pillow(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _from_array(np.asarray(image))
    if image.has_transparency_data:
        return _on_backdrop(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _from_array(array: Any) -> np.ndarray:
    if hasattr(array, "detach"):  # a tensor, without importing torch
        array = array.detach().cpu().numpy()
    array = np.asarray(array)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        raise ImageError(f"array of shape {array.shape} and type {array.dtype} is no picture: give (H, W) or (H, W, 3)")
    if not 0 < array.shape[0] * array.shape[1] <= MAX_PIXELS:
        raise ImageError(f"array of {array.shape[1]} x {array.shape[0]} pixels; 1 to {MAX_PIXELS:,} can be read")
    array = _to_uint8(array)
    if array.ndim == 3 and array.shape[2] == 4:
        return _on_backdrop(array)
    return array if array.ndim == 3 and array.shape[2] == 3 else cv2.cvtColor(array, cv2.COLOR_GRAY2RGB)


def _to_uint8(array: np.ndarray) -> np.ndarray:
    """Scale by what the numbers show: 0..1, already normalised around 0, 0..255, or more bits than eight."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    values = array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(low + high):
        raise ImageError("array with values that are not finite")
    if low < 0:
        values, high = values - low, high - low
    if array.dtype.kind == "f" and (low < 0 or high <= 1) or array.dtype.kind == "b":
        top = high if low < 0 else 1.0
    else:
        top = 2.0 ** max(8, math.ceil(math.log2(high + 1))) - 1
    return np.rint(values * (255 / max(top, 1e-6))).clip(0, 255).astype(np.uint8)


def _on_backdrop(rgba: np.ndarray) -> np.ndarray:
    """Transparent parts become paper: the opposite of the ink, or the colour of the sheet when most of it is opaque."""
    colour = rgba[..., :3]
    if rgba[..., 3].min() == 255:
        return np.ascontiguousarray(colour)
    alpha = rgba[..., 3:].astype(np.float32) / 255
    seen = colour[alpha[..., 0] > 0.5]
    if len(seen) * 2 > alpha.size:
        backdrop = np.median(seen, axis=0)
    else:
        backdrop = np.float32(0 if len(seen) and seen.mean() > 127 else 255)
    return np.rint(colour * alpha + backdrop * (1 - alpha)).astype(np.uint8)


def find_ink(photo: np.ndarray, brighter: bool) -> tuple[np.ndarray, float]:
    """The ink on a photo, whatever the light, the paper's colour, and whichever of the two is darker.

    Takes   uint8 (H, W, 3); whether ink is brighter than paper, as `polarity` tells.
    Gives   uint8 (h, w), ink up to 255 on paper 0, at a working size; and how many photo pixels one of its pixels is.
    """
    longest = max(photo.shape[:2])
    scale = longest / min(max(longest, SHORTEST), LONGEST)
    photo = _resize(photo, 1 / scale)
    small = _resize(photo, min(128 / longest * scale, 1))
    if brighter:
        photo, small = cv2.bitwise_not(photo), cv2.bitwise_not(small)
    paper = _paper(small)
    marks = np.clip(paper - small, 0, None).reshape(-1, 3)
    weights = marks[marks.sum(1) >= marks.sum(1).max() / 2].mean(0) ** 2 + 1e-6  # the channels that show the ink
    weights /= weights.sum()
    bright = cv2.resize((paper @ weights).clip(0, 255).astype(np.float32), photo.shape[1::-1])
    marks = bright - cv2.transform(photo, weights[None].astype(np.float32))
    return _levelled(marks * 255 / np.maximum(bright, DARKEST)), scale


def _levelled(marks: np.ndarray) -> np.ndarray:
    """Noise to 0, half the ink's own strength to HALF: faint lines and what shines through fall below."""
    sample = marks[:: max(marks.shape[0] // 300, 1), :: max(marks.shape[1] // 300, 1)]
    noise = float(np.percentile(np.abs(sample), 25)) / 0.32  # of a normal distribution; holds with half the sheet inked
    floor = min(max(4 * noise, 10.0), 60.0)
    marks = marks.clip(0, 255)
    strong = marks[marks > floor].astype(np.uint8)
    if not strong.size:
        return np.zeros(marks.shape, np.uint8)
    half = max(cv2.threshold(strong[:, None], 0, 255, cv2.THRESH_OTSU)[0], floor * SOLID / EDGE)
    return cv2.threshold(cv2.convertScaleAbs(marks, alpha=SOLID / half), SOLID * floor / half / 2, 0, cv2.THRESH_TOZERO)[1]


def _paper(small: np.ndarray) -> np.ndarray:
    """The bare sheet under the marks: everything up to a few strokes wide is closed."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    flat = _off_plane(grey)
    side = min(grey.shape) // 2
    marks = _closed(flat, side) - flat
    found = (marks > marks.max() / 2).astype(np.uint8)
    depth = cv2.distanceTransform(cv2.copyMakeBorder(found, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    ridge = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3))))]
    stroke = 2 * np.percentile(ridge, 90) if ridge.size else 1.0
    side = int(min(max(4 * stroke, 9), side))
    flats = [_off_plane(channel) for channel in cv2.split(small)]
    return small + np.stack([_closed(flat, side) - flat for flat in flats], 2)


def _closed(image, side):
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side | 1, side | 1))
    closed = cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel)
    return cv2.GaussianBlur(closed, (side | 1, side | 1), 0)


def _off_plane(grey: np.ndarray) -> np.ndarray:
    """What is left of a picture when the plane through most of its pixels (least absolute deviation) is taken off."""
    coarse = _resize(grey, min(64 / max(grey.shape), 1))
    terms, values = _plane_terms(*coarse.shape), coarse.reshape(-1).astype(np.float32)
    weight = np.ones(len(values), np.float32)
    for _ in range(4):
        weighted = terms * weight
        plane = np.linalg.solve(weighted @ terms.T + 1e-3 * np.eye(3), weighted @ values)
        rest = np.abs(values - plane @ terms)
        weight = 1 / (rest + 0.1 * rest.mean() + 1e-3)
    level, slope_x, slope_y = plane.astype(np.float32)
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in grey.shape)
    return grey - (level + slope_x * x + slope_y * y[:, None])


@lru_cache(maxsize=64)  # of small pictures, and most of them alike
def _plane_terms(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    return np.stack([np.ones_like(x), x, y]).reshape(3, -1)


def polarity(photo: np.ndarray) -> tuple[bool, bool]:
    """Whether bright is ink, and whether that is in doubt: ink is the lesser part and leaves most of the edge free."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    rest = _off_plane(_resize(grey, min(64 / max(grey.shape), 1)))
    edge = np.concatenate([rest[0], rest[-1], rest[:, 0], rest[:, -1]])
    middle = (rest.max() + rest.min()) / 2
    cubes = rest * rest * rest
    skew = cubes.mean() / (np.abs(cubes).mean() + 1e-6)
    brighter = skew - 2 * (np.median(edge) - middle) / (np.ptp(rest) + 1e-6) > 0
    return bool(brighter), bool(((edge > middle) == brighter).mean() > 0.2)


def _resize(image: np.ndarray, factor: float) -> np.ndarray:
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def prepare(source: Any, swap: bool = False) -> Prepared:
    """One photographed digit as the tile MNIST would have made of it.

    Takes   whatever open_photo takes; a 28x28 picture on dark paper is a tile already and passes unchanged;
            swap: take ink for paper, for a second look where the first is in doubt.
    Gives   Prepared; without ink, its box is None and its tile black.
    Raises  ImageError, as open_photo does.
    Source  LeCun et al. 1998 (20x20 box, centre of mass); Yadav and Bottou 2019, arXiv:1905.10498.
    """
    photo = open_photo(source)
    brighter, doubtful = polarity(photo)
    if photo.shape[:2] == (TILE, TILE) and brighter != swap:
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        return Prepared(photo, grey, grey, (0, 0, TILE, TILE), grey, doubtful)
    evened, scale = find_ink(photo, brighter != swap)
    ink, box = _one_digit(evened)
    if box is None:
        return Prepared(photo, evened, ink, None, np.zeros((TILE, TILE), np.uint8), doubtful)
    left, top, right, bottom = box
    on_photo = (int(left * scale), int(top * scale), math.ceil(right * scale), math.ceil(bottom * scale))
    return Prepared(photo, evened, ink, on_photo, fit_tile(ink[top:bottom, left:right]), doubtful)


def _one_digit(evened: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int] | None]:
    """The heaviest mark and what lies close to it."""
    mask = (evened >= EDGE).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if evened.max() < SOLID:
        return np.zeros_like(evened), None
    solid = np.bincount(labels[evened >= SOLID], minlength=len(stats))[1:]
    boxes, areas = stats[1:, :4], stats[1:, 4] * (solid > 0)
    main = int(areas.argmax())
    left, top, width, height = boxes[main]
    reach = 0.3 * max(width, height)
    gap_x = np.maximum(boxes[:, 0] - (left + width), left - (boxes[:, 0] + boxes[:, 2]))
    gap_y = np.maximum(boxes[:, 1] - (top + height), top - (boxes[:, 1] + boxes[:, 3]))
    keep = (np.maximum(gap_x, gap_y) < reach) & (areas > 0.02 * areas[main])
    chosen = np.isin(labels, np.flatnonzero(keep) + 1).astype(np.uint8)
    ink = np.where(cv2.dilate(chosen, np.ones((3, 3), np.uint8)) > 0, evened, 0)
    left, top, width, height = cv2.boundingRect((ink > 20).astype(np.uint8))
    return ink, (left, top, left + width, top + height)


def fit_tile(ink: np.ndarray) -> np.ndarray:
    """A crop of ink as MNIST frames it: longest side 20 pixels, anti-aliased, centre of mass at (14, 14).

    Takes   uint8 (h, w), ink on 0.
    Gives   uint8 (28, 28).
    """
    scale = BOX / max(ink.shape)
    size = (max(round(ink.shape[1] * scale), 1), max(round(ink.shape[0] * scale), 1))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).astype(np.float32)
    small *= 255 / max(float(np.percentile(small, 98)), 1.0)
    mass = small.sum() or 1.0
    x = CENTRE - (small.sum(0) @ np.arange(size[0])) / mass
    y = CENTRE - (small.sum(1) @ np.arange(size[1])) / mass
    shift = np.array([[1, 0, np.clip(round(x), 0, TILE - size[0])], [0, 1, np.clip(round(y), 0, TILE - size[1])]], np.float32)
    return cv2.warpAffine(small.clip(0, 255).astype(np.uint8), shift, (TILE, TILE))


def annotate(photo: Any, reading: Any) -> Image.Image:
    """The photo with a box and a digit drawn for everything that a Reading found; pale where it is not accepted."""
    image = Image.fromarray(open_photo(photo))
    pen = ImageDraw.Draw(image)
    thickness = max(max(image.size) // 250, 1)
    for found in reading.digits:
        left, top, right, bottom = found.box
        colour = (0, 150, 60) if found.accepted else (230, 120, 0)
        pen.rectangle((left, top, right, bottom), outline=colour, width=thickness)
        size = max(0.4 * (bottom - top), 10)
        below = bottom if bottom + size < image.height else top - 1.2 * size
        pen.text((left, below), str(found.digit), fill=colour, font_size=size)
    return image
