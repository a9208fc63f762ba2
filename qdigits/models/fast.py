"""Networks that reach an accuracy in the fewest seconds of training."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.models.base import DigitModel
from qdigits.models.layers import DCTFilters, conv_block

STRIDES = (2, 1, 1)  # of the learned convolutions: the first halves the picture


class WholeMapConv(nn.Conv2d):
    """A convolution whose filters cover the whole map, which makes it a fully connected layer.

    In training it is computed as one: oneDNN needs six times as long for gradients of filters so
    large, a quarter of a step of `fast97`. Elsewhere it is a convolution, so that exported files
    are as before.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, 1, 1) of a map (N, C, H, W)."""
        if not self.training:
            return super().forward(x)
        outputs = F.linear(as_rows(x), as_rows(self.weight), self.bias)
        return outputs[:, :, None, None]


def as_rows(maps: Tensor) -> Tensor:
    """Return maps (N, C, H, W) as rows (N, H * W * C): no copy where channels lie side by side."""
    return maps.permute(0, 2, 3, 1).flatten(1)


class Fast97(DigitModel):
    """Fixed cosine filters on the middle of the tile, then one convolution of 3x3."""

    architecture = "fast97"
    crop = 4  # pixels left out on each side
    filters = 6  # frequencies of the first layer
    widths: tuple[int, ...] = (32,)  # channels of the learned convolutions

    def __init__(self) -> None:
        channels = 2 * self.filters
        side = 14 - self.crop
        layers = [nn.ZeroPad2d(-self.crop), DCTFilters(self.filters)]  # (N, 12, 10, 10)
        for width, stride in zip(self.widths, STRIDES, strict=False):
            layers.append(conv_block(channels, width, stride=stride))  # (N, 32, 5, 5)
            channels = width
            side = math.ceil(side / stride)
        classifier = WholeMapConv(channels, 10, side)  # (N, 10, 1, 1)
        super().__init__(nn.Sequential(*layers, classifier, nn.Flatten()))


class Fast99(Fast97):
    """The same with a second convolution."""

    architecture = "fast99"
    widths = (32, 64)


class Fast995(Fast97):
    """The same, wider, with a third."""

    architecture = "fast995"
    crop = 2
    filters = 8
    widths = (32, 64, 64)
