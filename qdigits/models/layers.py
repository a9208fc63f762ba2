"""Building blocks that several networks share."""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_block(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    dilation: int = 1,
) -> nn.Sequential:
    """Build a convolution with batch normalisation and ReLU.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        size: Side of the square filters, in pixels.
        stride: Step of the filters, in pixels: 2 halves the picture.
        dilation: Distance of the pixels that a filter looks at: 2 leaves every other one out.
    """
    padding = dilation * (size // 2)
    conv = nn.Conv2d(
        inputs,
        outputs,
        kernel_size=size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        bias=False,
    )
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class ResidualBlock(nn.Module):
    """Add a convolution's output to its input: the block learns only what is to be changed.

    Source: He et al. 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385.
    """

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = conv_block(width, width, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


class ChannelsLastFlatten(nn.Flatten):
    """Flatten, and hand the gradient back in the memory layout of the convolutions.

    Two layouts mixed would cost a tenth of a training step; the numbers are the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad:
            x.register_hook(as_channels_last)
        return super().forward(x)


def as_channels_last(gradient: Tensor) -> Tensor:
    """Store a gradient (N, C, H, W) with the channels of a pixel side by side."""
    return gradient.contiguous(memory_format=torch.channels_last)


class DCTFilters(nn.Module):
    """Fixed 5x5 filters of a first layer: the lowest cosines, each also with the sign turned.

    Whitening the patches of digits gives nearly the same filters. As they are not learned, the
    most expensive gradient of a small network is never computed.
    """

    SIZE = 5
    filters: Tensor

    def __init__(self, count: int) -> None:
        """Take the `count` lowest frequencies: they give (N, 2 * count, H / 2, W / 2)."""
        super().__init__()
        frequencies = torch.arange(self.SIZE)
        positions = torch.arange(self.SIZE) + 0.5
        phases = torch.outer(frequencies, positions)
        waves = torch.cos(phases * torch.pi / self.SIZE)
        waves /= waves.norm(dim=1, keepdim=True)

        filters = []
        pairs = product(range(self.SIZE), repeat=2)
        lowest_first = sorted(pairs, key=sum)
        for i, j in lowest_first[:count]:
            amplitude = 0.3 * (1 + i + j)  # low frequencies are strong in digits: turned down
            filters.append(amplitude * waves[i].outer(waves[j]))
        bank = torch.stack(filters)[:, None]  # (count, 1, 5, 5)
        self.register_buffer("filters", torch.cat([bank, -bank]))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(F.conv2d(x, self.filters, stride=2, padding=2), inplace=True)
