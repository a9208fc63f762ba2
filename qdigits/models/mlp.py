"""The plain fully connected network of the baseline."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.models.base import DigitModel


class MLP(DigitModel):
    """784-128-64-10 with ReLU: 109,386 parameters."""

    architecture = "mlp"

    def __init__(self, hidden1: int = 128, hidden2: int = 64) -> None:
        super().__init__(
            nn.Sequential(
                nn.Flatten(),  # (N, 784)
                nn.Linear(784, hidden1),
                nn.ReLU(),
                nn.Linear(hidden1, hidden2),
                nn.ReLU(),
                nn.Linear(hidden2, 10),
            ),
            hidden1=hidden1,
            hidden2=hidden2,
        )

    @torch.no_grad()
    def backpropagate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Compute the gradients of the mean cross-entropy by hand, into each weight's `.grad`.

        A network this small spends a third of a step on autograd's bookkeeping; the gradients
        are the same.

        Args:
            images: float32 (N, 1, 28, 28).
            labels: int64 (N,).

        Returns:
            The logits, (N, 10).
        """
        layers = [layer for layer in self.backbone.children() if isinstance(layer, nn.Linear)]

        # Forward, keeping what each layer took in.
        normalised = (images - self.mean) / self.std
        inputs = [normalised.flatten(1)]  # (N, 784)
        for layer in layers[:-1]:
            hidden = layer(inputs[-1]).relu_()
            inputs.append(hidden)
        logits = layers[-1](inputs[-1])

        # Backward, from the last layer to the first.
        truth = F.one_hot(labels, 10)
        slope = (logits.softmax(1) - truth) / len(labels)  # d loss / d logits
        for layer, layer_input in zip(layers[::-1], inputs[::-1], strict=True):
            layer.weight.grad = slope.T @ layer_input
            layer.bias.grad = slope.sum(0)
            if layer_input is not inputs[0]:
                is_active = layer_input > 0  # of the ReLU before
                slope = slope @ layer.weight * is_active
        return logits
