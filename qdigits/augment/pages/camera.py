"""From ink to a picture: tilt, paper, light, dirt, and what cameras and scanners do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from qdigits.augment.pages.chance import Range, pick
from qdigits.augment.pages.marks import OTHER, Box, Mark
from qdigits.augment.pages.sheet import MARGIN, Rule, Sheet

LEAST_HEIGHT = 14
"""Pixels of a digit that a scanner in black and white needs."""
SEEN = 0.75
"""Share of a mark that must be seen for it to be asked for."""
HARDLY_SEEN = 0.5
"""Share below which a cut mark is no longer a digit."""


def tilt(rng: Generator, sheet: Sheet) -> None:
    """Turn the sheet by up to 12 degrees and look at it from the side."""
    angle = rng.normal(0, 4) if rng.random() < 0.8 else rng.uniform(-12, 12)
    middle = (sheet.full / 2, sheet.full / 2)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(middle, angle, rng.uniform(0.95, 1.1))
    matrix[2, :2] = rng.normal(0, 2e-4, 2)
    matrix /= matrix[2] @ (*middle, 1)  # the middle keeps its size
    size = (sheet.full, sheet.full)
    sheet.ink = cv2.warpPerspective(sheet.ink, matrix, size)
    sheet.rules = cv2.warpPerspective(sheet.rules, matrix, size)
    tilted = _tilted([mark.box for mark in sheet.marks], matrix)
    pairs = zip(sheet.marks, tilted, strict=True)
    sheet.marks = [mark._replace(box=box) for mark, box in pairs]
    sheet.ignored = _tilted(sheet.ignored, matrix)
    sheet.vague = _tilted(sheet.vague, matrix)


def _tilted(boxes: list[Box], matrix: np.ndarray) -> list[Box]:
    """Return the boxes of marks after a perspective map (3, 3)."""
    left, top, right, bottom = np.array(boxes, float).reshape(-1, 4).T
    corners = np.stack([[left, right, right, left], [top, top, bottom, bottom]])  # (2, 4, N)
    offset = matrix[:, 2, None, None]
    x, y, scale = np.einsum("ij,jcn->icn", matrix[:, :2], corners) + offset
    x = x / scale
    y = y / scale
    # marks hardly fill their corners: halfway between the tilted sides and what encloses them
    wide = (x[1] - x[0] + x[2] - x[3]) / 2
    tall = (y[3] - y[0] + y[2] - y[1]) / 2
    half_width = (wide + np.ptp(x, axis=0)) / 4
    half_height = (tall + np.ptp(y, axis=0)) / 4
    middle_x = x.mean(0)
    middle_y = y.mean(0)
    lefts = middle_x - half_width
    tops = middle_y - half_height
    rights = middle_x + half_width
    bottoms = middle_y + half_height
    edges = np.stack([lefts, tops, rights, bottoms], axis=1)
    return [Box(*edge) for edge in edges.tolist()]


def add_dirt(rng: Generator, sheet: Sheet) -> None:
    """Add what should not be there: specks, stains, loose lines, folds, holes."""
    if rng.random() < 0.22:
        _add_specks(rng, sheet)
    if rng.random() < 0.15 and sheet.marks:
        _add_bits(rng, sheet)
    if rng.random() < 0.12:
        _add_loose_lines(rng, sheet)
    if rng.random() < 0.04:
        _add_stain(rng, sheet)
    if rng.random() < 0.03:
        _add_hole(rng, sheet)


def _random_place(rng: Generator, sheet: Sheet) -> tuple[int, int]:
    """Return a pixel (x, y) of the sheet."""
    x, y = rng.integers(0, sheet.full, 2).tolist()
    return x, y


def _add_specks(rng: Generator, sheet: Sheet) -> None:
    """Add a few specks, or many."""
    mean_count = 3 if rng.random() < 0.7 else 25
    for _ in range(rng.poisson(mean_count)):
        place = _random_place(rng, sheet)
        is_large = rng.random() < 0.25
        radius = rng.integers(3, 11) if is_large else pick(rng, (1, 1, 2, 3))
        sheet.disc(place, radius, rng.uniform(0.2, 1))


def _add_bits(rng: Generator, sheet: Sheet) -> None:
    """Add bits of strokes, far smaller than the digits: what is left of a line or a letter."""
    height = float(np.median([mark.box.height for mark in sheet.marks]))
    for _ in range(int(rng.integers(1, 9))):
        start = rng.uniform(0, sheet.full, 2)
        step = rng.uniform(-0.35, 0.35, 2) * height
        direction = pick(rng, ((0.1, 1), (1, 0.1), (1, 1)))  # upright, level, any
        end = start + step * direction
        darkness = rng.uniform(0.3, 1)
        sheet.line(start, end, Rule(darkness, height * rng.uniform(0.03, 0.15)))


def _add_loose_lines(rng: Generator, sheet: Sheet) -> None:
    """Add one to three lines from anywhere to anywhere."""
    for _ in range(int(rng.integers(1, 4))):
        start, end = rng.uniform(0, sheet.full, (2, 2))
        sheet.line(start, end, Rule(rng.uniform(0.2, 1), rng.integers(1, 4)))


def _add_stain(rng: Generator, sheet: Sheet) -> None:
    """Add the ring that a cup leaves, at times with a second one inside."""
    place = _random_place(rng, sheet)
    radius = int(rng.uniform(20, 90))
    darkness = float(rng.uniform(0.15, 0.6))
    width = int(rng.integers(1, 5))
    cv2.circle(sheet.rules, place, radius, darkness, width, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.circle(sheet.rules, place, int(radius * 0.8), darkness, 1, cv2.LINE_AA)


def _add_hole(rng: Generator, sheet: Sheet) -> None:
    """Punch a hole; nothing is asked of the marks it swallows."""
    x, y = _random_place(rng, sheet)
    radius = int(rng.uniform(6, 22))
    sheet.disc((x, y), radius, rng.uniform(0.4, 1))
    sheet.forget(Box(x - radius, y - radius, x + radius, y + radius))


def take_picture(rng: Generator, sheet: Sheet) -> np.ndarray:
    """Photograph or scan a sheet, and keep the marks that are seen: uint8 (side, side)."""
    camera = Camera(rng, sheet.side, sheet.detail)
    inside = slice(MARGIN, MARGIN + sheet.side)
    ink = np.maximum(sheet.ink, sheet.rules * 0.97)[inside, inside]
    _crop_marks(sheet)
    contrast = 1 - rng.uniform(0, 0.35)
    paper = camera.paper() if rng.random() < 0.75 else rng.uniform(0.75, 1.0)
    if rng.random() < 0.16:
        beyond = camera.beyond()
        ink = ink * (1 - beyond)
        paper = paper + (camera.table() - paper) * beyond
        _cover(sheet, beyond)
    if rng.random() < 0.2:
        ink = ink * camera.random_texture((0.1, 0.6), (24, 128))
    picture = (paper * (1 - ink * contrast)).astype(np.float32)
    is_black_and_white = rng.random() < 0.09 and ink.max() * contrast > 0.6
    return camera.develop(picture, is_black_and_white, _least_share(sheet.marks))


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
        box = mark.box.moved(-MARGIN, -MARGIN)
        wide = min(box.right, sheet.side) - max(box.left, 0)
        tall = min(box.bottom, sheet.side) - max(box.top, 0)
        if wide <= 0 or tall <= 0:
            continue
        seen = wide * tall / (box.width * box.height)
        if seen >= SEEN:
            marks.append(mark._replace(box=box))
        elif seen >= HARDLY_SEEN:
            cut.append(box)
        else:
            hardly_seen.append(box)
    sheet.marks = marks
    sheet.ignored = [box.moved(-MARGIN, -MARGIN) for box in sheet.ignored] + cut
    sheet.vague = [box.moved(-MARGIN, -MARGIN) for box in sheet.vague] + hardly_seen


def _cover(sheet: Sheet, beyond: np.ndarray) -> None:
    """Drop the marks that the table's edge hides."""
    marks = []
    for mark in sheet.marks:
        edges = np.clip(mark.box, 0, sheet.side - 1)
        left, top, right, bottom = edges.astype(int)
        hidden = beyond[top : bottom + 1, left : right + 1].mean()
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
        light = rng.uniform(0.45, 1.0) * self.random_texture((0, 0.5), (2, 5))
        if rng.random() < 0.2:
            light *= self._shadow()
        if rng.random() < 0.1:
            light += self._fold()
        if rng.random() < 0.25:
            light *= self.random_texture((0.02, 0.15), (30, 128))
        return light

    def table(self) -> np.ndarray:
        """Return the brightness of the table under the paper."""
        brightness = self.rng.uniform(0.02, 0.95)
        return brightness * self.random_texture((0, 0.4), (8, 64))

    def _shadow(self) -> np.ndarray:
        """Return factors that are lower on one side of a soft edge."""
        coarse = self.beyond()[::4, ::4]
        soft = cv2.GaussianBlur(coarse, (0, 0), self.rng.uniform(0.3, 6))
        depth = self.rng.uniform(0.15, 0.65)
        return 1 - depth * self._enlarge(soft, cv2.INTER_LINEAR)

    def _fold(self) -> np.ndarray:
        """Return what a fold adds to the light along a line, or takes from it."""
        rng = self.rng
        line = np.zeros((self.side, self.side), np.float32)
        start, end = rng.uniform(-50, self.side + 50, (2, 2)).astype(int).tolist()
        cv2.line(line, start, end, 1.0, int(rng.integers(1, 4)))
        brightness = rng.uniform(-0.25, 0.25)
        return brightness * cv2.GaussianBlur(line, (0, 0), rng.uniform(0.5, 2))

    def beyond(self) -> np.ndarray:
        """Return 1.0 on one side of one or two straight edges, and 0.0 on the other."""
        rng = self.rng
        far = 3 * self.side
        mask = np.zeros((self.side, self.side), np.float32)
        for _ in range(1 if rng.random() < 0.7 else 2):
            angle = np.deg2rad(pick(rng, (0, 90, 180, 270)) + rng.normal(0, 8))
            direction = np.array([np.cos(angle), np.sin(angle)])
            along_edge = np.array([-direction[1], direction[0]])
            foot = self.side / 2 + direction * rng.uniform(0.0, 0.48) * self.side
            first = foot - far * along_edge
            second = foot + far * along_edge
            corners = [first, second, second + far * direction, first + far * direction]
            cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1.0, cv2.LINE_AA)
        return mask

    def develop(
        self, picture: np.ndarray, black_and_white: bool, least_share: float = 1.0
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
        elif rng.random() < 0.7:
            picture = picture + self._noise()
        if rng.random() < 0.13:
            picture = 1 - picture
        grey = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
        if rng.random() < 0.3:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))]
            _, file = cv2.imencode(".jpg", grey, quality)
            grey = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
        return grey

    def _noise(self) -> np.ndarray:
        """Return noise, of single pixels or a little coarser, mostly faint."""
        rng = self.rng
        noise = rng.standard_normal((self.side, self.side), np.float32)
        if rng.random() < 0.4:
            noise = cv2.GaussianBlur(noise, (3, 3), 0) * 1.8
        strongest = 0.02 if rng.random() < 0.7 else 0.07
        return noise * np.float32(rng.uniform(0, strongest))

    def _blur(self, picture: np.ndarray) -> np.ndarray:
        """Lose detail, by distance, focus or motion, and sharpen as telephones do."""
        rng = self.rng
        if self.detail < self.side:
            picture = self._shrink(picture, self.detail)
        elif rng.random() < 0.12:
            picture = self._shrink(picture, int(self.side * rng.uniform(0.4, 0.8)))
        if rng.random() < 0.3:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.5))
        if rng.random() < 0.05:
            picture = cv2.filter2D(picture, -1, self._motion_kernel())
        if rng.random() < 0.12:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.5)
            picture = picture + rng.uniform(0.3, 1.2) * (picture - soft)
        return picture

    def _motion_kernel(self) -> np.ndarray:
        """Return the short line along which a moving camera smears each point."""
        length = int(self.rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        start, end = self.rng.integers(0, length, (2, 2)).tolist()
        cv2.line(kernel, start, end, 1.0)
        return kernel / max(kernel.sum(), 1)

    def _threshold(self, picture: np.ndarray, least_share: float) -> np.ndarray:
        """Make it black and white, as scanners do at few pixels, and as large as before."""
        rng = self.rng
        share = rng.uniform(least_share, 1.0) if rng.random() < 0.6 else 1.0
        side = int(self.side * share)
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        around = side // 4 * 2 + 1
        local = cv2.blur(picture, (around, around))
        picture = (picture > local * rng.uniform(0.78, 0.92)).astype(np.float32)
        return self._enlarge(picture, pick(rng, (cv2.INTER_CUBIC, cv2.INTER_NEAREST)))

    def _shrink(self, picture: np.ndarray, side: int) -> np.ndarray:
        """Make it `side` pixels large, and as large as before."""
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        ways = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
        way = self.rng.choice(ways, p=[0.6, 0.28, 0.12])
        return self._enlarge(picture, int(way))

    def _enlarge(self, picture: np.ndarray, interpolation: int) -> np.ndarray:
        """Make a picture as large as the camera's."""
        return cv2.resize(picture, (self.side, self.side), interpolation=interpolation)


def quarter_turns(
    picture: np.ndarray, marks: list[Mark], turns: int
) -> tuple[np.ndarray, list[Mark]]:
    """Turn a picture and its marks counter-clockwise by a number of quarters."""
    side = len(picture)
    for _ in range(turns):
        marks = [mark._replace(box=_quarter_turn(mark.box, side)) for mark in marks]
    return np.ascontiguousarray(np.rot90(picture, turns)), marks


def _quarter_turn(box: Box, side: int) -> Box:
    """Turn a box of a picture of `side` pixels counter-clockwise by a quarter."""
    return Box(box.top, side - box.right, box.bottom, side - box.left)
