"""From ink to a picture: tilt, paper, light, dirt, and what cameras and scanners do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from qdigits.augment.pages.chance import Range, happens, pick, whole_number
from qdigits.augment.pages.marks import OTHER, Box, Mark, box_of
from qdigits.augment.pages.sheet import MARGIN, Rule, Sheet

LEAST_HEIGHT = 14
"""Pixels of a digit that a scanner in black and white needs."""
SEEN = 0.75
"""Share of a mark that must be seen for it to be asked for."""
HARDLY_SEEN = 0.5
"""Share below which a cut mark is no longer a digit."""


def tilt(rng: Generator, sheet: Sheet) -> None:
    """Turn the sheet by up to 15 degrees and look at it from the side."""
    matrix = _tilt_matrix(rng, sheet.full)
    size = (sheet.full, sheet.full)
    sheet.ink = cv2.warpPerspective(sheet.ink, matrix, size)
    sheet.rules = cv2.warpPerspective(sheet.rules, matrix, size)
    boxes = [mark.box for mark in sheet.marks]
    tilted = _tilted(boxes, matrix)
    pairs = zip(sheet.marks, tilted, strict=True)
    sheet.marks = [mark._replace(box=box) for mark, box in pairs]
    sheet.ignored = _tilted(sheet.ignored, matrix)
    sheet.vague = _tilted(sheet.vague, matrix)


def _tilt_matrix(rng: Generator, side: int) -> np.ndarray:
    """Draw the perspective map (3, 3) that tilts a sheet of `side` pixels."""
    is_slight = happens(rng, 0.6)
    angle = rng.normal(0, 4) if is_slight else rng.uniform(-15, 15)
    scale = rng.uniform(0.95, 1.1)
    middle = (side / 2, side / 2)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(middle, angle, scale)
    matrix[2, :2] = rng.normal(0, 2e-4, 2)
    matrix /= matrix[2] @ (*middle, 1)  # the middle keeps its size
    return matrix


def _tilted(boxes: list[Box], matrix: np.ndarray) -> list[Box]:
    """Return the boxes of marks after a perspective map (3, 3)."""
    x, y = _tilted_corners(boxes, matrix)
    wide = (x[1] - x[0] + x[2] - x[3]) / 2
    tall = (y[3] - y[0] + y[2] - y[1]) / 2
    # marks hardly fill their corners: halfway between the tilted sides and what encloses them
    half_width = (wide + np.ptp(x, axis=0)) / 4
    half_height = (tall + np.ptp(y, axis=0)) / 4
    middle_x = x.mean(0)
    middle_y = y.mean(0)
    edges = [
        middle_x - half_width,
        middle_y - half_height,
        middle_x + half_width,
        middle_y + half_height,
    ]
    rows = np.stack(edges, axis=1).tolist()
    return [Box(*row) for row in rows]


def _tilted_corners(boxes: list[Box], matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y, each (4, N), of the corners of boxes after a perspective map (3, 3).

    The corners come clockwise from the upper left one.
    """
    left, top, right, bottom = np.array(boxes, float).reshape(-1, 4).T
    corners_x = [left, right, right, left]
    corners_y = [top, top, bottom, bottom]
    corners = np.stack([corners_x, corners_y])  # (2, 4, N)
    offset = matrix[:, 2, None, None]
    mapped = np.einsum("ij,jcn->icn", matrix[:, :2], corners)
    x, y, scale = mapped + offset
    return x / scale, y / scale


def add_dirt(rng: Generator, sheet: Sheet) -> None:
    """Add what should not be there: specks, stains, loose lines, folds, holes."""
    if happens(rng, 0.22):
        _add_specks(rng, sheet)
    if happens(rng, 0.15) and sheet.marks:
        _add_bits(rng, sheet)
    if happens(rng, 0.12):
        _add_loose_lines(rng, sheet)
    if happens(rng, 0.04):
        _add_stain(rng, sheet)
    if happens(rng, 0.03):
        _add_hole(rng, sheet)


def _random_place(rng: Generator, sheet: Sheet) -> tuple[int, int]:
    """Return a pixel (x, y) of the sheet."""
    x, y = rng.integers(0, sheet.full, 2).tolist()
    return x, y


def _add_specks(rng: Generator, sheet: Sheet) -> None:
    """Add a few specks, or many."""
    is_clean = happens(rng, 0.7)
    mean_count = 3 if is_clean else 25
    for _ in range(rng.poisson(mean_count)):
        place = _random_place(rng, sheet)
        is_large = happens(rng, 0.25)
        radius = whole_number(rng, 3, 10) if is_large else pick(rng, (1, 1, 2, 3))
        darkness = rng.uniform(0.2, 1)
        sheet.disc(place, radius, darkness)


def _add_bits(rng: Generator, sheet: Sheet) -> None:
    """Add bits of strokes, far smaller than the digits: what is left of a line or a letter."""
    heights = [mark.box.height for mark in sheet.marks]
    height = float(np.median(heights))
    for _ in range(whole_number(rng, 1, 8)):
        start = rng.uniform(0, sheet.full, 2)
        step = rng.uniform(-0.35, 0.35, 2) * height
        direction = pick(rng, ((0.1, 1), (1, 0.1), (1, 1)))  # upright, level, any
        end = start + step * direction
        darkness = rng.uniform(0.3, 1)
        width = height * rng.uniform(0.03, 0.15)
        sheet.line(start, end, Rule(darkness, width))


def _add_loose_lines(rng: Generator, sheet: Sheet) -> None:
    """Add one to three lines from anywhere to anywhere."""
    for _ in range(whole_number(rng, 1, 3)):
        start, end = rng.uniform(0, sheet.full, (2, 2))
        darkness = rng.uniform(0.2, 1)
        width = whole_number(rng, 1, 3)
        sheet.line(start, end, Rule(darkness, width))


def _add_stain(rng: Generator, sheet: Sheet) -> None:
    """Add the ring that a cup leaves, at times with a second one inside."""
    place = _random_place(rng, sheet)
    radius = int(rng.uniform(20, 90))
    darkness = float(rng.uniform(0.15, 0.6))
    width = whole_number(rng, 1, 4)
    cv2.circle(sheet.rules, place, radius, darkness, width, cv2.LINE_AA)
    has_inner_ring = happens(rng, 0.5)
    if has_inner_ring:
        inner_radius = int(radius * 0.8)
        cv2.circle(sheet.rules, place, inner_radius, darkness, 1, cv2.LINE_AA)


def _add_hole(rng: Generator, sheet: Sheet) -> None:
    """Punch a hole; nothing is asked of the marks it swallows."""
    x, y = _random_place(rng, sheet)
    radius = int(rng.uniform(6, 22))
    darkness = rng.uniform(0.4, 1)
    sheet.disc((x, y), radius, darkness)
    diameter = 2 * radius
    region = box_of(x - radius, y - radius, diameter, diameter)
    sheet.forget(region)


def take_picture(rng: Generator, sheet: Sheet) -> np.ndarray:
    """Photograph or scan a sheet, and keep the marks that are seen: uint8 (side, side)."""
    camera = Camera(rng, sheet.side, sheet.detail)
    inside = slice(MARGIN, MARGIN + sheet.side)
    all_ink = np.maximum(sheet.ink, sheet.rules * 0.97)
    ink = all_ink[inside, inside]
    _crop_marks(sheet)
    contrast = 1 - rng.uniform(0, 0.35)
    is_photographed = happens(rng, 0.75)
    paper = camera.paper() if is_photographed else rng.uniform(0.75, 1.0)
    shows_table = happens(rng, 0.16)
    if shows_table:
        beyond = camera.beyond()
        ink = ink * (1 - beyond)
        table = camera.table()
        paper = paper + (table - paper) * beyond
        _cover(sheet, beyond)
    is_worn = happens(rng, 0.2)
    if is_worn:
        ink = ink * camera.random_texture((0.1, 0.6), (24, 128))
    picture = paper * (1 - ink * contrast)
    may_be_bitmap = happens(rng, 0.09)
    is_black_and_white = may_be_bitmap and ink.max() * contrast > 0.6
    least_share = _least_share(sheet.marks)
    return camera.develop(picture.astype(np.float32), is_black_and_white, least_share)


def _least_share(marks: list[Mark]) -> float:
    """Return how far a picture may shrink until its digits are LEAST_HEIGHT pixels high."""
    heights = [mark.box.height for mark in marks if mark.kind < OTHER]
    if not heights:
        return 1.0
    share = LEAST_HEIGHT / np.median(heights)
    return float(np.clip(share, 0.2, 1))


def _crop_marks(sheet: Sheet) -> None:
    """Move the marks into the picture; what little is left of those at its edges is no digit."""
    marks: list[Mark] = []
    cut: list[Box] = []
    hardly_seen: list[Box] = []
    for mark in sheet.marks:
        box = _in_picture(mark.box)
        seen = _seen_share(box, sheet.side)
        if seen >= SEEN:
            marks.append(mark._replace(box=box))
        elif seen >= HARDLY_SEEN:
            cut.append(box)
        elif seen > 0:
            hardly_seen.append(box)
    sheet.marks = marks
    ignored = [_in_picture(box) for box in sheet.ignored]
    vague = [_in_picture(box) for box in sheet.vague]
    sheet.ignored = ignored + cut
    sheet.vague = vague + hardly_seen


def _in_picture(box: Box) -> Box:
    """Return a box of the sheet in pixels of the picture."""
    return box.moved(-MARGIN, -MARGIN)


def _seen_share(box: Box, side: int) -> float:
    """Return which part of a box lies in a picture of `side` pixels."""
    left = max(box.left, 0)
    top = max(box.top, 0)
    right = min(box.right, side)
    bottom = min(box.bottom, side)
    if right <= left or bottom <= top:
        return 0.0
    area = box.width * box.height
    return (right - left) * (bottom - top) / area


def _cover(sheet: Sheet, beyond: np.ndarray) -> None:
    """Drop the marks that the table's edge hides."""
    marks = []
    for mark in sheet.marks:
        edges = np.clip(mark.box, 0, sheet.side - 1)
        left, top, right, bottom = edges.astype(int)
        rows = slice(top, bottom + 1)
        columns = slice(left, right + 1)
        hidden = beyond[rows, columns].mean()
        if hidden < 1 - SEEN:
            marks.append(mark)
        elif hidden < 0.9:
            sheet.ignored.append(mark.box)
    sheet.marks = marks


@dataclass(frozen=True)
class Camera:
    """What light, paper and camera do to a picture of `side` pixels; 1.0 is white."""

    rng: Generator
    side: int
    detail: int
    """Pixels it tells apart along each side."""

    def field(self, cells: int) -> np.ndarray:
        """Return a smooth random field 0..1 of that many cells along each side."""
        coarse = self.rng.random((cells, cells), np.float32)
        interpolation = cv2.INTER_CUBIC if cells < 6 else cv2.INTER_LINEAR
        return self._enlarge(coarse, interpolation)

    def texture(self, strength: float, cells: int) -> np.ndarray:
        """Return factors from 1 - strength to 1."""
        return 1 - strength * self.field(cells)

    def random_texture(self, strength: Range, cells: tuple[int, int]) -> np.ndarray:
        """Return a texture whose strength and number of cells lie in two ranges."""
        chosen_strength = self.rng.uniform(*strength)
        chosen_cells = int(self.rng.integers(*cells))
        return self.texture(chosen_strength, chosen_cells)

    def paper(self) -> np.ndarray:
        """Return the brightness of lit paper: a gradient, at times a shadow, a fold, a texture."""
        rng = self.rng
        brightness = rng.uniform(0.45, 1.0)
        light = brightness * self.random_texture((0, 0.5), (2, 5))
        has_shadow = happens(rng, 0.2)
        if has_shadow:
            light *= self._shadow()
        has_fold = happens(rng, 0.1)
        if has_fold:
            light += self._fold()
        is_rough = happens(rng, 0.25)
        if is_rough:
            light *= self.random_texture((0.02, 0.15), (30, 128))
        return light

    def table(self) -> np.ndarray:
        """Return the brightness of the table under the paper."""
        brightness = self.rng.uniform(0.02, 0.95)
        return brightness * self.random_texture((0, 0.4), (8, 64))

    def _shadow(self) -> np.ndarray:
        """Return factors that are lower on one side of a soft edge."""
        rng = self.rng
        coarse = self.beyond()[::4, ::4]
        soft = _blurred(coarse, rng.uniform(0.3, 6))
        depth = rng.uniform(0.15, 0.65)
        return 1 - depth * self._enlarge(soft, cv2.INTER_LINEAR)

    def _fold(self) -> np.ndarray:
        """Return what a fold adds to the light along a line, or takes from it."""
        rng = self.rng
        line = self._blank()
        ends = rng.uniform(-50, self.side + 50, (2, 2))
        start, end = ends.astype(int).tolist()
        width = whole_number(rng, 1, 3)
        cv2.line(line, start, end, 1.0, width)
        brightness = rng.uniform(-0.25, 0.25)
        return brightness * _blurred(line, rng.uniform(0.5, 2))

    def _blank(self) -> np.ndarray:
        """Return zeros, as large as the picture."""
        return np.zeros((self.side, self.side), np.float32)

    def beyond(self) -> np.ndarray:
        """Return 1.0 on one side of one or two straight edges, and 0.0 on the other."""
        rng = self.rng
        mask = self._blank()
        is_one_edge = happens(rng, 0.7)
        edge_count = 1 if is_one_edge else 2
        for _ in range(edge_count):
            corners = self._half_plane()
            whole_corners = np.round(corners).astype(np.int32)
            cv2.fillPoly(mask, [whole_corners], 1.0, cv2.LINE_AA)
        return mask

    def _half_plane(self) -> list[np.ndarray]:
        """Return the corners (x, y) of what lies beyond a random, nearly level or upright edge."""
        rng = self.rng
        quarter = pick(rng, (0, 90, 180, 270))
        angle = np.deg2rad(quarter + rng.normal(0, 8))
        direction = np.array([np.cos(angle), np.sin(angle)])
        along_edge = np.array([-direction[1], direction[0]])
        middle = self.side / 2
        foot = middle + direction * rng.uniform(0.0, 0.48) * self.side
        far = 3 * self.side
        first = foot - far * along_edge
        second = foot + far * along_edge
        outwards = far * direction
        return [first, second, second + outwards, first + outwards]

    def develop(
        self,
        picture: np.ndarray,
        black_and_white: bool,
        least_share: float = 1.0,
    ) -> np.ndarray:
        """Blur, sharpen, add noise, threshold, invert and compress; return uint8.

        Args:
            picture: float32 (side, side), white 1.0.
            black_and_white: Whether to threshold it.
            least_share: Least share of its pixels, along each side, at which that may be done.
        """
        rng = self.rng
        picture = self._blur(picture)
        if black_and_white:
            picture = self._threshold(picture, least_share)
        elif happens(rng, 0.7):
            picture = picture + self._noise()
        is_inverted = happens(rng, 0.13)
        if is_inverted:
            picture = 1 - picture
        grey = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
        is_jpeg = happens(rng, 0.3)
        return self._compress(grey) if is_jpeg else grey

    def _compress(self, grey: np.ndarray) -> np.ndarray:
        """Save a picture as a JPEG file of random quality, and read it again."""
        quality = whole_number(self.rng, 20, 89)
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        _, file = cv2.imencode(".jpg", grey, options)
        decoded = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
        return np.asarray(decoded, np.uint8)

    def _noise(self) -> np.ndarray:
        """Return noise, of single pixels or a little coarser, mostly faint."""
        rng = self.rng
        noise = rng.standard_normal((self.side, self.side), np.float32)
        is_coarse = happens(rng, 0.4)
        if is_coarse:
            noise = cv2.GaussianBlur(noise, (3, 3), 0) * 1.8
        is_faint = happens(rng, 0.7)
        strongest = 0.02 if is_faint else 0.07
        strength = rng.uniform(0, strongest)
        return noise * np.float32(strength)

    def _blur(self, picture: np.ndarray) -> np.ndarray:
        """Lose detail, by distance, focus or motion, and sharpen as telephones do."""
        rng = self.rng
        if self.detail < self.side:
            picture = self._shrink(picture, self.detail)
        elif happens(rng, 0.12):
            share = rng.uniform(0.4, 0.8)
            picture = self._shrink(picture, int(self.side * share))
        is_out_of_focus = happens(rng, 0.3)
        if is_out_of_focus:
            picture = _blurred(picture, rng.uniform(0.4, 1.5))
        is_moved = happens(rng, 0.05)
        if is_moved:
            picture = cv2.filter2D(picture, -1, self._motion_kernel())
        is_sharpened = happens(rng, 0.12)
        if is_sharpened:
            detail = picture - _blurred(picture, 1.5)
            picture = picture + rng.uniform(0.3, 1.2) * detail
        return picture

    def _motion_kernel(self) -> np.ndarray:
        """Return the short line along which a moving camera smears each point."""
        length = whole_number(self.rng, 3, 7)
        kernel = np.zeros((length, length), np.float32)
        ends = self.rng.integers(0, length, (2, 2))
        start, end = ends.tolist()
        cv2.line(kernel, start, end, 1.0)
        return kernel / max(kernel.sum(), 1)

    def _threshold(self, picture: np.ndarray, least_share: float) -> np.ndarray:
        """Make it black and white, as scanners do at few pixels, and as large as before."""
        rng = self.rng
        has_few_pixels = happens(rng, 0.6)
        share = rng.uniform(least_share, 1.0) if has_few_pixels else 1.0
        side = int(self.side * share)
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        around = side // 4 * 2 + 1
        local_mean = cv2.blur(small, (around, around))
        threshold = local_mean * rng.uniform(0.78, 0.92)
        bitmap = (small > threshold).astype(np.float32)
        interpolation = pick(rng, (cv2.INTER_CUBIC, cv2.INTER_NEAREST))
        return self._enlarge(bitmap, interpolation)

    def _shrink(self, picture: np.ndarray, side: int) -> np.ndarray:
        """Make it `side` pixels large, and as large as before."""
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        ways = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
        way = self.rng.choice(ways, p=[0.6, 0.28, 0.12])
        return self._enlarge(small, int(way))

    def _enlarge(self, picture: np.ndarray, interpolation: int) -> np.ndarray:
        """Make a picture as large as the camera's."""
        size = (self.side, self.side)
        return cv2.resize(picture, size, interpolation=interpolation)


def _blurred(picture: np.ndarray, deviation: float) -> np.ndarray:
    """Return a picture after a Gaussian blur of that many pixels."""
    return cv2.GaussianBlur(picture, (0, 0), deviation)


def quarter_turns(
    picture: np.ndarray,
    marks: list[Mark],
    turns: int,
) -> tuple[np.ndarray, list[Mark]]:
    """Turn a picture and its marks counter-clockwise by a number of quarters."""
    side = len(picture)
    for _ in range(turns):
        marks = [mark._replace(box=_quarter_turn(mark.box, side)) for mark in marks]
    turned = np.rot90(picture, turns)
    return np.ascontiguousarray(turned), marks


def _quarter_turn(box: Box, side: int) -> Box:
    """Turn a box of a picture of `side` pixels counter-clockwise by a quarter."""
    return Box(box.top, side - box.right, box.bottom, side - box.left)
