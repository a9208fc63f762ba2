"""What is not a digit, drawn by the program itself: images (N, 1, 28, 28), ink 1.0 on paper 0.0.

Letters, printed and written, shapes of random strokes (what letters of any alphabet are made of),
sticks, scribbles, two digits in one tile, digits turned into no digit, one digit over another, and
blank, grained, dotted, boxed or shaded paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from qdigits.augment.combine import find_true
from qdigits.augment.handwriting import draw_letters
from qdigits.augment.printed import printed_letters
from qdigits.augment.raster import (
    HALF_TILE,
    TILE_SIZE,
    affine_matrix,
    draw_segments,
    line_segments,
    per_image,
    per_image_uniform,
    resample,
    uniform,
    with_chance,
)

SEGMENTS_PER_CURVE = 8
MAX_STROKES = 4  # of a random shape
SCRIBBLE_POINTS = 14
MAX_DOTS = 8
PAPER_KINDS = 6
ALL_DIGITS = tuple(range(10))
CHANGED_BY_A_QUARTER_TURN = (1, 2, 3, 4, 5, 6, 7, 9)  # a turned 0 or 8 is still one


def fit_tile(paths: Tensor, rng: Generator) -> Tensor:
    """Move and scale paths (N, S, K, 2) into about MNIST's box in the middle of a tile."""
    low = paths.amin((1, 2), keepdim=True)
    high = paths.amax((1, 2), keepdim=True)
    longest = (high - low).amax(-1, keepdim=True).clamp(1e-3)
    size = uniform(paths, rng, 16, 19, (1, 1, 1))
    scale = size / longest
    middle = (low + high) / 2
    return (paths - middle) * scale + HALF_TILE


def draw_paths(paths: Tensor, count: Tensor, rng: Generator) -> Tensor:
    """Draw the first `count` (N,) strokes of paths (N, S, K, 2), each image with one pen."""
    _, stroke_count, point_count, _ = paths.shape
    stroke_number = torch.arange(stroke_count, device=paths.device)
    is_drawn = stroke_number < count[:, None]  # (N, S)
    first_stroke = paths[:, :1]
    paths = torch.where(per_stroke(is_drawn), paths, first_stroke)
    paths = fit_tile(paths, rng)
    segments = line_segments(paths)  # (N, S * (K - 1), 2, 2)
    pen_width = uniform(paths, rng, 1.2, 3.2, (1,))
    is_segment_drawn = is_drawn.repeat_interleave(point_count - 1, 1)
    width = pen_width * is_segment_drawn
    return draw_segments(segments, width)


def per_stroke(values: Tensor) -> Tensor:
    """Shape one value for each stroke, (N, S), so that it holds for all its points."""
    return values[:, :, None, None]


def random_shapes(digits: Tensor, rng: Generator) -> Tensor:
    """Draw two to four curves and arcs; most start where the one before passes, as in a letter."""
    curves = _random_curves(digits, rng)
    last_points = curves[:, :, -1:]
    arcs = _random_arcs(last_points, rng)
    is_arc = uniform(digits, rng, shape=(MAX_STROKES,)) < 0.35
    paths = torch.where(per_stroke(is_arc), arcs, curves)
    paths = _join_strokes(paths, rng)
    more_than_two = (uniform(digits, rng) * 3).long()
    stroke_count = 2 + more_than_two
    return draw_paths(paths, stroke_count, rng)


def _random_curves(digits: Tensor, rng: Generator) -> Tensor:
    """Draw quadratic Bezier curves (N, S, SEGMENTS_PER_CURVE + 1, 2); half are straight."""
    one_point_each = (MAX_STROKES, 1, 2)
    start = uniform(digits, rng, shape=one_point_each)
    control = uniform(digits, rng, shape=one_point_each)
    end = uniform(digits, rng, shape=one_point_each)
    is_bent = uniform(digits, rng, shape=(MAX_STROKES, 1, 1)) < 0.5
    middle = (start + end) / 2
    control = torch.where(is_bent, control, middle)
    t = _curve_steps(digits)[:, None]
    from_start = (1 - t) ** 2 * start
    towards_control = 2 * t * (1 - t) * control
    to_end = t**2 * end
    return from_start + towards_control + to_end


def _curve_steps(like: Tensor) -> Tensor:
    """Return how far along a curve each of its points lies, 0 to 1: (points,)."""
    return torch.linspace(0, 1, SEGMENTS_PER_CURVE + 1, device=like.device)


def _random_arcs(centre: Tensor, rng: Generator) -> Tensor:
    """Draw arcs of ellipses around centres (N, MAX_STROKES, 1, 2)."""
    start = uniform(centre, rng, 0, 2 * math.pi, (MAX_STROKES, 1))
    sweep = uniform(centre, rng, 2, 6.5, (MAX_STROKES, 1))
    steps = _curve_steps(centre)
    angle = start + steps * sweep
    radii = uniform(centre, rng, 0.2, 0.5, (MAX_STROKES, 1, 2))
    circle = torch.stack([angle.cos(), angle.sin()], -1)
    return circle * radii + centre


def _join_strokes(paths: Tensor, rng: Generator) -> Tensor:
    """Move most strokes of paths (N, S, K, 2) so that they start on the stroke before."""
    _, stroke_count, point_count, _ = paths.shape
    share = uniform(paths, rng, shape=(stroke_count,))
    knot = (share * point_count).long()  # (N, S)
    knot_index = per_stroke(knot).expand(-1, -1, 1, 2)
    first_stroke = paths[:, :1]
    stroke_before = torch.cat([first_stroke, paths[:, :-1]], 1)
    meeting_point = stroke_before.gather(2, knot_index)
    first_points = paths[:, :, :1]
    joined = paths - first_points + meeting_point
    is_joined = uniform(paths, rng, shape=(stroke_count,)) < 0.6
    return torch.where(per_stroke(is_joined), joined, paths)


def slanted_print(digits: Tensor, rng: Generator) -> Tensor:
    """Draw a printed letter of any alphabet, as wide and as slanted as a writer might write it."""
    letters = printed_letters().to(digits.device)
    every_letter = torch.arange(len(letters), device=digits.device)
    chosen = _choose(every_letter, len(digits), rng)
    width = uniform(digits, rng, 0.6, 1.1)
    slant = uniform(digits, rng, -0.1, 0.4)
    matrix = affine_matrix(shear=slant, scale_x=width, like=digits)
    return resample(letters[chosen], matrix)


def two_sticks(digits: Tensor, rng: Generator) -> Tensor:
    """Draw two straight lines that need not meet."""
    sticks = uniform(digits, rng, shape=(2, 2, 2))
    count = torch.full((len(digits),), 2, device=digits.device)
    return draw_paths(sticks, count, rng)


def scribble(digits: Tensor, rng: Generator) -> Tensor:
    """Draw one line that runs to and fro."""
    path = uniform(digits, rng, shape=(1, SCRIBBLE_POINTS, 2))
    last = uniform(digits, rng, 4, SCRIBBLE_POINTS).long()
    number = torch.arange(SCRIBBLE_POINTS, device=digits.device)
    index = torch.minimum(number, last[:, None])  # beyond its last point the line stays there
    index_of_points = index[:, None, :, None].expand_as(path)
    path = path.gather(2, index_of_points)
    count = torch.ones(len(digits), device=digits.device)
    return draw_paths(path, count, rng)


def digit_pair(digits: Tensor, rng: Generator) -> Tensor:
    """Squeeze two digits into one tile, as a crop does that was not split."""
    height = uniform(digits, rng, 0.55, 0.75)
    gap = height * uniform(digits, rng, 0.4, 0.62)
    width = height * uniform(digits, rng, 0.8, 1)
    drop = uniform(digits, rng, -0.1, 0.1)
    to_the_left = affine_matrix(
        scale_x=width,
        scale_y=height,
        shift_x=-gap,
        like=digits,
    )
    to_the_right = affine_matrix(
        scale_x=width,
        scale_y=height,
        shift_x=gap,
        shift_y=drop,
        like=digits,
    )
    others = digits.roll(1, 0)
    left = resample(digits, to_the_left)
    right = resample(others, to_the_right)
    return torch.maximum(left, right)


def overwritten_digit(digits: Tensor, rng: Generator) -> Tensor:
    """Write one digit over another, which is turned so that it cannot be the same."""
    others = digits.roll(1, 0)
    turned = _quarter_turn(others)
    return torch.maximum(digits, turned)


def _quarter_turn(images: Tensor, turns: int = 1) -> Tensor:
    """Turn images counter-clockwise by a number of quarters."""
    return images.rot90(turns, (2, 3))


def turned_digit(digits: Tensor, rng: Generator) -> Tensor:
    """Turn a digit by a quarter, either way. A turned 1 is a dash."""
    is_left_turn = with_chance(digits, rng, 0.5)
    to_the_left = _quarter_turn(digits)
    to_the_right = _quarter_turn(digits, 3)
    return torch.where(is_left_turn, to_the_left, to_the_right)


def empty_paper(digits: Tensor, rng: Generator) -> Tensor:
    """Draw paper without ink: level, shaded, grained, salted, with a filled box or with dots."""
    angle = uniform(digits, rng, 0, 2 * math.pi)
    level = per_image_uniform(digits, rng)
    shaded = _shaded_paper(level, angle, rng)
    noise = uniform(digits, rng, shape=(1, TILE_SIZE, TILE_SIZE))
    kind = (uniform(digits, rng) * PAPER_KINDS).long()
    grained = noise * level
    salted = (noise < level * 0.3).float()
    boxed = _filled_box(level, rng)
    dotted = _dots(digits, rng)
    papers = torch.stack([grained, salted, boxed, dotted, shaded, shaded])
    number = torch.arange(len(digits), device=digits.device)
    return papers[kind, number]


def _shaded_paper(level: Tensor, angle: Tensor, rng: Generator) -> Tensor:
    """Draw a level (N, 1, 1, 1) that rises along an angle (N,) in four of ten images."""
    axis = _half_tiles(level)
    across = axis * per_image(angle.cos())
    down = axis[:, None] * per_image(angle.sin())
    slope = across + down
    steepness = uniform(level, rng, 0, 0.7)
    is_sloping = uniform(level, rng) < 0.4
    depth = per_image(steepness * is_sloping)
    shaded = level + slope * depth
    return shaded.clamp(0, 1)


def _half_tiles(like: Tensor) -> Tensor:
    """Return how far each row or column lies from the middle, in half tiles: (28,)."""
    return torch.linspace(-1, 1, TILE_SIZE, device=like.device)


def _filled_box(level: Tensor, rng: Generator) -> Tensor:
    """Draw a rectangle (N, 1, 28, 28) of at least 0.4 by its levels (N, 1, 1, 1)."""
    axis = _half_tiles(level)
    corner = uniform(level, rng, -1, 0.4, (2, 1))
    far_corner = corner + uniform(level, rng, 0.25, 1.4, (2, 1))
    is_within = (axis > corner) & (axis < far_corner)  # (N, 2, 28), by x and by y
    columns = is_within[:, :1, None]
    rows = is_within[:, 1:, :, None]
    box = (rows & columns).float()
    return box * level.clamp(0.4)


def _dots(digits: Tensor, rng: Generator) -> Tensor:
    """Draw up to MAX_DOTS dots: segments without length."""
    centre = uniform(digits, rng, 3, 25, (MAX_DOTS, 1, 2))
    width = uniform(digits, rng, 0.5, 3, (MAX_DOTS,))
    is_drawn = uniform(digits, rng, shape=(MAX_DOTS,)) < 0.6
    ends = centre.expand(-1, -1, 2, 2)
    return draw_segments(ends, width * is_drawn)


class NegativeKind(NamedTuple):
    """One kind of negative: what draws it from digits, and what share it has."""

    draw: Callable[[Tensor, Generator], Tensor]
    share: int
    digits: tuple[int, ...] = ALL_DIGITS  # those it can be made of


KINDS = (
    NegativeKind(random_shapes, 15),
    NegativeKind(slanted_print, 24),
    NegativeKind(draw_letters, 20),
    NegativeKind(two_sticks, 11),
    NegativeKind(scribble, 5),
    NegativeKind(digit_pair, 11),
    NegativeKind(overwritten_digit, 2),
    NegativeKind(turned_digit, 6, CHANGED_BY_A_QUARTER_TURN),
    NegativeKind(empty_paper, 6),
)


def draw_negatives(count: int, digits: Tensor, labels: Tensor, rng: Generator) -> Tensor:
    """Draw images that are no digits; some are made of digits.

    Args:
        count: How many; the last kind fills up what rounding and missing digits leave.
        digits: Digits to make them of, (N, 1, 28, 28).
        labels: What the digits are, (N,).
        rng: The generator.

    Returns:
        Images (count, 1, 28, 28), kind by kind.
    """
    drawn = [digits[:0]]
    all_shares = sum(kind.share for kind in KINDS)
    for kind in KINDS:
        is_last = kind is KINDS[-1]
        missing = count - sum(map(len, drawn))
        kind_count = missing if is_last else round(count * kind.share / all_shares)
        allowed = torch.tensor(kind.digits, device=labels.device)
        usable = find_true(torch.isin(labels, allowed))
        if kind_count and len(usable):
            chosen = _choose(usable, kind_count, rng)
            negatives = kind.draw(digits[chosen], rng)
            drawn.append(negatives)
    return torch.cat(drawn)


def _choose(places: Tensor, count: int, rng: Generator) -> Tensor:
    """Choose so many of the places (N,), some of them several times."""
    chosen = torch.randint(len(places), (count,), generator=rng, device=places.device)
    return places[chosen]
