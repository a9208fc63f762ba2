"""Networks made to reach an accuracy in the fewest seconds of training."""

from __future__ import annotations

import math

from torch import nn

from qdigits.models.base import DigitModel
from qdigits.models.layers import DCTFilters, conv_block


class Fast97(DigitModel):
    """Made to learn in no time: the middle of the tile through fixed filters, then a few convolutions of 3x3."""

    architecture = "fast97"
    crop, filters = 4, 6  # pixels left out all around; filters of the first layer
    widths: tuple[int, ...] = (32,)  # of the others

    def __init__(self) -> None:
        channels, side = 2 * self.filters, 14 - self.crop
        layers = [nn.ZeroPad2d(-self.crop), DCTFilters(self.filters)]  # (N, 12, 10, 10)
        for width, stride in zip(
            self.widths, (2, 1, 1), strict=False
        ):  # the first halves the picture
            layers.append(conv_block(channels, width, stride=stride))  # (N, 32, 5, 5)
            channels, side = width, math.ceil(side / stride)
        super().__init__(nn.Sequential(*layers, nn.Conv2d(channels, 10, side), nn.Flatten()))


class Fast99(Fast97):
    """The same with a second convolution."""

    architecture = "fast99"
    widths = 32, 64


class Fast995(Fast97):
    """The same, wider, with a third."""

    architecture = "fast995"
    crop, filters, widths = 2, 8, (32, 64, 64)
