"""Convolutional networks of three sizes."""

from __future__ import annotations

from torch import nn

from qdigits.models.base import DigitModel
from qdigits.models.layers import ChannelsLastFlatten, ResidualBlock, conv_block


class CNN(DigitModel):
    """Eight convolutions of 3x3: one at full size, then stages of two and three residual blocks."""

    architecture = "cnn"

    def __init__(self, width: int = 16) -> None:
        inner = 3 * width
        outer = 6 * width
        super().__init__(
            nn.Sequential(
                conv_block(1, width),  # (N, 16, 28, 28)
                conv_block(width, inner, stride=2),  # (N, 48, 14, 14)
                ResidualBlock(inner),
                ResidualBlock(inner),
                conv_block(inner, outer, stride=2),  # (N, 96, 7, 7)
                ResidualBlock(outer),
                ResidualBlock(outer),
                ResidualBlock(outer),
                # Two layers as one, because model files call the last layer backbone.9.
                nn.Sequential(ChannelsLastFlatten(), nn.Dropout(0.3)),
                nn.Linear(outer * 49, 10),
            ),
            width=width,
        )


class Tiny(DigitModel):
    """Four small convolutions, 9,622 parameters: it fits on a microcontroller."""

    architecture = "tiny"
    widths = (12, 16, 22)

    def __init__(self) -> None:
        first, inner, outer = self.widths
        super().__init__(
            nn.Sequential(
                conv_block(1, first, size=5, stride=2),  # (N, 12, 14, 14)
                conv_block(first, inner),  # (N, 16, 14, 14)
                ResidualBlock(inner),
                conv_block(inner, outer, stride=2),  # (N, 22, 7, 7)
                nn.AvgPool2d(3, 2),  # (N, 22, 3, 3)
                nn.Flatten(),
                nn.Linear(outer * 9, 10),
            )
        )


class Small(Tiny):
    """The layers of Tiny in widths that fill a processor's registers: 38,714 parameters."""

    architecture = "small"
    widths = (16, 32, 64)
