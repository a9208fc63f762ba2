"""The page network: where on a page digits, signs and other marks stand, and how large they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.augment.pages.marks import CLASSES
from qdigits.models.layers import ResidualBlock, conv_block

STRIDE = 4
"""Pixels of the picture, along each side, to one cell of the answer."""
MULTIPLE = 16
"""The sides of a picture have to be multiples of it."""
NEIGHBOURHOOD = 5
"""Cells of MULTIPLE pixels over which brightness is evened."""
FAINTEST = 6e-4
"""Variance of grey below which paper counts as blank."""
RARE = -4.6
"""The first logit of each class: one cell in a hundred holds the middle of a mark."""


class PageAnswer(NamedTuple):
    """What the network says of each cell: tensors (N, channels, H / STRIDE, W / STRIDE)."""

    heat: Tensor
    """Logits of CLASSES, highest at the middle of a mark of that class."""
    box: Tensor
    """From the cell's middle to the mark's, x and y in cells; log(width / 16), log(height / 16)."""
    printed: Tensor
    """Logit: the mark is printed rather than handwritten."""
    turn: Tensor
    """Logits of 0 to 3 quarter turns counter-clockwise that the page has been given."""


class LocalContrast(nn.Module):
    """Subtract the brightness around each pixel and divide by its variation.

    Shadows, dark tables and faint pens then look alike.
    """

    def forward(self, grey: Tensor) -> Tensor:
        """Return values of -4 to 4 for grey (N, 1, H, W) of 0 to 1."""
        difference = grey - self.around(grey)
        variance = self.around(difference * difference)
        return (difference / (variance + FAINTEST).sqrt()).clamp(-4, 4)

    @staticmethod
    def around(values: Tensor) -> Tensor:
        """Return the mean over about 80x80 pixels around each pixel."""
        coarse = F.avg_pool2d(values, MULTIPLE)
        coarse = F.avg_pool2d(coarse, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)
        return F.interpolate(coarse, scale_factor=float(MULTIPLE), mode="bilinear")


class PageNet(nn.Module):
    """A fully convolutional network that looks at a page at 1/4, 1/8 and 1/16 of its size.

    Source: centre heat maps and boxes, Zhou et al. 2019, arXiv:1904.07850.
    """

    architecture = "page_net"

    def __init__(
        self, stem: int = 16, fine: int = 32, middle: int = 64, coarse: int = 96, head: int = 64
    ) -> None:
        super().__init__()
        self.dimensions = {
            "stem": stem,
            "fine": fine,
            "middle": middle,
            "coarse": coarse,
            "head": head,
        }
        self.card: dict[str, Any] = {}
        self.source_digest = ""
        self.contrast = LocalContrast()
        self.fine = nn.Sequential(
            conv_block(1, stem, stride=2),  # (N, 16, H / 2, W / 2)
            conv_block(stem, fine, stride=2),  # (N, 32, H / 4, W / 4)
            ResidualBlock(fine),
        )
        self.middle = nn.Sequential(
            conv_block(fine, middle, stride=2),  # (N, 64, H / 8, W / 8)
            *(ResidualBlock(middle, dilation) for dilation in (1, 2, 4, 1)),
        )
        self.coarse = nn.Sequential(
            conv_block(middle, coarse, stride=2),  # (N, 96, H / 16, W / 16)
            ResidualBlock(coarse),
            ResidualBlock(coarse),
        )
        self.coarse_to_middle = nn.Conv2d(coarse, middle, 1)
        self.middle_to_fine = nn.Conv2d(middle, fine, 1)
        self.mix = ResidualBlock(fine)
        self.shared = conv_block(fine, head)
        self.channels = [len(CLASSES), 4, 1, 4]
        self.answer = nn.Conv2d(head, sum(self.channels), 1)
        assert self.answer.bias is not None
        nn.init.constant_(self.answer.bias[: len(CLASSES)], RARE)

    def forward(self, grey: Tensor) -> PageAnswer:
        """Answer for grey pictures.

        Args:
            grey: float32 (N, 1, H, W), black 0.0 and white 1.0, of either polarity; H and W
                multiples of 16.
        """
        fine = self.fine(self.contrast(grey))
        middle = self.middle(fine)
        coarse = self.coarse_to_middle(self.coarse(middle))
        middle = middle + F.interpolate(coarse, scale_factor=2.0, mode="nearest")
        fine = fine + F.interpolate(self.middle_to_fine(middle), scale_factor=2.0, mode="bilinear")
        answer = self.answer(self.shared(self.mix(fine)))
        return PageAnswer(*answer.split(self.channels, 1))
