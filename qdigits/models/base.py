"""The networks. A model eats float32 (N, 1, 28, 28), ink 1.0 on paper 0.0, and gives logits (N, 10).

To add one: a subclass of DigitModel and its line in MODELS.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

NO_REJECT = -1e4  # the logit of "not a digit" in a model that was never shown one


class DigitModel(nn.Module):
    """A network that carries its own normalisation, calibration and threshold, so that no caller can forget them.

    An eleventh, constant logit, `reject_logit`, stands for "not a digit": the ten probabilities may sum to less than 1.
    """

    architecture: ClassVar[str]
    mean: Tensor
    std: Tensor
    temperature: Tensor
    reject_logit: Tensor
    threshold: Tensor

    def __init__(self, backbone: nn.Module, **dimensions: int) -> None:
        super().__init__()
        self.dimensions, self.backbone = dimensions, backbone
        self.card: dict[str, Any] = {}
        self.source_digest = ""  # SHA-256 of the file it was loaded from
        buffers = {
            "mean": 0.1307,
            "std": 0.3081,
            "temperature": 1.0,
            "reject_logit": NO_REJECT,
            "threshold": 0.5,
        }
        for name, value in buffers.items():
            self.register_buffer(name, torch.tensor(value))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, float32 (N, 10), of float32 images (N, 1, 28, 28) with ink 1.0 on paper 0.0."""
        return self.backbone((images - self.mean) / self.std)

    def calibrated(self, logits: Tensor) -> Tensor:
        """Probabilities (N, 10); what is missing to 1 in a row is the probability of no digit at all."""
        rows = logits.shape[0]  # not len(): the exporter would fix the batch
        reject = self.reject_logit.expand(rows, 1)
        return torch.cat([logits / self.temperature, reject], 1).softmax(1)[:, :10]

    @torch.inference_mode()
    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, float32 (N, 10), of uint8 tiles (N, 28, 28)."""
        images = (
            torch.from_numpy(tiles).to(self.mean.device)[:, None].float() / 255
        )  # (N, 1, 28, 28)
        return self.calibrated(self(images)).cpu().numpy()
