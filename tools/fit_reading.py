"""Fits the judge of the page reader, on drawn pages of validation writers.

    python -m tools.fit_reading [--numbers] [--pages 1167] [--data-dir ../shared/data/mnist]

The first 467 pages teach it to tell marks apart; the others say how sure it may be of a number.
Writes what it learned into the page network's .onnx file and its .pth file. With --numbers, only
the confidence of numbers is fitted, and the rest of the judge stays.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from qdigits.augment.pages.marks import CLASSES, OTHER, Box
from qdigits.augment.synthetic_pages import Page as Drawn
from qdigits.augment.synthetic_pages import draw_page
from qdigits.data.loading import load_training
from qdigits.imaging.decode import Photo
from qdigits.models.checkpoint import load_page_net, save_model
from qdigits.models.export import export
from qdigits.models.onnx_page_net import OnnxPageNet
from qdigits.predictor import Model, candidate_tiles, load_model, most_confident
from qdigits.reading.detector import Mark, find_marks
from qdigits.reading.judge import LAYERS, NOTHING, OUTCOMES, Judge, Layer, describe_marks
from qdigits.reading.page import Glyph, ask, features_of, find_touching, tell_apart, understand
from qdigits.reading.place import place_photo
from qdigits.reading.result import Prediction
from qdigits.reading.single import SIDE, compare
from qdigits.training.page_data import supplies_from
from qdigits.training.typical_inputs import typical_inputs

ROOT = Path(__file__).resolve().parents[1]
SEED = 77_000_001
"""No training draws its pages by this key."""
SIDES = (256, 512, 768)
"""Pixels of the pages, in turn."""
TAUGHT = 467
"""Pages that teach to tell marks apart."""
HIDDEN = 48
"""Hidden units of the judge."""
WELL_PLACED = 0.4
"""Intersection over union from which a mark is the drawn one."""
PLACED_SIGN = 0.1
"""The same for signs, whose boxes are tiny."""
SINGLES = 2800
"""Pictures of one digit, or of an empty place."""
EMPTY = 0.25
"""Share of the single pictures that show an empty place."""
SMALLEST_SINGLE = 14
"""Pixels of a mark's height from which it is cut out."""
RIGHT_NUMBERS = 0.89
"""Share of the accepted numbers that are right; people's pages are far easier than drawn ones."""
RIGHT_SINGLES = 0.9
"""The same for pictures of one digit."""


class Seen(NamedTuple):
    """A drawn page and what the two networks say about its marks."""

    drawn: Drawn
    photo: np.ndarray
    marks: list[Mark]
    features: np.ndarray
    truth: np.ndarray
    """Of each mark its outcome; -1 where nothing is asked."""


class Single(NamedTuple):
    """A picture of one digit or of something else, cut out of a drawn page, and what is seen."""

    photo: np.ndarray
    marks: list[Mark]
    whole: Prediction
    digit: int | None


def look_at_pages(wanted: range, digits: Any, net: OnnxPageNet, model: Model) -> list[Seen]:
    """Draw upright pages, find their marks and ask about them.

    Args:
        wanted: Which pages: the last number of their keys.
        digits: What is written on them.
        net: Finds the marks.
        model: Says which digits they are.
    """
    supplies = supplies_from(digits, SEED)
    pages = []
    for number in wanted:
        side = SIDES[number % len(SIDES)]
        drawn = draw_page(supplies, SEED, 0, 0, number, turned=0.0, side=side)
        photo = cv2.cvtColor(drawn.picture, cv2.COLOR_GRAY2RGB)
        marks, _ = find_marks(net, drawn.picture)
        if marks:
            opinions = ask(marks, model.probabilities, photo).opinions
            truth = np.array([true_outcome(mark, drawn) for mark in marks])
            pages.append(
                Seen(drawn, photo, marks, describe_marks(marks, opinions, photo.shape), truth)
            )
    return pages


def look_at_singles(count: int, digits: Any, net: OnnxPageNet, model: Model) -> list[Single]:
    """Cut single digits, letters and empty places out of drawn pages, and look at each."""
    supplies = supplies_from(digits, SEED + 1)
    singles = []
    for number in range(count):
        drawn = draw_page(supplies, SEED + 1, 0, 0, number, turned=0.0)
        rng = np.random.default_rng((SEED, number))
        cut = cut_single(rng, drawn)
        if cut is not None:
            photo, digit = cut
            marks, _ = find_marks(net, cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), enlarged_side=SIDE)
            options = candidate_tiles(Photo(photo, 1.0))
            rows = model.probabilities(np.stack([option.tile for option in options]))
            singles.append(Single(photo, marks, most_confident(model, rows, options), digit))
    return singles


def cut_single(rng: np.random.Generator, drawn: Drawn) -> tuple[np.ndarray, int | None] | None:
    """Cut one mark or an empty place out of a page; None where it is too small to be told."""
    marks = [mark for mark in drawn.marks if mark.kind < 10 or mark.kind == OTHER]
    is_empty = not marks or rng.random() < EMPTY
    if is_empty:
        width = height = float(rng.uniform(24, 80))
        left, top = rng.uniform(0, drawn.picture.shape[0] - height, 2)
    else:
        mark = marks[rng.integers(len(marks))]
        left, top = mark.box.left, mark.box.top
        width, height = mark.box.width, mark.box.height
    if height < SMALLEST_SINGLE:
        return None
    room = rng.uniform(0.1, 0.9, 4) * height
    rows = slice(max(int(top - room[0]), 0), int(top + height + room[1]))
    columns = slice(max(int(left - room[2]), 0), int(left + width + room[3]))
    photo = np.ascontiguousarray(cv2.cvtColor(drawn.picture[rows, columns], cv2.COLOR_GRAY2RGB))
    if not is_empty:
        return photo, mark.kind if mark.kind < 10 else None
    inside = Box(left - room[2], top - room[0], left + width + room[3], top + height + room[1])
    is_inked = any(overlap_share(truth.box, inside) > 0.3 for truth in drawn.marks)
    return None if is_inked else (photo, None)


def overlap_share(box: Any, region: Any) -> float:
    """Return which part of a box lies in a region."""
    wide = min(box.right, region.right) - max(box.left, region.left)
    high = min(box.bottom, region.bottom) - max(box.top, region.top)
    return max(wide, 0) * max(high, 0) / max(box.width * box.height, 1e-6)


def true_outcome(mark: Mark, drawn: Drawn) -> int:
    """Return what was drawn where a mark was found: a place in CLASSES, NOTHING, or -1."""
    if any(overlap(mark, box) > 0.2 for box in drawn.ignored):
        return -1
    place = drawn_place(mark, drawn)
    if place >= 0:
        return drawn.marks[place].kind
    return OTHER if any(overlap(mark, box) > 0.2 for box in drawn.vague) else NOTHING


def drawn_place(mark: Mark, drawn: Drawn) -> int:
    """Return which of the drawn marks was found, or -1."""
    shares = [overlap(mark, truth.box) for truth in drawn.marks]
    best = int(np.argmax(shares)) if shares else -1
    well_placed = best >= 0 and shares[best] >= least_overlap(drawn.marks[best].kind)
    return best if well_placed else -1


def least_overlap(kind: int) -> float:
    """Return the overlap from which a mark of a kind is well placed."""
    return PLACED_SIGN if 10 <= kind < OTHER else WELL_PLACED


def overlap(mark: Any, box: Any) -> float:
    """Return intersection over union."""
    wide = min(mark.right, box.right) - max(mark.left, box.left)
    high = min(mark.bottom, box.bottom) - max(mark.top, box.top)
    shared = max(wide, 0) * max(high, 0)
    areas = [(one.right - one.left) * (one.bottom - one.top) for one in (mark, box)]
    return shared / max(sum(areas) - shared, 1e-6)


def fit_marks(pages: list[Seen], epochs: int = 60) -> list[Layer]:
    """Train the network that tells marks apart."""
    features = torch.from_numpy(np.concatenate([page.features for page in pages]))
    truth = torch.from_numpy(np.concatenate([page.truth for page in pages]))
    features, truth = features[truth >= 0], truth[truth >= 0]
    torch.manual_seed(SEED)
    network = nn.Sequential(
        nn.Linear(features.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, OUTCOMES)
    )
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=0.05)
    steps = epochs * (len(features) // 256 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(features), (256,))
        loss = nn.functional.cross_entropy(network(features[batch]), truth[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return [_layer(network[0]), _layer(network[2])]


def _layer(linear: nn.Module) -> Layer:
    assert isinstance(linear, nn.Linear)
    weight = linear.weight.detach().numpy().T
    return Layer(weight, linear.bias.detach().numpy())


class Judged(NamedTuple):
    """A number that was read, and whether all of it is right."""

    features: np.ndarray
    clean: bool
    right: bool


def judge_numbers(page: Seen, model: Model, judge: Judge) -> list[Judged]:
    """Read a page and compare its numbers with what was drawn."""
    found = understand(page.marks, model.probabilities, page.photo, judge)
    numbers = [number for line in found.numbers for number in line]
    places = [[drawn_place(glyph.mark, page.drawn) for glyph in number] for number in numbers]
    read = {place for number in places for place in number}
    missing = [
        truth
        for place, truth in enumerate(page.drawn.marks)
        if place not in read and truth.kind < OTHER
    ]
    judged = []
    for glyphs, own in zip(numbers, places, strict=True):
        if any(true_outcome(glyph.mark, page.drawn) < 0 for glyph in glyphs):
            continue
        clean = not find_touching(found.unread, glyphs)
        right = [
            place >= 0 and CLASSES[page.drawn.marks[place].kind] == glyph.character
            for place, glyph in zip(own, glyphs, strict=True)
        ]
        whole = not any(is_beside(truth.box, glyphs) for truth in missing)
        judged.append(Judged(features_of(glyphs, found), clean, all(right) and whole))
    return judged


def is_beside(box: Any, glyphs: list[Glyph]) -> bool:
    """Say whether a digit or sign that was not read stands inside or right beside a number."""
    height = float(np.median([glyph.bottom - glyph.top for glyph in glyphs]))
    middle = (box.top + box.bottom) / 2
    return any(
        max(glyph.left - box.right, box.left - glyph.right) < 0.35 * height
        and glyph.top < middle < glyph.bottom
        for glyph in glyphs
    )


def fit_logistic(features: np.ndarray, right: np.ndarray) -> Layer:
    """Fit a logistic regression: (N, features) to (N,) of right answers."""
    inputs = torch.from_numpy(features).double()
    truth = torch.from_numpy(right).double()
    values = torch.zeros(inputs.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([values], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = values[0] + inputs @ values[1:]
        result = nn.functional.binary_cross_entropy_with_logits(logits, truth)
        result = result + 1e-3 * values[1:].square().sum()
        result.backward()
        return result

    optimizer.step(loss)
    fitted = values.detach().numpy()
    return Layer(fitted[1:, None], fitted[:1])


def fit_threshold(confidence: np.ndarray, right: np.ndarray, share: float) -> float:
    """Return the lowest confidence from which at least a share of the answers is right."""
    order = np.argsort(-confidence)
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= share)
    last = int(enough[-1]) if len(enough) else 0
    threshold = round(float(confidence[order[last]]), 4)
    print(f"{right.mean():.1%} of {len(right)} right; {last + 1} accepted from {threshold}")
    return threshold


def fit_all(taught: list[Seen], checked: list[Seen], singles: list[Single], model: Model) -> Judge:
    """Fit everything."""
    hidden, outcome = fit_marks(taught)
    unfitted = Layer(np.zeros((4, 1)), np.zeros(1))
    judge = Judge(hidden, outcome, unfitted, 0.5, unfitted, 0.5)
    return fit_singles(singles, model, fit_numbers(checked, model, judge))


def fit_numbers(pages: list[Seen], model: Model, judge: Judge) -> Judge:
    """Fit the confidence of numbers, on those that no unread ink touches."""
    judged = [one for page in pages for one in judge_numbers(page, model, judge)]
    clean = [one for one in judged if one.clean]
    print(f"{len(judged)} numbers read, {len(clean)} of them beside no unread ink")
    features = np.stack([one.features for one in clean])
    right = np.array([one.right for one in clean])
    judge = replace(judge, number=fit_logistic(features, right))
    confidence = np.array([judge.number_confidence(row) for row in features])
    return replace(judge, threshold=fit_threshold(confidence, right, RIGHT_NUMBERS))


def fit_singles(singles: list[Single], model: Model, judge: Judge) -> Judge:
    """Fit the confidence of single digits."""
    answers = []
    features = []
    for one in singles:
        told = tell_apart(one.marks, model.probabilities, one.photo, judge)
        compared = compare(told, one.whole, place_photo(one.photo, 1.0).place)
        answers.append(compared.answer.digit == one.digit and one.digit is not None)
        features.append(compared.features)
    right = np.array(answers)
    judge = replace(judge, single=fit_logistic(np.stack(features), right))
    confidence = np.array([judge.single_confidence(row) for row in features])
    return replace(judge, single_threshold=fit_threshold(confidence, right, RIGHT_SINGLES))


def as_card(judge: Judge) -> dict[str, Any]:
    """Return a judge as the card of a model file keeps it."""
    kept = asdict(judge)
    for name in LAYERS:
        kept[name] = [np.asarray(part, float).round(4).tolist() for part in kept[name]]
    return kept


def write(judge: Judge, path: Path) -> None:
    """Write a judge into the card of a page network's .pth file, and export its .onnx twin."""
    network = load_page_net(path)
    save_model(network, path, network.card | {"reading": as_card(judge)})
    export_twin(path)


def export_twin(path: Path) -> Path:
    """Export a page network as it ships, with its convolutions in integers."""
    network = load_page_net(path)
    twin = path.with_suffix(".onnx")
    export(network, twin, typical_inputs(network))
    return twin


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=1167)
    parser.add_argument("--numbers", action="store_true", help="fit the confidence of numbers only")
    parser.add_argument("--data-dir", default=str(ROOT.parent / "shared" / "data" / "mnist"))
    parser.add_argument("--page-net", type=Path, default=ROOT / "weights" / "page_net.pth")
    given = parser.parse_args()
    model = load_model("mnist_model.onnx")
    _, held_out = load_training("mnist", given.data_dir)
    net = OnnxPageNet(export_twin(given.page_net))
    checked = look_at_pages(range(TAUGHT, given.pages), held_out, net, model)
    if given.numbers:
        judge = fit_numbers(checked, model, Judge.of(net.card))
    else:
        taught = look_at_pages(range(TAUGHT), held_out, net, model)
        singles = look_at_singles(SINGLES, held_out, net, model)
        judge = fit_all(taught, checked, singles, model)
    write(judge, given.page_net)


if __name__ == "__main__":
    main()
