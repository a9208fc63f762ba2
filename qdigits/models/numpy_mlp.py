"""The original network, 784-128-64-10, in plain numpy: each step of its training can be read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

MEAN = 0.1307  # of MNIST's training pixels, 0 to 1
STD = 0.3081


@dataclass
class DenseLayer:
    """One fully connected layer: outputs = inputs @ weights.T + bias."""

    weights: np.ndarray  # float32 (outputs, inputs)
    bias: np.ndarray  # float32 (outputs,)

    @classmethod
    def random(cls, inputs: int, outputs: int, rng: np.random.Generator) -> DenseLayer:
        """Return a layer before training, drawn as PyTorch draws it."""
        bound = 1 / np.sqrt(inputs)
        weights = rng.uniform(-bound, bound, (outputs, inputs))
        bias = rng.uniform(-bound, bound, outputs)
        return cls(weights.astype(np.float32), bias.astype(np.float32))

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        return inputs @ self.weights.T + self.bias


class NumpyMLP:
    """A network of dense layers with ReLU between them. It answers as any other model does."""

    threshold = 0.5  # it never learnt to refuse: half a chance is enough
    card: dict[str, Any]

    def __init__(self, hidden: tuple[int, ...] = (128, 64), seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        sizes = [28 * 28, *hidden, 10]
        self.layers = [DenseLayer.random(*pair, rng) for pair in pairwise(sizes)]
        name = "-".join(map(str, sizes))
        self.card = {"recipe": {"model": name, "data": "sample", "seed": seed}}

    def forward(self, images: np.ndarray) -> list[np.ndarray]:
        """Return what goes into each layer, and the logits.

        Args:
            images: Ink 1.0 on paper 0.0, float32 (N, 28, 28).

        Returns:
            The normalised pixels (N, 784), each hidden layer after its ReLU (N, units), and the
            logits (N, 10).
        """
        pixels = images.reshape(len(images), -1)
        values = (pixels - np.float32(MEAN)) / np.float32(STD)
        steps = [values]
        *hidden_layers, last_layer = self.layers
        for layer in hidden_layers:
            values = np.maximum(layer(values), 0)
            steps.append(values)
        logits = last_layer(values)
        return [*steps, logits]

    def train_step(self, images: np.ndarray, labels: np.ndarray, lr: float) -> float:
        """Take one step of gradient descent.

        Args:
            images: Ink 1.0 on paper 0.0, float32 (N, 28, 28).
            labels: What they are, integers (N,).
            lr: The learning rate.

        Returns:
            The mean cross-entropy before the step.
        """
        *inputs, logits = self.forward(images)
        chances = softmax(logits)
        rows = np.arange(len(labels))
        chance_of_truth = np.maximum(chances[rows, labels], 1e-12)
        loss = -np.log(chance_of_truth).mean()

        # The chain rule, from the last layer to the first: `slope` is the gradient of the loss
        # by each layer's output.
        slope = chances
        slope[rows, labels] -= 1
        slope /= len(labels)
        for layer, given in zip(self.layers[::-1], inputs[::-1], strict=True):
            is_active = given > 0  # of the ReLU before, which lets nothing else through
            slope_before = (slope @ layer.weights) * is_active
            layer.weights -= np.float32(lr) * (slope.T @ given)
            layer.bias -= np.float32(lr) * slope.sum(0)
            slope = slope_before
        return float(loss)

    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 (N, 10), of uint8 tiles (N, 28, 28)."""
        images = tiles.astype(np.float32) / 255
        *_, logits = self.forward(images)
        return softmax(logits)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (N, 10) into probabilities; each row sums to 1."""
    largest = logits.max(1, keepdims=True)
    powers = np.exp(logits - largest)
    return powers / powers.sum(1, keepdims=True)
