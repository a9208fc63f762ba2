"""What is not a digit, drawn by the program itself: float32 (N, 1, 28, 28), ink 1.0 on paper 0.0.

Letters, printed and written, glyphs of random strokes (what letters of any alphabet are made of), sticks, scribbles,
two digits in one tile, digits turned into no digit, one digit over another, and blank, grained, dotted, boxed or shaded
paper.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from qdigits.augment.handwriting import letters
from qdigits.augment.printed import printed
from qdigits.augment.raster import affine, resample, strokes, uniform

CURVE = 8  # straight pieces of one curved stroke


def _fit(path: Tensor, rng: Generator) -> Tensor:
    """Paths (N, S, K, 2) moved and scaled into the 20x20 box in the middle of a tile, as digits are."""
    flat = path.flatten(1, 2)
    low, high = flat.amin(1), flat.amax(1)
    scale = (uniform(path, rng, 16, 19) / (high - low).amax(1).clamp(1e-3))[:, None, None, None]
    return (path - ((low + high) / 2)[:, None, None]) * scale + 14


def _draw(path: Tensor, count: Tensor, rng: Generator) -> Tensor:
    """The first `count` (N,) strokes of paths (N, S, K, 2), each in one width of pen."""
    held = torch.arange(path.shape[1], device=path.device) < count[:, None]
    path = _fit(torch.where(held[:, :, None, None], path, path[:, :1]), rng)
    pieces = torch.stack([path[:, :, :-1], path[:, :, 1:]], 3).flatten(
        1, 2
    )  # (N, S * (K - 1), 2, 2)
    width = uniform(path, rng, 1.2, 3.2)[:, None] * held.repeat_interleave(path.shape[2] - 1, 1)
    return strokes(pieces, width)


def _glyphs(digits: Tensor, rng: Generator) -> Tensor:
    """Two to four curves and arcs; most start where the one before passes, as in a letter."""
    n, strokes_most = len(digits), 4
    a, b, c = (uniform(digits, rng, 0, 1, (strokes_most, 1, 2)) for _ in range(3))
    bent = (uniform(digits, rng, shape=(strokes_most, 1, 1)) < 0.5).float()
    b = b * bent + (a + c) / 2 * (1 - bent)
    t = torch.linspace(0, 1, CURVE + 1, device=digits.device)[None, None, :, None]
    path = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c  # (N, S, K, 2) quadratic Bezier curves
    turn, sweep = (
        uniform(digits, rng, low, high, (strokes_most, 1))
        for low, high in ((0, 2 * math.pi), (2, 6.5))
    )
    turn = turn + t[..., 0] * sweep
    arc = (
        torch.stack([turn.cos(), turn.sin()], -1)
        * uniform(digits, rng, 0.2, 0.5, (strokes_most, 1, 2))
        + c
    )
    path = torch.where(
        (uniform(digits, rng, shape=(strokes_most,)) < 0.35)[:, :, None, None], arc, path
    )
    knot = (uniform(digits, rng, shape=(strokes_most,)) * (CURVE + 1)).long()
    before = torch.cat([path[:, :1], path[:, :-1]], 1)
    meet = before.gather(2, knot[:, :, None, None].expand(n, strokes_most, 1, 2))
    joined = (uniform(digits, rng, shape=(strokes_most,)) < 0.6)[:, :, None, None]
    path = torch.where(joined, path - path[:, :, :1] + meet, path)
    return _draw(path, (uniform(digits, rng) * 3).long() + 2, rng)


def _printed(digits: Tensor, rng: Generator) -> Tensor:
    """A letter of any alphabet, as wide and as slanted as a hand might write it."""
    known = printed().to(digits.device)
    chosen = known[torch.randint(len(known), (len(digits),), generator=rng, device=digits.device)]
    wide, slant = uniform(digits, rng, 0.6, 1.1), uniform(digits, rng, -0.1, 0.4)
    return resample(chosen, affine(shear=slant, wide=wide, like=digits))


def _sticks(digits: Tensor, rng: Generator) -> Tensor:
    """Two straight lines that need not meet."""
    return _draw(
        uniform(digits, rng, shape=(2, 2, 2)),
        torch.full((len(digits),), 2, device=digits.device),
        rng,
    )


def _scribble(digits: Tensor, rng: Generator) -> Tensor:
    path = uniform(digits, rng, 0, 1, (1, 14, 2))
    length = (uniform(digits, rng, 4, 14)).long()[:, None]
    place = torch.minimum(torch.arange(14, device=digits.device)[None], length)
    path = path.gather(2, place[:, None, :, None].expand(len(digits), 1, 14, 2))
    return _draw(path, torch.ones(len(digits), device=digits.device), rng)


def _pair(digits: Tensor, rng: Generator) -> Tensor:
    """Two digits squeezed into one tile, as a crop that was not split would be."""
    size = uniform(digits, rng, 0.55, 0.75)
    gap = size * uniform(digits, rng, 0.4, 0.62)
    narrow = size * uniform(digits, rng, 0.8, 1)
    low = uniform(digits, rng, -0.1, 0.1)
    left = resample(digits, affine(wide=narrow, high=size, right=-gap, like=digits))
    right = resample(
        digits.roll(1, 0), affine(wide=narrow, high=size, right=gap, down=low, like=digits)
    )
    return torch.maximum(left, right)


def _over(digits: Tensor, rng: Generator) -> Tensor:
    """One digit written over another, turned so that it cannot be the same."""
    return torch.maximum(digits, digits.roll(1, 0).rot90(1, (2, 3)))


def _turned(digits: Tensor, rng: Generator) -> Tensor:
    """A quarter turn, which only a 0 or an 8 survives: those are not given here. A turned 1 is a dash."""
    left = (uniform(digits, rng) < 0.5)[:, None, None, None]
    return torch.where(left, digits.rot90(1, (2, 3)), digits.rot90(3, (2, 3)))


def _paper(digits: Tensor, rng: Generator) -> Tensor:
    """No ink at all: a level, a slope, grain, salt, dots, a filled box."""
    n, device = len(digits), digits.device
    axis = torch.linspace(-1, 1, 28, device=device)
    angle = uniform(digits, rng, 0, 2 * math.pi)[:, None, None]
    slope = (axis[None, None] * angle.cos() + axis[None, :, None] * angle.sin())[:, None]
    level = uniform(digits, rng)[:, None, None, None]
    depth = (uniform(digits, rng, 0, 0.7) * (uniform(digits, rng) < 0.4))[:, None, None, None]
    image = (level + slope * depth).clamp(0, 1)
    noise = uniform(digits, rng, shape=(1, 28, 28))
    kind = (uniform(digits, rng) * 6).long()[:, None, None, None]
    salt = (noise < level * 0.3).float()
    corner = uniform(digits, rng, -1, 0.4, (2,))
    size = uniform(digits, rng, 0.25, 1.4, (2,))
    inside = [
        (axis > corner[:, i : i + 1]) & (axis < (corner + size)[:, i : i + 1]) for i in (0, 1)
    ]
    box = (inside[0][:, None] & inside[1][:, :, None])[:, None].float() * level.clamp(0.4)
    point = uniform(digits, rng, 3, 25, (8, 1, 2)).expand(n, 8, 2, 2)
    dots = strokes(
        point, uniform(digits, rng, 0.5, 3, (8,)) * (uniform(digits, rng, shape=(8,)) < 0.6)
    )
    for number, other in enumerate((noise * level, salt, box, dots)):
        image = torch.where(kind == number, other, image)
    return image


KINDS = (
    (_glyphs, 15),
    (_printed, 24),
    (letters, 20),
    (_sticks, 11),
    (_scribble, 5),
    (_pair, 11),
    (_over, 2),
    (_turned, 6),
    (_paper, 6),
)  # per cent


def negatives(count: int, digits: Tensor, labels: Tensor, rng: Generator) -> Tensor:
    """`count` images that are no digits, some of them made of the given digits (N, 1, 28, 28)."""
    made = [digits[:0]]
    for number, (draw, share) in enumerate(KINDS):
        n = count - sum(map(len, made)) if number == len(KINDS) - 1 else round(count * share / 100)
        pool = ((labels > 0) & (labels != 8) if draw is _turned else labels >= 0).nonzero()[:, 0]
        if n and len(pool):
            chosen = pool[torch.randint(len(pool), (n,), generator=rng, device=digits.device)]
            made.append(draw(digits[chosen], rng))
    return torch.cat(made)
