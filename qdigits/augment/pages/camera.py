"""From ink to a picture: tilt, paper, light, dirt, and what cameras and scanners do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from qdigits.augment.pages.marks import OTHER, Box, Mark
from qdigits.augment.pages.sheet import MARGIN, Sheet

LEAST_HEIGHT = 14
"""Pixels of a digit that a scanner in black and white needs."""
SEEN = 0.75
"""Share of a mark that must be seen for it to be asked for."""


def tilt(rng: np.random.Generator, sheet: Sheet) -> None:
    """Turn the sheet by up to 12 degrees and look at it from the side."""
    angle = rng.normal(0, 4) if rng.random() < 0.8 else rng.uniform(-12, 12)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(
        (sheet.full / 2, sheet.full / 2), angle, rng.uniform(0.95, 1.1)
    )
    matrix[2, :2] = rng.normal(0, 2e-4, 2)
    matrix /= matrix[2] @ (sheet.full / 2, sheet.full / 2, 1)
    for name in ("ink", "rules"):
        layer = getattr(sheet, name)
        setattr(sheet, name, cv2.warpPerspective(layer, matrix, (sheet.full, sheet.full)))
    boxes = [mark.box for mark in sheet.marks] + sheet.ignored + sheet.vague
    moved = _tilted(boxes, matrix)
    sheet.marks = [mark._replace(box=moved.pop(0)) for mark in sheet.marks]
    sheet.ignored = [moved.pop(0) for _ in sheet.ignored]
    sheet.vague = moved


def _tilted(boxes: list[Box], matrix: np.ndarray) -> list[Box]:
    """Return the boxes of marks after a perspective map (3, 3)."""
    left, top, right, bottom = np.array(boxes, float).reshape(-1, 4).T
    corners = np.stack([[left, right, right, left], [top, top, bottom, bottom]])  # (2, 4, N)
    x, y, scale = np.einsum("ij,jcn->icn", matrix[:, :2], corners) + matrix[:, 2, None, None]
    x = x / scale
    y = y / scale
    # marks hardly fill their corners: halfway between the tilted sides and what encloses them
    wide = (x[1] - x[0] + x[2] - x[3]) / 2
    tall = (y[3] - y[0] + y[2] - y[1]) / 2
    half_width = (wide + np.ptp(x, axis=0)) / 4
    half_height = (tall + np.ptp(y, axis=0)) / 4
    x, y = x.mean(0), y.mean(0)
    edges = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], 1)
    return [Box(*edge) for edge in edges.tolist()]


def add_dirt(rng: np.random.Generator, sheet: Sheet) -> None:
    """Add what should not be there: specks, stains, loose lines, folds, holes."""
    if rng.random() < 0.22:
        for _ in range(rng.poisson(3 if rng.random() < 0.7 else 25)):
            x, y = rng.integers(0, sheet.full, 2).tolist()
            large = rng.random() < 0.25
            radius = int(rng.integers(3, 11)) if large else int(rng.choice([1, 1, 2, 3]))
            cv2.circle(sheet.rules, (x, y), radius, float(rng.uniform(0.2, 1)), -1, cv2.LINE_AA)
    if rng.random() < 0.15 and sheet.marks:
        _add_bits(rng, sheet)
    if rng.random() < 0.12:
        for _ in range(int(rng.integers(1, 4))):
            start, end = rng.uniform(0, sheet.full, (2, 2))
            sheet.line(start, end, rng.uniform(0.2, 1), rng.integers(1, 4))
    if rng.random() < 0.04:
        x, y = rng.integers(0, sheet.full, 2).tolist()
        radius = int(rng.uniform(20, 90))
        darkness = float(rng.uniform(0.15, 0.6))
        cv2.circle(sheet.rules, (x, y), radius, darkness, int(rng.integers(1, 5)), cv2.LINE_AA)
        if rng.random() < 0.5:
            cv2.circle(sheet.rules, (x, y), int(radius * 0.8), darkness, 1, cv2.LINE_AA)
    if rng.random() < 0.03:
        x, y = rng.integers(0, sheet.full, 2).tolist()
        radius = int(rng.uniform(6, 22))
        cv2.circle(sheet.rules, (x, y), radius, float(rng.uniform(0.4, 1)), -1, cv2.LINE_AA)
        sheet.forget(Box(x - radius, y - radius, x + radius, y + radius))


def _add_bits(rng: np.random.Generator, sheet: Sheet) -> None:
    """Add bits of strokes, far smaller than the digits: what is left of a line or a letter."""
    height = float(np.median([mark.box.height for mark in sheet.marks]))
    for _ in range(int(rng.integers(1, 9))):
        start = rng.uniform(0, sheet.full, 2)
        step = rng.uniform(-0.35, 0.35, 2) * height * rng.choice([(0.1, 1), (1, 0.1), (1, 1)])
        sheet.line(
            start, start + step, rng.uniform(0.3, 1), max(height * rng.uniform(0.03, 0.15), 1)
        )


def take_picture(rng: np.random.Generator, sheet: Sheet) -> np.ndarray:
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
        table = rng.uniform(0.02, 0.95) * camera.texture(
            rng.uniform(0, 0.4), int(rng.integers(8, 64))
        )
        paper = paper + (table - paper) * beyond
        _cover(sheet, beyond)
    if rng.random() < 0.2:
        ink = ink * camera.texture(rng.uniform(0.1, 0.6), int(rng.integers(24, 128)))
    picture = (paper * (1 - ink * contrast)).astype(np.float32)
    black_and_white = rng.random() < 0.09 and ink.max() * contrast > 0.6
    heights = [mark.box.height for mark in sheet.marks if mark.kind < OTHER]
    least_share = float(np.clip(LEAST_HEIGHT / np.median(heights), 0.2, 1)) if heights else 1.0
    return camera.develop(picture, black_and_white, least_share)


def _crop_marks(sheet: Sheet) -> None:
    """Move the marks into the picture; ask nothing of those that are cut."""
    marks, cut = [], []
    for mark in sheet.marks:
        box = Box(*(edge - MARGIN for edge in mark.box))
        wide = min(box.right, sheet.side) - max(box.left, 0)
        tall = min(box.bottom, sheet.side) - max(box.top, 0)
        if wide <= 0 or tall <= 0:
            continue
        if wide * tall >= SEEN * box.width * box.height:
            marks.append(mark._replace(box=box))
        else:
            cut.append(box)
    sheet.marks = marks
    sheet.ignored = [Box(*(edge - MARGIN for edge in box)) for box in sheet.ignored] + cut
    sheet.vague = [Box(*(edge - MARGIN for edge in box)) for box in sheet.vague]


def _cover(sheet: Sheet, beyond: np.ndarray) -> None:
    """Drop the marks that the table's edge hides."""
    marks = []
    for mark in sheet.marks:
        left, top, right, bottom = (int(np.clip(edge, 0, sheet.side - 1)) for edge in mark.box)
        hidden = beyond[top : bottom + 1, left : right + 1].mean()
        if hidden < 1 - SEEN:
            marks.append(mark)
        elif hidden < 0.9:
            sheet.ignored.append(mark.box)
    sheet.marks = marks


@dataclass(frozen=True)
class Camera:
    """What light, paper and camera do to a picture of `side` pixels; 1.0 is white."""

    rng: np.random.Generator
    side: int
    detail: int
    """Pixels it tells apart along each side."""

    def field(self, cells: int) -> np.ndarray:
        """Return a smooth random field 0..1 of that many cells along each side."""
        coarse = self.rng.random((cells, cells), np.float32)
        way = cv2.INTER_CUBIC if cells < 6 else cv2.INTER_LINEAR
        return cv2.resize(coarse, (self.side, self.side), interpolation=way)

    def texture(self, strength: float, cells: int) -> np.ndarray:
        """Return factors from 1 - strength to 1."""
        return 1 - strength * self.field(cells)

    def paper(self) -> np.ndarray:
        """Return the brightness of lit paper: a gradient, at times a shadow, a fold, a texture."""
        rng, side = self.rng, self.side
        light = rng.uniform(0.45, 1.0) * self.texture(rng.uniform(0, 0.5), int(rng.integers(2, 5)))
        if rng.random() < 0.2:
            soft = cv2.GaussianBlur(self.beyond()[::4, ::4], (0, 0), rng.uniform(0.3, 6))
            light *= 1 - rng.uniform(0.15, 0.65) * cv2.resize(soft, (side, side))
        if rng.random() < 0.1:
            fold = np.zeros((side, side), np.float32)
            start, end = rng.uniform(-50, side + 50, (2, 2)).astype(int).tolist()
            cv2.line(fold, start, end, 1.0, int(rng.integers(1, 4)))
            light += rng.uniform(-0.25, 0.25) * cv2.GaussianBlur(fold, (0, 0), rng.uniform(0.5, 2))
        if rng.random() < 0.25:
            light *= self.texture(rng.uniform(0.02, 0.15), int(rng.integers(30, 128)))
        return light

    def beyond(self) -> np.ndarray:
        """Return 1.0 on one side of one or two straight edges, and 0.0 on the other."""
        rng, side = self.rng, self.side
        mask = np.zeros((side, side), np.float32)
        for _ in range(1 if rng.random() < 0.7 else 2):
            angle = np.deg2rad(rng.choice([0, 90, 180, 270]) + rng.normal(0, 8))
            direction = np.array([np.cos(angle), np.sin(angle)])
            across = np.array([-direction[1], direction[0]])
            foot = side / 2 + direction * rng.uniform(0.0, 0.48) * side
            corners = [foot - 3 * side * across, foot + 3 * side * across]
            corners += [corners[1] + 3 * side * direction, corners[0] + 3 * side * direction]
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
            noise = rng.standard_normal(picture.shape, np.float32)
            if rng.random() < 0.4:
                noise = cv2.GaussianBlur(noise, (3, 3), 0) * 1.8
            picture = picture + noise * np.float32(
                rng.uniform(0, 0.02 if rng.random() < 0.7 else 0.07)
            )
        if rng.random() < 0.13:
            picture = 1 - picture
        grey = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
        if rng.random() < 0.3:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))]
            grey = cv2.imdecode(cv2.imencode(".jpg", grey, quality)[1], cv2.IMREAD_GRAYSCALE)
        return grey

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
            length = int(rng.integers(3, 8))
            kernel = np.zeros((length, length), np.float32)
            start, end = rng.integers(0, length, (2, 2)).tolist()
            cv2.line(kernel, start, end, 1.0)
            picture = cv2.filter2D(picture, -1, kernel / max(kernel.sum(), 1))
        if rng.random() < 0.12:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.5)
            picture = picture + rng.uniform(0.3, 1.2) * (picture - soft)
        return picture

    def _threshold(self, picture: np.ndarray, least_share: float) -> np.ndarray:
        """Make it black and white, as scanners do at few pixels, and as large as before."""
        rng = self.rng
        share = rng.uniform(least_share, 1.0) if rng.random() < 0.6 else 1.0
        side = int(self.side * share)
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        around = side // 4 * 2 + 1
        local = cv2.blur(picture, (around, around))
        picture = (picture > local * rng.uniform(0.78, 0.92)).astype(np.float32)
        way = (cv2.INTER_CUBIC, cv2.INTER_NEAREST)[rng.integers(2)]
        return cv2.resize(picture, (self.side, self.side), interpolation=way)

    def _shrink(self, picture: np.ndarray, small: int) -> np.ndarray:
        """Make it `small` pixels large, and as large as before."""
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        ways = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
        way = ways[self.rng.choice(3, p=[0.6, 0.28, 0.12])]
        return cv2.resize(picture, (self.side, self.side), interpolation=way)


def quarter_turns(
    picture: np.ndarray, marks: list[Mark], turns: int
) -> tuple[np.ndarray, list[Mark]]:
    """Turn a picture and its marks counter-clockwise by a number of quarters."""
    side = len(picture)
    for _ in range(turns):
        boxes = [
            Box(box.top, side - box.right, box.bottom, side - box.left)
            for box in (mark.box for mark in marks)
        ]
        marks = [mark._replace(box=box) for mark, box in zip(marks, boxes, strict=True)]
    return np.ascontiguousarray(np.rot90(picture, turns)), marks
