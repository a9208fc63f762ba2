"""What a pen writes: digits in forms that MNIST's American hands hardly use (the flagged 1, the crossed 7, the open 4,
the hooked 9), and letters, which are no digits.

A form is one or more strokes, divided by "/"; a stroke is a curve past points "x,y" on a page ten high, and turns
sharply at those marked "!". Every point moves a little each time. To add one: a text in FORMS or LETTERS.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from qdigits.augment.raster import strokes, uniform

PIECES = 16  # straight pieces of a stroke
LOOSE = 0.08  # how far a point may lie from its place, in heights of the page

FORMS = {
    0: (
        "5,0! 1,1 -1,6 2,11 9,10 10,3 6,-.5 3.5,1.5",
        "5,0 0,0 0,10 5,10 10,10 10,0 5,0 / 9,0 1,10",
        "7,0 1,0 -1,7 4,11 10.5,10 10.5,4.5",
    ),
    1: (
        "2.5,3 5.5,0! 5,10",
        ".5,5 6,0! 5.5,10",
        "0,7.5 6.5,0! 6,10",
        "0,8 5,0! 7,10",
        "1.5,3.5 5.5,0! 5,10 / 2,10 9,10",
        ".5,4.5 3.5,3.5 6,0! 5.5,10",
        "0,5.5 3,4 6,0! 5,6.5 6,10.5 8.5,9.5",
        "0,6 5.5,0! 5,10 / .5,10 9,10",
        "0,8 5,0! 5,10 / 2,10 10,10",
        "1.5,3 5.5,.5! 5.5,10",
        "-1,9 5.5,0! 5.5,10",
        "0,9.5 4.5,5.5 6,0! 6.2,10",
    ),
    2: ("1,2.5 4,-1 8.5,2 4,7.5 0,10.5 1,7.5 5,9 9.5,10",),
    3: ("1,.5 8,.5! 4,4! 9,5 7.5,10.5 .5,9",),
    4: (
        "4.5,0 .5,6! 8,5! 6,10",
        "4,0 .5,6! 9,5.8 / 6.5,3 6,10",
        "3,0 1,4 2.5,6 7.5,4.5 8,.5! 7,10",
        "5,0 .5,5 1.5,7 8.5,5! 6,10",
        "6.2,0 .5,6! 9.5,5.8 / 6.2,0 6,10",
        "2,.5 1,5 3,6! 8,5.5 / 8,2 7,10",
        "6,0 .5,5.5 1.5,7.2 10,6! 7,10",
        "6,0 .5,5.5! 10,4.8! 6,10",
        "5,0 1,4 1,6.5 6,5.5 9.5,4.5! 7,10",
    ),
    5: (
        "9,.3 3,.5! 2,4.5! 7.5,3.5 8.5,8.5 4,11 0,9",
        "2.5,.5 2,4.5! 8,3.5 8.5,9 4,11 0,9 / 2.5,.3 9,0",
        "4,0 4.2,4.4! 9.5,5 8,11 0,8",
        "8,0 3,1 3,4.4! 9,5 8,11 0,8.5",
        "3,1 3,4.4! 9,4.5 8.5,10.5 0,9.5",
        "6.5,0 3,4.5! 8,4 9.5,8 6,10.5 0,9",
        "7.5,0 3,3 2.5,4.5! 9,4.5 9.5,9 5,11 -.5,7.5",
    ),
    7: (
        "0,.8 8.5,.3! 3.5,10 / 2,5.2 8,4.7",
        "0,2 1.5,.3 4,1 8.5,.3! 5,5 4,10 / 2,5.2 8,4.7",
        ".5,2.5 .8,.3! 8.5,.3! 4,10",
        "0,1 8.5,.5! 4,7 3.5,10 / 1,6.2 9,5.8",
        "0,1.5 .3,.3! 8,.3! 3,10 / 1,5.5 7.5,5",
        "0,2.5 2,-.5 8,-.5 8,3 4.5,6.5 3.5,10 / 1,6.9 10,6.5",
        "0,1.3 2,0 8,.5! 4,6.5 3.5,9.5 / .5,7.2 9,6.5",
    ),
    8: ("8,1 4,-1 1,2 5,5 9.5,8 4.5,11 .5,8 5,4.5 8.5,.5",),
    9: (
        "7,2 4.5,-.5 1,2 3.5,5 7.5,2! 8.5,7.5 5,11 1,9",
        "6,1 3,-1 .5,2.5 5,5 6.5,1! 7.5,8 4.5,11 0,9.5",
        "6,1.5 3.5,-.5 1,2 4,4.5 7,2! 8,8 4.5,11 -1,10 0,7.5",
        "7,1 4,-1 1,2 4,5 8,1.5! 8,7 7.5,10! 0,10",
        "6,1.5 3.5,-.5 1,2 4,4.2 7,1.5! 6,4.5 8.5,8 4.5,11 0,9.5",
        "8,1.8 3.5,-.8 .5,2.5 4,5 8,2.2! 8,8 4,11 0,9.5",
        "8,1 4,-1 2,2 5,4.5 8,1! 5,10",
        "7.5,1.5 4,-1.5 1,2.5 4.5,5.5 8,2 5,4.5! 9,7.5 6.5,10.5 0,9.5",
        "7,1 4,-1 1.5,2.5 5,4.5 7.5,1.5! 6,5 8.5,8.5 7,10! 0,10",
        "7.5,2 4,-1 1.5,2 3.5,5 7.5,3! 8,7.5 4.5,11 .5,9",
        "6,1 3,-.5 1.5,2 3.5,4.5 6.5,2! 5,5 9.5,9.5! .5,10",
        "7,1 4,-.5 2,1.5 4,4.5 7,2! 6.5,5 9,9 5,10 0,9",
    ),
}
LETTERS = (
    "0,10 5,0! 10,10 / 2,6 8,6",
    "1,0 1,10 / 9,0 9,10 / 1,5 9,5",
    "9,0 1,0! 1,10! 9,10 / 1,5 8,5",
    "9,0 1,0! 1,10 / 1,5 7,5",
    "1,0 1,10 / 9,0 1.5,5! 9,10",
    "0,10 .5,0! 5,6! 9.5,0! 10,10",
    "1,10 1,0! 9,10! 9,0",
    "0,0 10,0 / 5,0 5,10",
    "1,10 1,0 / 1,.5 8,0 9,4.5 1.5,5! 9,10",
    "2,0 2,10! 9,10",
    "0,0 5,10! 10,0",
    "0,0 2.5,10! 5,3! 7.5,10! 10,0",
    "0,0 10,10 / 10,0 0,10",
    "9,0 1,0! 1,10",
    "1,10 1,0! 9,0! 9,10",
    "1,0 1,8 / 1,3 5,0 8.5,3 8.5,10",
    "4,0 0,2 / 4,0 4,10 / 9,0 9,10",
    "1.5,0 1.5,10 / 1.5,6 5,4 8.5,6 8.5,10",
    "1,0 4,2 10,10 / 5,4 0,10",
    "5,0 5,10 / 0,.5 1,5 5,6.5 9,5 10,.5",
    "1.5,0 8,0 / 0,3.5 9.5,3.5! 8,7 2,10",
    "4,0 .5,4.5 / 3.5,1.5 9.5,1.5! 8,6 2,10",
    "4,0 .5,4.5 / 3.5,1.5 9.5,1.5! 8,6 2,10 / 3,4 7,7",
    "1,1 8.5,1! 5,6 0,10 / 5,6 9.5,10",
    ".5,5 .5,.5! 9.5,.5! 8,6.5 3,10",
    ".5,5 .5,1.5! 9.5,1.5! 8,6.5 3,10 / 5,-1 5,1",
    "2,0 8,0 / 0,3.5 10,3.5 / 5.5,3.5 5,7 2.5,10",
    "8,0 2,1.2 / 0,4 10,4 / 5,1 5,6 2,10",
    "8,0 5.5,6 0,10 / 2.5,3.5 8.5,9",
    "0,.5 9.5,.5! 5.5,4.5 / 5,3 5,7 2,10",
    "1.5,2 7.5,2! 7,9 / 0,9 10,9",
    "1,1 9,1! 9,9 / 1,9 9,9",
    ".5,2 1.5,4.5 / 4,1 5,4 / 9.5,1 8,6.5 3,10",
    "1,0 1,9.5! 9.5,9.5 / 1,5 8,3",
    ".5,3 9,2.2 / 0,6.2 10,5 / 4,0 6,10",
    "1,0 9,0 / 5,0 5,10 / .5,10 9.5,10",
    "3,0 3,10 / 3,4 9,6.5",
    "2,0 2,10! 9.5,4.5",
    "9,1 2,0 1,3 5,4.5! 1,6 1.5,10 9,9",
    "2,2 8,2 / 0,8 10,8",
    "5,0 0,10! 10,10! 5,0",
    "5,0 5,10 / 0,5 10,5",
    "1,2 4,-1 9,2 5,5.5 5,7.5 / 5,9.5 5,10",
    "3,0 2,10 / 7.5,0 6.5,10 / 0,3.3 10,3 / 0,6.8 10,6.5",
    "1,1 9,9 / 9,1 1,9 / 5,0 5,10",
    "0,1 .2,10 / .2,4 2.5,0 4.8,3 4.8,10 / 4.8,4 7.5,0 9.8,3 10,10",
    "1,5 9,4.5 7,0 1,1 .5,9 6,10.5 9.5,8.5",
    "0,3 10,3 / 3,0 3,6 / 7.5,0 7,6 4,10",
    "0,3 10,3 / 5,0 5,10 / 3,5 1,8 / 7,5 9,8",
    "0,10 3,1 5,9 / 5,9 8,0 10,10",
    "9,1 2,0 1,5 8,5 9,10 0,9 / 5,-1.5 5,12",
    "1,0 1,10 / 5,0 5,10 / 9,0 9,10",
)


def _path(stroke: str) -> list[tuple[float, float]]:
    """The control points of a stroke; a curve that meets a point three times turns there sharply."""
    path = []
    for point in stroke.split():
        x, y = point.rstrip("!").split(",")
        path += [(float(x) / 10, float(y) / 10)] * (3 if point.endswith("!") else 1)
    return path


def _curve(path: list[tuple[float, float]], places: list[tuple[float, float]], most: int) -> Tensor:
    """Weights (PIECES + 1, most) that turn places into points on the quadratic B-spline through a path of them."""
    path = [path[0], *path, path[-1]]  # so that it starts and ends on the path's ends
    at = torch.linspace(0, len(path) - 2 - 1e-3, PIECES + 1)
    weights = torch.zeros(PIECES + 1, most)
    for step, (first, t) in enumerate(zip(at.long().tolist(), (at % 1).tolist(), strict=True)):
        shares = (1 - t) ** 2, 1 + 2 * t - 2 * t * t, t * t
        for point, share in zip(path[first : first + 3], shares, strict=True):
            weights[step, places.index(point)] += share / 2
    return weights


def _tables(forms: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Places (F, P, 2) and weights (F, S, PIECES + 1, P) of all forms; those of few strokes draw some twice."""
    paths = [[_path(stroke) for stroke in form.split("/")] for form in forms]
    places = [sorted({point for path in form for point in path}) for form in paths]
    most, count = max(map(len, places)), max(map(len, paths))
    padded = torch.tensor([held + held[-1:] * (most - len(held)) for held in places])
    pairs = zip(paths, places, strict=True)
    weights = [
        torch.stack([_curve(path, held, most) for path in (form * count)[:count]])
        for form, held in pairs
    ]
    return padded, torch.stack(weights)


LABELS = torch.tensor([digit for digit, forms in FORMS.items() for _ in forms])
DIGITS, NO_DIGITS = _tables(sum(FORMS.values(), ())), _tables(LETTERS)


def _written(tables: tuple[Tensor, Tensor], which: Tensor, rng: Generator) -> Tensor:
    """Images, float32 (N, 1, 28, 28), of the forms `which` (N,), each in a hand of its own."""
    places, weights = (table[which].to(rng.device) for table in tables)
    places = places + uniform(places, rng, -LOOSE, LOOSE, tuple(places.shape[1:]))
    points = torch.einsum("nskp,npd->nskd", weights, places)  # (N, S, PIECES + 1, 2)
    wide, slant = uniform(points, rng, 0.5, 1.0, (1, 1)), uniform(points, rng, -0.1, 0.45, (1, 1))
    points = torch.stack([points[..., 0] * wide + (1 - points[..., 1]) * slant, points[..., 1]], -1)
    low, high = points.amin((1, 2), keepdim=True), points.amax((1, 2), keepdim=True)
    size = uniform(points, rng, 16, 18.5, (1, 1, 1)) / (high - low).amax(-1, keepdim=True)
    points = (points - (low + high) / 2) * size + 14
    pieces = torch.stack([points[:, :, :-1], points[:, :, 1:]], 3).flatten(
        1, 2
    )  # (N, S * PIECES, 2, 2)
    pen = 1.3 + 3.7 * uniform(points, rng, shape=(1,)) ** 1.5  # few felt pens, many ball pens
    return strokes(pieces, pen.expand(-1, pieces.shape[1]))


def drawn(count: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """`count` digits, float32 (count, 1, 28, 28), ink 1.0 on paper 0.0, and their labels (count,)."""
    which = torch.randint(len(LABELS), (count,), generator=rng, device=rng.device).cpu()
    return _written(DIGITS, which, rng), LABELS[which].to(rng.device)


def letters(like: Tensor, rng: Generator) -> Tensor:
    """As many letters as there are images (N, 1, 28, 28), and of their kind; no one takes them for a digit."""
    which = torch.randint(len(LETTERS), (len(like),), generator=rng, device=rng.device).cpu()
    return _written(NO_DIGITS, which, rng)
