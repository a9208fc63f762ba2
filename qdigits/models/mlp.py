"""The plain fully connected network of the baseline."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.models.base import DigitModel


class MLP(DigitModel):
    """The baseline's network, 784-128-64-10 with ReLU: 109,386 parameters."""

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
        """Logits (N, 10), and by hand the gradients of their mean cross-entropy: autograd's bookkeeping is a third."""
        layers = [layer for layer in self.backbone.children() if isinstance(layer, nn.Linear)]
        inputs = [((images - self.mean) / self.std).flatten(1)]  # of each layer
        for layer in layers[:-1]:
            inputs.append(layer(inputs[-1]).relu_())
        logits = layers[-1](inputs[-1])
        slope = (logits.softmax(1) - F.one_hot(labels, 10)) / len(
            labels
        )  # of the loss, by the layer's output
        for layer, given in zip(layers[::-1], inputs[::-1], strict=True):
            layer.weight.grad, layer.bias.grad = slope.T @ given, slope.sum(0)
            if given is not inputs[0]:
                slope = slope @ layer.weight * (given > 0)
        return logits
