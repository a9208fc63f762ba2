"""Draw with batched tensors: random numbers, random fields, maps that move pixels, segments."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

TILE_SIZE = 28  # pixels
HALF_TILE = 14  # the unit of shifts
IMAGES_AT_ONCE = 4  # drawn together: they fit the cache, a whole batch takes 200 MB


def uniform(
    like: Tensor,
    rng: Generator,
    low: float = 0.0,
    high: float = 1.0,
    shape: tuple[int, ...] = (),
) -> Tensor:
    """Draw uniform numbers, one row for each image.

    Args:
        like: A batch whose length and device are taken.
        rng: The generator.
        low: The least number.
        high: The greatest number.
        shape: The shape of one row.

    Returns:
        Numbers (N,) or (N, *shape).
    """
    size = (len(like), *shape)
    numbers = torch.rand(size, generator=rng, device=like.device)
    return numbers * (high - low) + low


def per_image_uniform(
    like: Tensor,
    rng: Generator,
    low: float = 0.0,
    high: float = 1.0,
) -> Tensor:
    """Draw one uniform number for all pixels of an image: (N, 1, 1, 1)."""
    return uniform(like, rng, low, high, (1, 1, 1))


def per_image(values: Tensor) -> Tensor:
    """Shape one number for each image, (N,), so that it holds for all pixels: (N, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)


def with_chance(like: Tensor, rng: Generator, probability: float) -> Tensor:
    """Draw for each image whether something happens to it: bool (N, 1, 1, 1)."""
    return per_image_uniform(like, rng) < probability


def whole_number(like: Tensor, rng: Generator, least: int, most: int) -> int:
    """Draw one whole number for a batch; the least and the most may come, too."""
    drawn = torch.randint(least, most + 1, (), generator=rng, device=like.device)
    return int(drawn)


def normal_like(images: Tensor, rng: Generator) -> Tensor:
    """Draw normal numbers of mean 0 and deviation 1, one for each pixel."""
    return torch.randn(images.shape, generator=rng, device=images.device)


def random_field(
    like: Tensor,
    rng: Generator,
    cells: int,
    channels: int = 1,
) -> Tensor:
    """Draw a smooth random field.

    Args:
        like: A batch whose length and device are taken.
        rng: The generator.
        cells: How many values lie along a side; the field changes over 28 / cells pixels.
        channels: How many fields each image has.

    Returns:
        The fields (N, channels, 28, 28), about -1 to 1.
    """
    coarse = uniform(like, rng, -1, 1, (channels, cells, cells))
    mode = "bicubic" if cells > 2 else "bilinear"
    return F.interpolate(coarse, size=TILE_SIZE, mode=mode, align_corners=True)


def resample(images: Tensor, matrix: Tensor, displacement: Tensor | float = 0.0) -> Tensor:
    """Move the pixels of images.

    Args:
        images: A batch (N, 1, 28, 28).
        matrix: Affine maps (N, 2, 3), from target to source.
        displacement: What is added to each source position, (N, 28, 28, 2), in half tiles.
    """
    size = list(images.shape)
    grid = F.affine_grid(matrix, size, align_corners=False)
    return F.grid_sample(images, grid + displacement, align_corners=False)


def affine_matrix(
    rotation: Tensor | float = 0.0,
    shear: Tensor | float = 0.0,
    scale_x: Tensor | float = 1.0,
    scale_y: Tensor | float = 1.0,
    shift_x: Tensor | float = 0.0,
    shift_y: Tensor | float = 0.0,
    *,
    like: Tensor,
) -> Tensor:
    """Build affine maps for `resample`; each part is one number, or one for each image.

    Args:
        rotation: Radians.
        shear: The slant, as a factor.
        scale_x: The magnification across.
        scale_y: The magnification down.
        shift_x: To the right, in half tiles.
        shift_y: Downwards, in half tiles.
        like: A batch whose length and device are taken.

    Returns:
        Maps (N, 2, 3), from target to source.
    """
    zeros = like.new_zeros(len(like))
    angle = zeros + rotation
    cos = angle.cos()
    sin = angle.sin()
    right = -(zeros + shift_x)
    down = -(zeros + shift_y)
    sheared_x = sin + shear * cos
    sheared_y = cos - shear * sin
    row_x = torch.stack([cos / scale_x, sheared_x / scale_x, right], 1)
    row_y = torch.stack([-sin / scale_y, sheared_y / scale_y, down], 1)
    return torch.stack([row_x, row_y], 1)


def line_segments(paths: Tensor) -> Tensor:
    """Cut lines past K points, (N, ..., K, 2), into segments for `draw_segments`."""
    starts = paths[..., :-1, :]
    ends = paths[..., 1:, :]
    segments = torch.stack([starts, ends], -2)
    return segments.flatten(1, -3)


def draw_segments(points: Tensor, width: Tensor) -> Tensor:
    """Draw straight lines, anti-aliased.

    Args:
        points: The two ends of each of S segments, (N, S, 2, 2), x and y in pixels.
        width: Pixels, (N, S) or (N, 1); a segment of width 0 is left out.

    Returns:
        Images (N, 1, 28, 28), ink 1.0 on paper 0.0.
    """
    few_points = points.split(IMAGES_AT_ONCE)
    few_widths = width.split(IMAGES_AT_ONCE)
    drawn = map(_draw_few, few_points, few_widths)
    return torch.cat(list(drawn))


def _draw_few(points: Tensor, width: Tensor) -> Tensor:
    """Ink every pixel by its distance from the nearest segment."""
    middles = torch.arange(TILE_SIZE, device=points.device) + 0.5
    pixel_x = middles.repeat(TILE_SIZE)  # (784,)
    pixel_y = middles.repeat_interleave(TILE_SIZE)

    start = points[:, :, 0]
    delta = points[:, :, 1] - start
    delta_x = delta[..., :1]  # (N, S, 1)
    delta_y = delta[..., 1:]
    from_start_x = pixel_x - start[..., :1]  # (N, S, 784)
    from_start_y = pixel_y - start[..., 1:]

    # The nearest point of the segment, as a share of its length.
    projection = from_start_x * delta_x + from_start_y * delta_y
    squared_length = delta_x * delta_x + delta_y * delta_y + 1e-6
    nearest = (projection / squared_length).clamp_(0, 1)
    away_x = from_start_x - nearest * delta_x
    away_y = from_start_y - nearest * delta_y
    squared_distance = away_x.square_().add_(away_y.square_())
    distance = squared_distance.sqrt_()

    half_width = width[..., None] / 2
    is_drawn = half_width > 0
    ink = (half_width + 0.5 - distance) * is_drawn
    darkest = ink.amax(1).clamp_(0, 1)
    return darkest.view(len(points), 1, TILE_SIZE, TILE_SIZE)
