"""Measure digits from elsewhere, and things that are no digits, asked as a user would.

    python -m bench.accuracy.external_sets [--model mnist_model.onnx] [--data-dir FOLDER]
    python -m bench.accuracy.external_sets --quick    a sample of each set, nothing written
    python -m bench.accuracy.external_sets --check    a sample; exit 1 if a figure has fallen

Writes a table of docs/results.md, and docs/real.json. The data are not ours to publish, only the
figures are. The folder holds mnist/ (the official files) and dev/ (docs/results.md says what).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from bench.support import DATA_DIR
from qdigits import load_model, predict, predict_many, read
from qdigits.data.loading import load_test
from qdigits.evaluation.metrics import auroc, calibration_error, edit_distance
from tools.markers import RESULTS, fill
from tools.recipe_results import ROOT, describe_commit
from tools.result_table import HEAD, Line, find_fallen, share

KEPT = ROOT / "docs" / "real.json"
ALL = 10**9  # pictures of a set
QUICK_SAMPLE = 250
CHECK_SAMPLE = 120  # all of them take ten minutes
MOST_SHEETS = 2_000  # the page network looks at each: 50 ms
PASTED = "mnist on a shaded sheet, "
SINGLE = ("usps", "semeion", "optdigits32", "swiss16", "hwd1000", "paint28", "phone_single")
TARGETS = {
    "mnist": 0.9965,
    "usps": 0.995,
    "semeion": 0.96,
    "optdigits32": 0.99,
    "swiss16": 0.95,
    "hwd1000": 0.999,
    "paint28": 85 / 86,
    "phone_single": 1.0,
    "mnist_c, mean": 0.96,
}
WITHOUT_STROKES = ("blank", "noise", "lines")  # kinds of ood_synth


class DigitSet(NamedTuple):
    """Pictures of single digits, and what they show."""

    name: str
    pictures: Iterable[Any]
    digits: np.ndarray  # (n,)


class Answers(NamedTuple):
    """What the model answered to a set."""

    confidence: np.ndarray  # (n,)
    right: np.ndarray  # (n,)
    accepted: np.ndarray  # (n,)


def paste_on_sheet(tile: np.ndarray, seed: int, dark: bool) -> np.ndarray:
    """Paste a tile anywhere on a sheet of 400x300 whose light falls to a half.

    Args:
        tile: White ink on black, uint8 (28, 28).
        seed: Draws the place and the direction of the light.
        dark: Whether the sheet is dark and the ink light.

    Returns:
        The sheet, uint8 (300, 400).
    """
    rng = np.random.default_rng(seed)
    sheet = np.zeros((300, 400), np.float32)
    top = rng.integers(0, 300 - 28)
    left = rng.integers(0, 400 - 28)
    sheet[top : top + 28, left : left + 28] = tile / 255
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-1:1:300j, -1:1:400j]
    slope = rows * np.sin(angle) + columns * np.cos(angle)
    light = 0.75 + 0.25 * slope / np.abs(slope).max()
    paper = (1 - sheet) * light
    return np.rint(255 * (1 - paper if dark else paper)).astype(np.uint8)


def take_sample(values: np.ndarray, count: int) -> np.ndarray:
    """Return at most so many values, evenly spread."""
    return values[:: max(-(-len(values) // count), 1)]


def read_labels(folder: Path) -> list[tuple[Path, str]]:
    """Return the pictures and labels of a folder's labels.csv."""
    with open(folder / "labels.csv", newline="") as file:
        return [(folder / row["file"], row["label"]) for row in csv.DictReader(file)]


def list_digit_sets(data: Path, count: int) -> Iterator[DigitSet]:
    """Yield every labelled set as a user would hand it over, with at most so many pictures."""
    mnist = load_test("mnist", data / "mnist")
    tiles = take_sample(mnist.images.numpy(), count)
    digits = take_sample(mnist.labels.numpy(), count)
    yield DigitSet("mnist", tiles, digits)
    yield DigitSet("mnist, black on white", 255 - tiles, digits)
    for dark, colours in ((False, "black on white"), (True, "white on black")):
        sheets = (
            paste_on_sheet(tile, seed, dark)
            for seed, tile in enumerate(take_sample(tiles, MOST_SHEETS))
        )
        yield DigitSet(PASTED + colours, sheets, take_sample(digits, MOST_SHEETS))
    for name in SINGLE:
        if name == "phone_single":
            photos = read_labels(data / "dev" / name)
            labels = np.array([int(label) for _, label in photos])
            yield DigitSet(name, [path for path, _ in photos], labels)
        else:
            arrays = np.load(data / "dev" / f"{name}.npz")
            pictures = take_sample(arrays["x"], count)
            yield DigitSet(name, pictures, take_sample(arrays["y"], count))
    arrays = np.load(data / "dev" / "mnist_c.npz")
    for name in sorted(set(arrays.files) - {"y"}):
        pictures = take_sample(arrays[name], count)
        yield DigitSet(f"mnist_c {name}", pictures, take_sample(arrays["y"], count))


class Measurement:
    """Asks a model about every set, and keeps the lines of the table."""

    def __init__(self, model: Any, data: Path, count: int, report: Callable[[Line], None]) -> None:
        """Begin with no line.

        Args:
            model: What is asked.
            data: The folder that holds mnist/ and dev/.
            count: How many pictures of each set.
            report: Called with each line at once.
        """
        self.model = model
        self.data = data
        self.count = count
        self.report = report
        self.lines: list[Line] = []
        self.answers: dict[str, Answers] = {}

    def add(self, line: Line) -> None:
        """Keep a line and report it."""
        self.lines.append(line)
        self.report(line)

    def measure_all(self) -> list[Line]:
        """Return every line of the table but the times."""
        self.measure_digits()
        self.measure_pages()
        self.measure_calibration()
        self.measure_refusals()
        return self.lines

    def measure_digits(self) -> None:
        """Count the right digits of every labelled set."""
        for name, pictures, digits in list_digit_sets(self.data, self.count):
            predictions = predict_many(self.model, pictures)
            answered = np.array([-1 if one.digit is None else one.digit for one in predictions])
            self.answers[name] = Answers(
                confidence=np.array([one.confidence for one in predictions]),
                right=answered == digits,
                accepted=np.array([one.accepted for one in predictions]),
            )
            target = TARGETS.get(name)
            if name.startswith(PASTED):
                target = self.lines[0].figure - 0.001
            self.add(share(name, self.answers[name].right, target))
        corrupted = [line.figure for line in self.lines if line.name.startswith("mnist_c ")]
        name = "mnist_c, mean"
        self.add(Line(name, float(np.mean(corrupted)), TARGETS[name]))

    def measure_pages(self) -> None:
        """Count the edits between the labels of photographed pages and what was read."""
        edits = []
        digits = 0
        for path, label in read_labels(self.data / "dev" / "multi_photos"):
            text = read(self.model, path).text.replace(" ", "").replace("\n", "/")
            edits.append(edit_distance(label, text))
            digits += len(label.replace("/", ""))
        self.add(share("multi_photos, every row right", np.array(edits) == 0, 0.9))
        name = "multi_photos, digits wrong, missing or invented"
        self.add(Line(name, sum(edits) / digits, 0.02, sum(edits), digits, less_is_better=True))

    def pool_single_sets(self) -> Answers:
        """Return the answers to all sets of single digits but MNIST's."""
        answers = [self.answers[name] for name in SINGLE]
        return Answers(*(np.concatenate(columns) for columns in zip(*answers, strict=True)))

    def measure_calibration(self) -> None:
        """Compare the confidence with the share of right answers."""
        mnist = self.answers["mnist"]
        pooled = self.pool_single_sets()
        error = calibration_error(mnist.confidence, mnist.right)
        self.add(Line("calibration error, mnist", error, 0.003, less_is_better=True))
        error = calibration_error(pooled.confidence, pooled.right)
        name = "calibration error, single-digit sets pooled"
        self.add(Line(name, error, 0.015, less_is_better=True))
        self.add(share("accepted: mnist", mnist.accepted, 0.99))
        self.add(share("of these right", mnist.right[mnist.accepted]))
        self.add(share("accepted: single-digit sets pooled", pooled.accepted))
        self.add(share("of these right", pooled.right[pooled.accepted]))

    def measure_refusals(self) -> None:
        """Count what is accepted of pictures that show no digit."""
        accepted = {}
        for name, target in (("ood_omniglot", 0.98), ("ood_synth", 0.998)):
            pictures = take_sample(np.load(self.data / "dev" / f"{name}.npz")["x"], self.count)
            predictions = predict_many(self.model, pictures)
            accepted[name] = np.array([one.accepted for one in predictions])
            confidence = np.array([one.confidence for one in predictions])
            area = auroc(self.answers["mnist"].confidence, confidence)
            self.add(Line(f"digits told from {name} (AUROC)", area, target, unit=""))
        self.add(share("accepted: ood_omniglot", accepted["ood_omniglot"], 0.05, True))
        kinds = take_sample(np.load(self.data / "dev" / "ood_synth.npz")["kind"], self.count)
        is_empty = np.array([any(word in kind for word in WITHOUT_STROKES) for kind in kinds])
        empty = accepted["ood_synth"][is_empty]
        self.add(share("accepted: blank, noise and lines", empty, 0.005, True))


def draw_page(data: Path) -> bytes:
    """Return a page of 50 digits as a JPEG of 12 megapixels."""
    tiles = load_test("mnist", data / "mnist").images.numpy()[:50].reshape(5, 10, 28, 28)
    page = np.pad(tiles.transpose(0, 2, 1, 3).reshape(140, 280), ((36, 34), (0, 0)))
    page = cv2.resize(220 - page // 2, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    file = io.BytesIO()
    Image.fromarray(page).save(file, "JPEG")
    return file.getvalue()


def measure_median(repeats: int, work: Callable[[], Any]) -> float:
    """Return the median seconds of some work, the first time left out."""
    clock = []
    for _ in range(repeats):
        work()
        clock.append(time.perf_counter())
    return float(np.median(np.diff(clock)))


def measure_times(model: Any, data: Path) -> list[Line]:
    """Return the times of a photographed page, as a file in memory, and of a single tile."""
    page = draw_page(data)
    tile = load_test("mnist", data / "mnist").images.numpy()[0]
    seconds = measure_median(8, lambda: read(model, page))
    milliseconds = 1e3 * measure_median(300, lambda: predict(model, tile))
    name = "12-megapixel photograph of a page, read"
    return [
        Line(name, seconds, 0.4, less_is_better=True, unit="s"),
        Line("a 28x28 tile, end to end", milliseconds, 1.5, less_is_better=True, unit="ms"),
    ]


def check_sample(model: Any, data: Path) -> int:
    """Measure a sample of each set, and return 1 if a figure fell by more than its noise."""
    before = [Line(**line) for line in json.loads(KEPT.read_text())["lines"]]
    now = Measurement(model, data, CHECK_SAMPLE, lambda line: None).measure_all()
    fallen = find_fallen(before, now)
    print("\n".join(fallen) or f"no figure of {len(now)} has fallen")
    return int(bool(fallen))


def describe_model(name: str, model: Any) -> str:
    """Return which model was measured, where, and with what."""
    return (
        f"{name} (trained at {model.card.get('commit')}), commit {describe_commit()},\n"
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {np.__version__},\nOpenCV {cv2.__version__}, Pillow {Image.__version__}."
    )


def main() -> int:
    """Measure, print the table, and keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--model", default="mnist_model.onnx")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR)
    options = parser.parse_args()
    model = load_model(options.model)
    if options.check:
        return check_sample(model, options.data_dir)
    print(HEAD)
    count = QUICK_SAMPLE if options.quick else ALL
    lines = Measurement(model, options.data_dir, count, print).measure_all()
    times = measure_times(model, options.data_dir)
    print(*times, sep="\n")
    if not options.quick:
        lines += times
        machine = describe_model(options.model, model)
        table = "\n".join([HEAD, *map(str, lines)])
        fill(RESULTS, **{"real": table, "real-machine": machine})
        kept = {"where": machine, "lines": [asdict(line) for line in lines]}
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
