"""What a hand, a pen, paper and a camera do to a digit, in batches of tensors.

Each augmentation takes images float32 (N, 1, 28, 28), ink 1.0 on paper 0.0, and a generator, and gives images of the
same kind; the same generator state gives the same images. To add one: a function and its line in AUGMENTATIONS.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from qdigits.augment.raster import affine, level, resample, smooth, strokes, uniform

Augmentation = Callable[[Tensor, Generator], Tensor]


def sometimes(share: float, change: Augmentation) -> Augmentation:
    """The change, applied to about this share of the images."""

    def apply(images: Tensor, rng: Generator) -> Tensor:
        chosen = (uniform(images, rng) < share).nonzero().squeeze(1)
        return images.index_copy(0, chosen, change(images[chosen], rng)) if len(chosen) else images

    return apply


def one_of(share: float, *changes: Augmentation) -> Augmentation:
    """One of the changes for each image of about this share."""

    def apply(images: Tensor, rng: Generator) -> Tensor:
        which = (uniform(images, rng) / share * len(changes)).long()
        for number, change in enumerate(changes):
            chosen = (which == number).nonzero().squeeze(1)
            if len(chosen):
                images = images.index_copy(0, chosen, change(images[chosen], rng))
        return images

    return apply


def placed(pixels: float) -> Augmentation:
    """Up to so many pixels either way."""

    def apply(images: Tensor, rng: Generator) -> Tensor:
        right, down = (uniform(images, rng, -pixels / 14, pixels / 14) for _ in range(2))
        return resample(images, affine(right=right, down=down, like=images))

    return apply


def _shift(images: Tensor, rng: Generator) -> Tensor:
    """A whole batch by whole pixels, one at most: as good as each by itself, and nearly for nothing."""
    right, down = torch.randint(-1, 2, (2,), generator=rng, device=images.device).tolist()
    return images.roll((down, right), (2, 3))


def warped(strength: float) -> Augmentation:
    """Slant, turn, size, aspect, place and an elastic field; most images change little, a few much.

    Source  Simard et al. 2003, "Best practices for convolutional neural networks applied to visual document analysis".
    """

    def apply(images: Tensor, rng: Generator) -> Tensor:
        much = strength * uniform(images, rng) ** 1.5

        def about(most: float) -> Tensor:
            return uniform(images, rng, -most, most) * much

        size = about(0.3) - 0.12 * much
        wide, high = (size + about(0.2)).exp(), (size + about(0.15)).exp()
        matrix = affine(about(0.55), about(0.5), wide, high, about(0.3), about(0.3), like=images)
        elastic = smooth(images, rng, 5, 2) * about(0.17)[:, None, None, None]
        return resample(images, matrix, elastic.permute(0, 2, 3, 1))

    return apply


def _stretch(images: Tensor, rng: Generator) -> Tensor:
    """Towards filling the tile both ways, whatever the digit's proportions: many other sets are made so."""
    ink = images.squeeze(1) > 0.3
    across, along = ink.any(1).float(), ink.any(2).float()  # (N, 28) columns, rows that hold ink
    place = torch.arange(28, device=images.device)
    first = torch.stack([across.argmax(1), along.argmax(1)], 1)
    last = torch.stack([(across * place).argmax(1), (along * place).argmax(1)], 1)
    middle = (first + last + 1) / 28 - 1  # (N, 2) in half tiles
    size = (last - first + 1).clamp(4) / 20  # (N, 2) in boxes
    size = size ** uniform(images, rng, 0.5, 1)[:, None]
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, :, 2] = size[:, 0], size[:, 1], middle
    return resample(images, matrix)


def _width(images: Tensor, rng: Generator) -> Tensor:
    """A thicker or a thinner pen: part of the way to the dilated or the eroded digit."""
    amount = level(images, rng, -0.9, 1)
    thick, thin = F.max_pool2d(images, 3, 1, 1), -F.max_pool2d(-images, 3, 1, 1)
    return torch.where(
        amount > 0, images.lerp(thick, amount.abs()), images.lerp(thin, amount.abs())
    )


def _contrast(images: Tensor, rng: Generator) -> Tensor:
    """From soft grey to hard black and white, around another threshold."""
    return ((images - level(images, rng, 0.25, 0.6)) * level(images, rng, 1, 8) + 0.5).clamp(0, 1)


def _broken(images: Tensor, rng: Generator) -> Tensor:
    """A pen that runs dry: ink fades in patches."""
    return images * (4 * smooth(images, rng, 9) + level(images, rng, 1.0, 3.5)).clamp(0, 1)


def _resolution(images: Tensor, rng: Generator) -> Tensor:
    """Few pixels, enlarged again."""
    cells = int(torch.randint(9, 20, (), generator=rng, device=images.device))
    small = F.interpolate(images, size=cells, mode="area")
    hard = level(images, rng) < 0.5  # as fax and bitmap have it: ink or paper, nothing between
    small = torch.where(hard, (small > level(images, rng, 0.2, 0.5)).float(), small)
    mode = (
        "nearest"
        if float(torch.rand((), generator=rng, device=images.device)) < 0.3
        else "bilinear"
    )
    return F.interpolate(
        small, size=28, mode=mode, align_corners=None if mode == "nearest" else False
    )


def _outline(images: Tensor, rng: Generator) -> Tensor:
    """The outline alone: the dilated digit less itself, the morphological gradient."""
    edge = F.max_pool2d(images, 3, 1, 1) - images
    return ((edge - level(images, rng, 0.2, 0.5)) * 8).clamp(0, 1)


def _blur(images: Tensor, rng: Generator) -> Tensor:
    """A moving or an unsharp camera: the mean of five copies along a random line, then a soft dot."""
    angle, length = uniform(images, rng, 0, math.pi), uniform(images, rng, 0, 3.5) / 28
    right, down = length * angle.cos(), length * angle.sin()
    copies = [
        resample(images, affine(right=t * right, down=t * down, like=images))
        for t in (-1, -0.5, 0, 0.5, 1)
    ]
    line = torch.stack(copies).mean(0)
    return line.lerp(F.avg_pool2d(line, 3, 1, 1, count_include_pad=False), level(images, rng))


def _jitter(images: Tensor, rng: Generator) -> Tensor:
    """Frosted glass: each pixel comes from a neighbour."""
    field = uniform(images, rng, -1, 1, (28, 28, 2)) * level(images, rng, 0, 3.5) / 28
    return resample(images, torch.eye(2, 3, device=images.device).expand(len(images), 2, 3), field)


def _light(images: Tensor, rng: Generator) -> Tensor:
    """Paper that isn't black: fog, a gradient or a level, under ink that is still the brightest."""
    cells = int(torch.randint(2, 6, (), generator=rng, device=images.device))
    haze = (
        smooth(images, rng, cells) * level(images, rng, 0, 0.4) + level(images, rng, 0, 0.65)
    ).clamp(0, 0.9)
    ink = level(images, rng, 0.25, 1)
    return (haze + images * (1 - haze) * ink).clamp(0, 1)


def _dim(images: Tensor, rng: Generator) -> Tensor:
    """A weak pen."""
    return images * level(images, rng, 0.3, 1)


def _lines(images: Tensor, rng: Generator) -> Tensor:
    """Ruled, squared or struck-through paper: one to three long lines, faint or strong, whole or dotted."""
    angle = uniform(images, rng, -0.2, 0.2, (3,)) + (uniform(images, rng, shape=(3,)) < 0.4) * (
        math.pi / 2
    )
    angle = torch.where(
        uniform(images, rng)[:, None] < 0.25, uniform(images, rng, 0, math.pi, (3,)), angle
    )
    middle = uniform(images, rng, 0, 28, (3, 2))
    reach = torch.stack([angle.cos(), angle.sin()], -1) * uniform(images, rng, 8, 30, (3, 1))
    held = uniform(images, rng, shape=(3,)) < torch.tensor([1, 0.4, 0.2], device=images.device)
    width = uniform(images, rng, 0.1, 1.8, (3,)) * held
    drawn = strokes(torch.stack([middle - reach, middle + reach], 2), width)
    dots = (torch.arange(28, device=images.device) % 4 < 2).float()
    dotted = level(images, rng) < 0.3
    drawn = torch.where(dotted, drawn * dots.view(1, 1, 1, 28), drawn)
    return torch.maximum(images, drawn * level(images, rng, 0.3, 1))


def _zigzag(images: Tensor, rng: Generator) -> Tensor:
    """A wavy line from side to side."""
    knots = 15
    x = (
        torch.linspace(0, 1, knots, device=images.device) * uniform(images, rng, 18, 36)[:, None]
        - 2
    )
    base = uniform(images, rng, 3, 25)[:, None] + uniform(images, rng, -0.3, 0.3)[:, None] * (
        x - 14
    )
    sign = torch.tensor([1.0, -1.0], device=images.device).repeat(knots)[:knots]
    y = base + sign * uniform(images, rng, 0, 2.5)[:, None]
    path = torch.stack([x, y], -1)
    pieces = torch.stack([path[:, :-1], path[:, 1:]], 2)
    return torch.maximum(images, strokes(pieces, uniform(images, rng, 0.3, 1.4, (1,))))


def _bars(images: Tensor, rng: Generator) -> Tensor:
    """The edge of a sheet or of a frame: everything beyond a line is bright, on one side or on two."""
    place = torch.arange(28, device=images.device).float()
    first = place < uniform(images, rng, 0, 8)[:, None]
    second = (place > uniform(images, rng, 20, 28)[:, None]) & (uniform(images, rng) < 0.6)[:, None]
    bar = (first | second).float()
    upright = level(images, rng) < 0.5
    bar = torch.where(upright, bar[:, None, None, :], bar[:, None, :, None])
    return torch.maximum(images, bar * level(images, rng, 0.4, 1))


def _spots(images: Tensor, rng: Generator) -> Tensor:
    """Stains: soft patches of grey, over the ink or under it."""
    stain = ((smooth(images, rng, 10) - level(images, rng, 0.2, 0.6)) * 6).clamp(0, 1)
    grey = level(images, rng, 0, 0.6)
    over = level(images, rng) < 0.4
    return torch.where(
        over, images.lerp(grey.expand_as(images), stain), torch.maximum(images, stain * grey)
    )


def _neighbours(images: Tensor, rng: Generator) -> Tensor:
    """What a crop catches of the digit beside, above or below."""
    away = uniform(images, rng, 17, 24)
    turn = (uniform(images, rng) * 4).long()
    right = away * (turn == 0) - away * (turn == 1)
    down = away * (turn == 2) - away * (turn == 3)
    return torch.maximum(
        images, resample(images.roll(1, 0), affine(right=right / 14, down=down / 14, like=images))
    )


def _grain(images: Tensor, rng: Generator) -> Tensor:
    """Noise of the same strength everywhere."""
    noise = torch.randn(images.shape, generator=rng, device=images.device)
    return (images + noise * level(images, rng, 0, 0.35)).clamp(0, 1)


def _speckle(images: Tensor, rng: Generator) -> Tensor:
    """Single pixels that are white or black (salt and pepper)."""
    dice = uniform(images, rng, shape=(1, 28, 28))
    share = level(images, rng, 0, 0.2)
    return torch.where(dice < share / 2, 0.0, torch.where(dice > 1 - share / 2, 1.0, images))


def _shot(images: Tensor, rng: Generator) -> Tensor:
    """Few photons: the brighter, the noisier."""
    noise = torch.randn(images.shape, generator=rng, device=images.device)
    return (images + noise * images.sqrt() * level(images, rng, 0, 0.6)).clamp(0, 1)


AUGMENTATIONS: dict[str, Augmentation] = {
    "shift": _shift,
    "place": sometimes(0.1, placed(7.0)),
    "warp": warped(1.0),
    "wobble": warped(0.4),
    "stretch": sometimes(0.2, _stretch),
    "stroke": one_of(0.5, _width, _width, _contrast, _broken),
    "neighbours": sometimes(0.08, _neighbours),
    "resolution": sometimes(0.25, _resolution),
    "outline": sometimes(0.04, _outline),
    "blur": one_of(0.15, _blur, _blur, _jitter),
    "light": one_of(0.15, _light, _light, _dim),
    "clutter": one_of(0.18, _lines, _zigzag, _bars, _bars, _spots),
    "noise": one_of(0.15, _grain, _speckle, _shot),
}
