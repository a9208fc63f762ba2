"""The contract that every network of the package keeps.

A network takes float32 images (N, 1, 28, 28), ink 1.0 on paper 0.0, and returns logits (N, 10).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

NO_REJECT = -1e4  # the reject logit of a model that never learned what is not a digit
BUFFERS = {
    "mean": 0.1307,  # of MNIST's training pixels
    "std": 0.3081,
    "temperature": 1.0,
    "reject_logit": NO_REJECT,
    "threshold": 0.5,
}


class DigitModel(nn.Module):
    """A network that carries its own normalisation, calibration and threshold.

    They are buffers: they travel in the model file, and no caller can forget them or apply them
    twice. An eleventh, constant logit, `reject_logit`, stands for "not a digit", so the ten
    probabilities of an answer may sum to less than 1.
    """

    architecture: ClassVar[str]
    mean: Tensor
    std: Tensor
    temperature: Tensor
    reject_logit: Tensor
    threshold: Tensor

    def __init__(self, backbone: nn.Module, **dimensions: int) -> None:
        """Wrap a backbone.

        Args:
            backbone: Layers from normalised images (N, 1, 28, 28) to logits (N, 10).
            **dimensions: The arguments of the subclass, which its model file repeats.
        """
        super().__init__()
        self.backbone = backbone
        self.dimensions = dimensions
        self.card: dict[str, Any] = {}
        self.source_digest = ""  # SHA-256 of the file that the model was loaded from
        for name, value in BUFFERS.items():
            self.register_buffer(name, torch.tensor(value))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, float32 (N, 10), of float32 images (N, 1, 28, 28)."""
        return self.backbone((images - self.mean) / self.std)

    def calibrated(self, logits: Tensor) -> Tensor:
        """Turn logits (N, 10) into probabilities (N, 10).

        What a row lacks to 1 is the probability that there is no digit at all.
        """
        rows = logits.shape[0]  # not len(): the exporter would fix the number of rows
        reject_logits = self.reject_logit.expand(rows, 1)
        eleven = torch.cat([logits / self.temperature, reject_logits], 1)
        return eleven.softmax(1)[:, :10]

    @torch.inference_mode()
    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float32 (N, 10), of uint8 tiles (N, 28, 28)."""
        pixels = torch.from_numpy(tiles).to(self.mean.device)
        images = pixels[:, None].float() / 255  # (N, 1, 28, 28)
        return self.calibrated(self(images)).cpu().numpy()
