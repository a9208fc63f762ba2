"""Drawing with tensors: random numbers an image, maps that move pixels, fields, and strokes of a pen."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def uniform(
    like: Tensor, rng: Generator, low: float = 0.0, high: float = 1.0, shape: tuple[int, ...] = ()
) -> Tensor:
    """Uniform numbers, (N,) or (N, *shape), one row for each image."""
    return torch.rand((len(like), *shape), generator=rng, device=like.device) * (high - low) + low


def level(like: Tensor, rng: Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Uniform numbers (N, 1, 1, 1): one for all pixels of an image."""
    return uniform(like, rng, low, high, (1, 1, 1))


def resample(images: Tensor, matrix: Tensor, shift: Tensor | float = 0.0) -> Tensor:
    """Images seen through an affine map (N, 2, 3), from target to source, and a displacement (N, 28, 28, 2)."""
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False) + shift
    return F.grid_sample(images, grid, align_corners=False)


def affine(
    turn: Tensor | float = 0.0,
    shear: Tensor | float = 0.0,
    wide: Tensor | float = 1.0,
    high: Tensor | float = 1.0,
    right: Tensor | float = 0.0,
    down: Tensor | float = 0.0,
    *,
    like: Tensor,
) -> Tensor:
    """Maps (N, 2, 3) for `resample`: radians, shear and magnification as factors, shifts in half tiles."""
    zero = like.new_zeros(len(like))
    turn, shear, wide, high, right, down = (
        zero + value for value in (turn, shear, wide, high, right, down)
    )
    cos, sin = turn.cos(), turn.sin()
    return torch.stack(
        [
            torch.stack([cos / wide, (sin + shear * cos) / wide, -right], 1),
            torch.stack([-sin / high, (cos - shear * sin) / high, -down], 1),
        ],
        1,
    )


def smooth(like: Tensor, rng: Generator, cells: int, channels: int = 1) -> Tensor:
    """A random field (N, channels, 28, 28) in -1..1 that changes over 28 / cells pixels."""
    coarse = uniform(like, rng, -1, 1, (channels, cells, cells))
    return F.interpolate(
        coarse, size=28, mode="bicubic" if cells > 2 else "bilinear", align_corners=True
    )


def strokes(points: Tensor, width: Tensor) -> Tensor:
    """Drawn lines: float32 (N, 1, 28, 28) from points (N, S, 2, 2), two ends in pixels for each of S segments.

    Takes   width (N, S) or (N, 1), pixels; a segment of width 0 is left out.
    """
    few = zip(
        points.split(4), width.split(4), strict=True
    )  # four images fit the cache, all of them take 200 MB
    return torch.cat([_strokes(*part) for part in few])


def _strokes(points: Tensor, width: Tensor) -> Tensor:
    axis = torch.arange(28, device=points.device) + 0.5
    across, down = axis.repeat(28), axis.repeat_interleave(28)  # (784,) the middle of each pixel
    (x, y), (dx, dy) = (
        (p[..., :1], p[..., 1:]) for p in (points[:, :, 0], points[:, :, 1] - points[:, :, 0])
    )
    x, y = across - x, down - y  # (N, S, 784)
    place = ((x * dx + y * dy) / (dx * dx + dy * dy + 1e-6)).clamp_(0, 1)
    away = (x - place * dx).square_().add_((y - place * dy).square_()).sqrt_()
    half = width[..., None] / 2
    return ((half + 0.5 - away) * (half > 0)).amax(1).clamp_(0, 1).view(len(points), 1, 28, 28)
