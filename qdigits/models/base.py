"""The networks. A model eats float32 (N, 1, 28, 28), ink 1.0 on paper 0.0, and gives logits (N, 10).

To add one: a subclass of DigitModel and its line in MODELS.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.errors import ConfigError

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


class Flatten(nn.Flatten):
    """The same numbers, faster: the gradient goes back in the features' layout, as two mixed cost a tenth of a step."""

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad:
            x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
        return super().forward(x)


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """x + f(x): the layer learns only what is to be changed (He et al. 2015, arXiv:1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


class CNN(DigitModel):
    """Eight convolutions of 3x3: one at full size, then two stages that halve it, of two and three residuals."""

    architecture = "cnn"

    def __init__(self, width: int = 16) -> None:
        inner, outer = 3 * width, 6 * width
        super().__init__(
            nn.Sequential(
                _conv(1, width),  # (N, 16, 28, 28)
                _conv(width, inner, stride=2),  # (N, 48, 14, 14)
                *(Residual(inner) for _ in range(2)),
                _conv(inner, outer, stride=2),  # (N, 96, 7, 7)
                *(Residual(outer) for _ in range(3)),
                nn.Sequential(
                    Flatten(), nn.Dropout(0.3)
                ),  # as one: in files, the Linear is backbone.8
                nn.Linear(outer * 49, 10),
            ),
            width=width,
        )


class Tiny(DigitModel):
    """Four small convolutions, 9,622 parameters: it fits on a microcontroller."""

    architecture = "tiny"
    widths = 12, 16, 22

    def __init__(self) -> None:
        first, inner, outer = self.widths
        super().__init__(
            nn.Sequential(
                _conv(1, first, size=5, stride=2),  # (N, 12, 14, 14)
                _conv(first, inner),  # (N, 16, 14, 14)
                Residual(inner),
                _conv(inner, outer, stride=2),  # (N, 22, 7, 7)
                nn.AvgPool2d(3, 2),  # (N, 22, 3, 3)
                nn.Flatten(),
                nn.Linear(outer * 9, 10),
            )
        )


class Small(Tiny):
    """The same in widths that fill a processor's registers, 38,714 parameters: 40,000 tiles a second on two cores."""

    architecture = "small"
    widths = 16, 32, 64


class Cosines(nn.Module):
    """Filters that are not learned: the lowest cosines of a 5x5 patch and their negatives, low ones turned down.

    Whitening the patches of digits comes to the same, and a small network's dearest gradient is never asked for.
    """

    filters: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        waves = torch.cos(torch.outer(torch.arange(5), torch.arange(5) + 0.5) * torch.pi / 5)
        waves /= waves.norm(dim=1, keepdim=True)
        lowest = sorted(product(range(5), repeat=2), key=sum)[:count]
        filters = torch.stack([0.3 * (1 + i + j) * waves[i].outer(waves[j]) for i, j in lowest])[
            :, None
        ]
        self.register_buffer("filters", torch.cat([filters, -filters]))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(F.conv2d(x, self.filters, stride=2, padding=2), inplace=True)


class Fast97(DigitModel):
    """Made to learn in no time: the middle of the tile through fixed cosines, then a few convolutions of 3x3."""

    architecture = "fast97"
    edge, cosines = 4, 6  # pixels left out all around; filters of the first layer
    widths: tuple[int, ...] = (32,)  # of the others

    def __init__(self) -> None:
        channels, side = 2 * self.cosines, 14 - self.edge
        layers = [nn.ZeroPad2d(-self.edge), Cosines(self.cosines)]  # (N, 12, 10, 10)
        for width, stride in zip(
            self.widths, (2, 1, 1), strict=False
        ):  # the first halves the picture
            layers.append(_conv(channels, width, stride=stride))  # (N, 32, 5, 5)
            channels, side = width, math.ceil(side / stride)
        super().__init__(nn.Sequential(*layers, nn.Conv2d(channels, 10, side), nn.Flatten()))


class Fast99(Fast97):
    """The same with a second convolution."""

    architecture = "fast99"
    widths = 32, 64


class Fast995(Fast97):
    """The same, wider, with a third."""

    architecture = "fast995"
    edge, cosines, widths = 2, 8, (32, 64, 64)


MODELS: dict[str, Callable[..., DigitModel]] = {
    model.architecture: model for model in (MLP, CNN, Tiny, Small, Fast97, Fast99, Fast995)
}


def build(name: str) -> DigitModel:
    """A freshly initialised model. Raises ConfigError, listing the names, if there is none of that name."""
    if name not in MODELS:
        raise ConfigError(f"there is no model {name!r}; choose one of {', '.join(MODELS)}")
    return MODELS[name]()
