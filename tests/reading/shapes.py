"""Pages of rings, bars and other simple shapes, and networks that know them by their looks."""

from __future__ import annotations

import cv2
import numpy as np

from qdigits.augment.pages.marks import CLASSES, OTHER
from qdigits.models.onnx_page_net import STRIDE, PageMaps

LEAST = 15
"""Pixels of area: the stand-in cannot tell anything smaller by its looks."""


def page(*rows: str, size: int = 40, slope: float = 0.0, pitch: int = 80) -> np.ndarray:
    """Draw ink, uint8 (H, W): 0 a ring, 1 a bar, x a cross, - a dash, . a dot, blank nothing."""
    ink = np.zeros((120 * len(rows) + 200, pitch * max(map(len, rows)) + 160), np.uint8)
    for number, row in enumerate(rows):
        for place, shape in enumerate(row):
            x = 80 + pitch * place
            y = 100 + 120 * number + round(slope * pitch * place)
            draw(ink, shape, x, y, size)
    return ink


def draw(ink: np.ndarray, shape: str, x: int, y: int, size: int) -> None:
    half, third = size // 2, size // 3
    if shape == "1":
        cv2.line(ink, (x, y - half), (x, y + half), 255, 6)
    if shape == "0":
        cv2.ellipse(ink, (x, y), (third, half), 0, 0, 360, 255, 6)
    if shape == "x":
        cv2.line(ink, (x - third, y - half), (x + third, y + half), 255, 6)
        cv2.line(ink, (x + third, y - half), (x - third, y + half), 255, 6)
    if shape == "-":
        cv2.line(ink, (x - third, y), (x + third, y), 255, 6)
    if shape == ".":
        cv2.circle(ink, (x, y + half - 3), 4, 255, -1)


def photo(*rows: str, **options) -> np.ndarray:
    """Photograph a page: dark ink on light paper, uint8 (H, W)."""
    return 230 - (page(*rows, **options) * 0.7).astype(np.uint8)


def shape_of(piece: np.ndarray) -> int:
    """Return the class of a piece of ink, bool (h, w)."""
    height, width = piece.shape
    holes = cv2.connectedComponents((~np.pad(piece, 1)).astype(np.uint8), connectivity=4)[0] - 2
    if holes == 1:
        return 0
    if height > 3 * width and piece.mean() > 0.6:
        return 1
    if width > 2.5 * height:
        return CLASSES.index("-")
    if max(height, width) <= 2 * min(height, width) and piece.mean() > 0.65:
        return CLASSES.index(".")
    return OTHER


def plain_judge() -> dict:
    """Return a judge that believes the page network's logits and nothing else."""
    classes, features, steepness = len(CLASSES), 44, 8
    hidden = np.zeros((features, classes))
    hidden[:classes] = np.eye(classes)  # logits / 4
    outcome = np.zeros((classes, classes + 1))
    outcome[:, :classes] = steepness * np.eye(classes)
    nothing = [*np.zeros(classes), 2.0 * steepness]  # as likely as a class of logit 0
    return {
        "hidden": [hidden, np.full(classes, 2.0)],  # above 0, whatever the logit
        "outcome": [outcome, nothing],
        "number": [[[1.0], [0.0], [0.0], [0.0]], [0.0]],
        "threshold": 0.9,
        "single": [[[1.0], [0.0], [0.0], [0.0]], [0.0]],
        "single_threshold": 0.9,
    }


class ShapeNet:
    """Stands in for the page network: finds pieces of ink and tells them by their looks."""

    card: dict = {"reading": plain_judge()}  # noqa: RUF012
    turned = 0

    def maps(self, grey: np.ndarray) -> PageMaps:
        assert grey.dtype == np.uint8
        cells = tuple(-(-side // STRIDE) for side in grey.shape)
        heat = np.full((len(CLASSES), *cells), 1e-4, np.float32)
        box = np.zeros((4, *cells), np.float32)
        turn = np.zeros((4, *cells), np.float32)
        turn[self.turned] = 5
        ink = np.abs(grey - np.median(grey)) > 75
        count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
        for label in range(1, count):
            left, top, wide, high = stats[label, :4].tolist()
            if wide * high < LEAST:
                continue
            piece = labels[top : top + high, left : left + wide] == label
            x, y = (left + wide / 2) / STRIDE, (top + high / 2) / STRIDE
            row, column = min(int(y), cells[0] - 1), min(int(x), cells[1] - 1)
            heat[shape_of(piece), row, column] = 0.997
            sizes = np.log(wide / 16), np.log(high / 16)
            box[:, row, column] = (x - column - 0.5, y - row - 0.5, *sizes)
        return PageMaps(heat, box, np.zeros((1, *cells), np.float32), turn)


class ShapeModel:
    """Stands in for the tile network, and counts what it is asked."""

    threshold = 0.5
    card = {"architecture": "shapes"}  # noqa: RUF012

    def __init__(self) -> None:
        self.asked: list[int] = []

    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        assert tiles.dtype == np.uint8 and tiles.shape[1:] == (28, 28)
        self.asked.append(len(tiles))
        answers = np.full((len(tiles), 10), 0.001, np.float32)
        for answer, tile in zip(answers, tiles, strict=True):
            if tile.any():
                inked = tile[np.ix_(tile.any(1), tile.any(0))] > 72
                kind = shape_of(inked)
                answer[kind if kind < 2 else 0] = 0.99 if kind < 2 else 0.001
        return answers
