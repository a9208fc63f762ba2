"""Digits in forms that MNIST's American hands hardly write: the flagged 1, the crossed 7, the open 4, the hooked 9.

Each is a few strokes of a pen through points that move a little every time. To add one: a line in FORMS.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .canvas import strokes, uniform

PIECES = 10  # straight pieces of a stroke
LOOSE = 0.07  # how far a point may lie from its place, in heights of the digit


def _corner(x: float, y: float) -> list[tuple[float, float]]:
    """A curve that meets a point three times turns there sharply."""
    return [(x, y)] * 3


FOOT = [(0.2, 1.0), (0.9, 1.0)]
BAR = [(0.2, 0.52), (0.8, 0.47)]
FORMS: list[tuple[int, list[list[tuple[float, float]]]]] = [
    (1, [[(0.25, 0.3), *_corner(0.55, 0.0), (0.5, 1.0)]]),
    (1, [[(0.05, 0.5), *_corner(0.6, 0.0), (0.55, 1.0)]]),
    (1, [[(0.0, 0.75), *_corner(0.65, 0.0), (0.6, 1.0)]]),
    (1, [[(0.15, 0.35), *_corner(0.55, 0.0), (0.5, 1.0)], FOOT]),
    (1, [[(0.05, 0.45), (0.35, 0.35), *_corner(0.6, 0.0), (0.55, 1.0)]]),
    (7, [[(0.0, 0.08), *_corner(0.85, 0.03), (0.35, 1.0)], BAR]),
    (7, [[(0.0, 0.2), (0.15, 0.03), (0.4, 0.1), *_corner(0.85, 0.03), (0.5, 0.5), (0.4, 1.0)], BAR]),
    (7, [[(0.05, 0.25), *_corner(0.08, 0.03), *_corner(0.85, 0.03), (0.4, 1.0)]]),
    (4, [[(0.45, 0.0), *_corner(0.05, 0.6), *_corner(0.8, 0.5), (0.6, 1.0)]]),
    (4, [[(0.4, 0.0), *_corner(0.05, 0.6), (0.9, 0.58)], [(0.65, 0.3), (0.6, 1.0)]]),
    (4, [[(0.3, 0.0), (0.1, 0.4), (0.25, 0.6), (0.75, 0.45), *_corner(0.8, 0.05), (0.7, 1.0)]]),
    (9, [[(0.7, 0.2), (0.45, -0.05), (0.1, 0.2), (0.35, 0.5), *_corner(0.75, 0.2),
          (0.85, 0.75), (0.5, 1.1), (0.1, 0.9)]]),
    (9, [[(0.6, 0.1), (0.3, -0.1), (0.05, 0.25), (0.5, 0.5), *_corner(0.65, 0.1),
          (0.75, 0.8), (0.45, 1.1), (0.0, 0.95)]]),
    (9, [[(0.6, 0.15), (0.35, -0.05), (0.1, 0.2), (0.4, 0.45), *_corner(0.7, 0.1),
          (0.8, 0.8), (0.45, 1.1), (-0.1, 1.0), (0.0, 0.75)]]),
    (2, [[(0.1, 0.25), (0.4, -0.1), (0.85, 0.2), (0.4, 0.75), (0.0, 1.05), (0.1, 0.75), (0.5, 0.9), (0.95, 1.0)]]),
    (3, [[(0.1, 0.05), *_corner(0.8, 0.05), *_corner(0.4, 0.4), (0.9, 0.5), (0.75, 1.05), (0.05, 0.9)]]),
    (5, [[(0.9, 0.03), *_corner(0.3, 0.05), *_corner(0.2, 0.45), (0.75, 0.35), (0.85, 0.85), (0.4, 1.1), (0.0, 0.9)]]),
]  # fmt: skip


def _curve(path: list[tuple[float, float]], places: list[tuple[float, float]], most: int) -> Tensor:
    """Weights (PIECES + 1, most) that turn places into points on the quadratic B-spline through a path of them."""
    path = [path[0], *path, path[-1]]  # so that it starts and ends on the path's ends
    at = torch.linspace(0, len(path) - 2 - 1e-3, PIECES + 1)
    weights = torch.zeros(PIECES + 1, most)
    for step, (first, t) in enumerate(zip(at.long().tolist(), (at % 1).tolist(), strict=True)):
        for point, share in zip(path[first : first + 3], ((1 - t) ** 2, 1 + 2 * t - 2 * t * t, t * t), strict=True):
            weights[step, places.index(point)] += share / 2
    return weights


def _tables() -> tuple[Tensor, Tensor, Tensor]:
    """Labels (F,), places (F, P, 2) and weights (F, 2, PIECES + 1, P) of all forms; a lone stroke is drawn twice."""
    places = [sorted({point for path in paths for point in path}) for _, paths in FORMS]
    most = max(map(len, places))
    padded = torch.tensor([held + held[-1:] * (most - len(held)) for held in places])
    weights = [
        torch.stack([_curve(path, held, most) for path in (paths * 2)[:2]])
        for (_, paths), held in zip(FORMS, places, strict=True)
    ]
    return torch.tensor([label for label, _ in FORMS]), padded, torch.stack(weights)


LABELS, PLACES, WEIGHTS = _tables()


def drawn(count: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """`count` digits, float32 (count, 1, 28, 28), ink 1.0 on paper 0.0, and their labels (count,)."""
    which = torch.randint(len(FORMS), (count,), generator=rng, device=rng.device).cpu()
    places, weights = PLACES[which].to(rng.device), WEIGHTS[which].to(rng.device)
    places = places + uniform(places, rng, -LOOSE, LOOSE, tuple(places.shape[1:]))
    points = torch.einsum("nskp,npd->nskd", weights, places)  # (N, 2, PIECES + 1, 2)
    wide, slant = uniform(points, rng, 0.5, 0.9, (1, 1)), uniform(points, rng, -0.1, 0.4, (1, 1))
    points = torch.stack([points[..., 0] * wide + (1 - points[..., 1]) * slant, points[..., 1]], -1)
    low, high = points.amin((1, 2), keepdim=True), points.amax((1, 2), keepdim=True)
    size = uniform(points, rng, 16, 18.5, (1, 1, 1)) / (high - low).amax(-1, keepdim=True)
    points = (points - (low + high) / 2) * size + 14
    pieces = torch.stack([points[:, :, :-1], points[:, :, 1:]], 3).flatten(1, 2)  # (N, 2 * PIECES, 2, 2)
    pen = uniform(points, rng, 1.3, 3.5, (1,)).expand(-1, pieces.shape[1])
    return strokes(pieces, pen), LABELS[which].to(rng.device)
