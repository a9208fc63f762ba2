"""Two networks as one model: the large one is asked only where the small one is in doubt.

Source: Viola and Jones 2001, "Rapid Object Detection using a Boosted Cascade of Simple Features".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qdigits.models.onnx_model import OnnxModel

SURE = 0.99
"""Probability from which the small network's answer stands: of a digit, or of "not a digit".

The two together are then right on as many digits of validation writers as the large one alone.
"""


class Cascade:
    """A model that asks a large network where a small one is in doubt.

    Attributes:
        small: The network that is asked about every tile.
        large: The network that is asked about the others.
        threshold: The large network's confidence from which an answer is accepted.
        card: Where the large network comes from.
    """

    def __init__(self, small: OnnxModel, large: OnnxModel) -> None:
        self.small = small
        self.large = large
        self.threshold = large.threshold
        self.card: dict[str, Any] = large.card

    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float32 (N, 10), of uint8 tiles (N, 28, 28)."""
        rows = self.small.probabilities(tiles)
        doubted = is_in_doubt(rows)
        if doubted.any():
            rows[doubted] = self.large.probabilities(tiles[doubted])
        return rows

    def choose(self, tile: np.ndarray) -> OnnxModel:
        """Return the network whose answer to a tile, uint8 (28, 28), stands."""
        rows = self.small.probabilities(tile[None])
        return self.large if is_in_doubt(rows).any() else self.small


def is_in_doubt(rows: np.ndarray) -> np.ndarray:
    """Say of probabilities (N, 10) whether neither a digit nor "not a digit" is sure: bool (N,)."""
    return np.maximum(rows.max(1), 1 - rows.sum(1)) < SURE
