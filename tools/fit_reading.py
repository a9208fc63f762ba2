"""Fits the few numbers that join the networks' opinions, on drawn pages of validation writers.

    python -m tools.fit_reading [--pages 600] [--data-dir ../shared/data/mnist] [--model NAME]

Prints the fitted Calibration, and writes it into the page network's file.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from qdigits.augment.synthetic_pages import Page as Drawn
from qdigits.augment.synthetic_pages import draw_page
from qdigits.data.loading import load_training
from qdigits.predictor import load_model
from qdigits.reading.calibration import FAINTEST, STEEPEST, Calibration, features
from qdigits.reading.detector import DIGITS, OTHER, Mark, find_marks
from qdigits.reading.page import understand
from qdigits.reading.page_net import bundled_page_net, write_card
from qdigits.reading.recognition import draw_tiles
from qdigits.training.page_data import supplies_from

ROOT = Path(__file__).resolve().parents[1]
SEED = 77_000_001  # no training draws its pages by this key
ASKED_PRECISION = 0.965  # share of the accepted numbers that are right
WELL_PLACED = 0.4  # intersection over union from which a mark is the drawn one


class Example(NamedTuple):
    """A candidate for a digit, and what was really drawn there."""

    mark: Mark
    opinion: np.ndarray
    truth: int  # 0 to 9, or -1: no digit


class Read(NamedTuple):
    """A page, the marks found on it, and its picture."""

    drawn: Drawn
    photo: np.ndarray
    marks: list[Mark]


def read_pages(count: int, digits: Any, net: Any) -> list[Read]:
    """Draw upright pages and find their marks."""
    supplies = supplies_from(digits, SEED)
    pages = []
    for number in range(count):
        drawn = draw_page(supplies, SEED, 0, 0, number, turned=0.0)
        marks, _ = find_marks(net, drawn.picture)
        pages.append(Read(drawn, cv2.cvtColor(drawn.picture, cv2.COLOR_GRAY2RGB), marks))
    return pages


def examples_of(page: Read, model: Any) -> list[Example]:
    """Pair every candidate of a page with its truth; where nothing is asked there is none."""
    calibration = Calibration()
    candidates = [mark for mark in page.marks if calibration.may_be_digit(mark)]
    candidates = [mark for mark in candidates if not _is_ignored(mark, page.drawn)]
    if not candidates:
        return []
    opinions = model.probabilities(draw_tiles(page.photo, candidates))
    return [
        Example(mark, opinion, true_class(mark, page.drawn))
        for mark, opinion in zip(candidates, opinions, strict=True)
    ]


def true_class(mark: Mark, drawn: Drawn) -> int:
    """Return the digit that was drawn where a mark was found, or -1."""
    overlaps = [_overlap(mark, truth.box) for truth in drawn.marks]
    if not overlaps or max(overlaps) < WELL_PLACED:
        return -1
    kind = drawn.marks[int(np.argmax(overlaps))].kind
    return kind if kind < len(DIGITS) else -1


def _overlap(mark: Any, box: Any) -> float:
    wide = min(mark.right, box.right) - max(mark.left, box.left)
    high = min(mark.bottom, box.bottom) - max(mark.top, box.top)
    shared = max(wide, 0) * max(high, 0)
    areas = [(one.right - one.left) * (one.bottom - one.top) for one in (mark, box)]
    return shared / max(sum(areas) - shared, 1e-6)


def _is_ignored(mark: Any, drawn: Drawn) -> bool:
    return any(_overlap(mark, box) > 0.2 for box in drawn.ignored)


def minimise(loss: Any, start: list[float], rounds: int = 60) -> list[float]:
    """Return the values at which a loss is least (L-BFGS)."""
    values = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([values], max_iter=rounds, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        result = loss(values)
        result.backward()
        return result

    optimiser.step(closure)
    return [round(value, 4) for value in values.tolist()]


def fit_digits(examples: list[Example]) -> Calibration:
    """Fit the mixture of both opinions, and whether a mark is a digit at all."""
    digits = [example for example in examples if example.truth >= 0]
    logits = torch.tensor(np.stack([e.mark.logits[: len(DIGITS)] for e in digits]))
    logits = logits.double().clamp(-STEEPEST, STEEPEST)
    opinions = torch.tensor(np.stack([e.opinion for e in digits])).double()
    truth = torch.tensor([e.truth for e in digits])

    def class_loss(weights: torch.Tensor) -> torch.Tensor:
        scores = weights[0] * logits + weights[1] * (opinions + FAINTEST).log()
        return torch.nn.functional.cross_entropy(scores, truth)

    page_weight, tile_weight = minimise(class_loss, [0.8, 0.8])
    rows = torch.tensor(np.stack([features(e.mark, e.opinion) for e in examples])).double()
    is_digit = torch.tensor([float(e.truth >= 0) for e in examples]).double()
    weights = fit_logistic(rows, is_digit)
    return Calibration(page_weight, tile_weight, tuple(weights))


def fit_logistic(rows: torch.Tensor, truth: torch.Tensor) -> list[float]:
    """Return bias and weights of a logistic regression."""

    def loss(values: torch.Tensor) -> torch.Tensor:
        logits = values[0] + rows @ values[1:]
        ridge = 1e-3 * values[1:].square().sum()
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth) + ridge

    return minimise(loss, [0.0, *[0.5] * rows.shape[1]])


def fit_keep(examples: list[Example], drawn_digits: int, calibration: Calibration) -> float:
    """Return the probability from which a digit is kept: the fewest missing and invented."""
    sums = np.array([calibration.digit_probabilities(e.mark, e.opinion).sum() for e in examples])
    real = np.array([e.truth >= 0 for e in examples])
    levels = np.linspace(0.1, 0.9, 81)
    wrong = [(real & (sums < level)).sum() + (~real & (sums >= level)).sum() for level in levels]
    print(f"found {real.sum()} of {drawn_digits} digits; at best {min(wrong)} of them wrong")
    return round(float(levels[int(np.argmin(wrong))]), 2)


class Judged(NamedTuple):
    """A number that was read, and whether all of it is right."""

    confidences: list[float]
    clean: bool
    right: bool


def judge_numbers(page: Read, model: Any, calibration: Calibration) -> list[Judged]:
    """Read a page and compare its numbers with what was drawn."""
    from qdigits.reading.page import touches

    found = understand(page.marks, model.probabilities, page.photo, calibration)
    judged = []
    for glyphs in (number for line in found.numbers for number in line):
        if any(_is_ignored(glyph, page.drawn) for glyph in glyphs):
            continue
        clean = not any(touches(mark, glyphs) for mark in [*found.unread, *found.faint])
        confidences = [glyph.confidence for glyph in glyphs]
        judged.append(Judged(confidences, clean, number_is_right(glyphs, page.drawn)))
    return judged


def number_is_right(glyphs: list[Any], drawn: Drawn) -> bool:
    """Say whether each mark of a number was drawn so, and none is missing inside or right beside."""
    matched = set()
    for glyph in glyphs:
        overlaps = [_overlap(glyph, truth.box) for truth in drawn.marks]
        if not overlaps:
            return False
        best = int(np.argmax(overlaps))
        sign = not glyph.character.isdigit()
        if overlaps[best] < (0.1 if sign else WELL_PLACED):
            return False
        if (
            "0123456789.,-/:"[drawn.marks[best].kind : drawn.marks[best].kind + 1]
            != glyph.character
        ):
            return False
        matched.add(best)
    others = [truth for place, truth in enumerate(drawn.marks) if place not in matched]
    height = np.median([glyph.bottom - glyph.top for glyph in glyphs])
    return not any(
        truth.kind < OTHER and _beside(truth.box, glyph, 0.35 * height)
        for truth in others
        for glyph in glyphs
    )


def _beside(box: Any, glyph: Any, reach: float) -> bool:
    apart = max(glyph.left - box.right, box.left - glyph.right)
    middle = (box.top + box.bottom) / 2
    return apart < reach and glyph.top < middle < glyph.bottom


def fit_numbers(judged: list[Judged], calibration: Calibration) -> Calibration:
    """Fit a number's confidence, and the threshold from which it is accepted."""
    plain = replace(calibration, number=(0.0, 1.0, 0.0))
    clean = [one for one in judged if one.clean]  # the others are never accepted
    product = [plain.number_confidence(one.confidences) for one in clean]
    least = [plain.number_confidence([min(one.confidences)]) for one in clean]
    rows = torch.logit(torch.tensor([product, least]).T.double(), eps=FAINTEST)
    right = torch.tensor([float(one.right) for one in clean]).double()
    fitted = replace(calibration, number=tuple(fit_logistic(rows, right)))
    confidence = np.array([fitted.number_confidence(one.confidences) for one in clean])
    is_right = np.array([one.right for one in clean])
    order = np.argsort(-confidence)
    precision = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= ASKED_PRECISION)
    last = int(enough[-1]) if len(enough) else 0
    print(f"numbers {len(judged)}, right {right.mean():.3f}; accepted {last + 1}")
    return replace(fitted, threshold=round(float(confidence[order[last]]), 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--data-dir", default=str(ROOT.parent / "shared" / "data" / "mnist"))
    parser.add_argument("--model", default="mnist_model.onnx")
    given = parser.parse_args()
    net, model = bundled_page_net(), load_model(given.model)
    _, held_out = load_training("mnist", given.data_dir)
    pages = read_pages(given.pages, held_out, net)
    examples = [example for page in pages for example in examples_of(page, model)]
    drawn = sum(mark.kind < len(DIGITS) for page in pages for mark in page.drawn.marks)
    calibration = fit_digits(examples)
    calibration = replace(calibration, keep=fit_keep(examples, drawn, calibration))
    judged = [one for page in pages for one in judge_numbers(page, model, calibration)]
    calibration = fit_numbers(judged, calibration)
    print(calibration)
    write_card(net.path, asdict(calibration))


if __name__ == "__main__":
    main()
