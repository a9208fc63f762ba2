"""Digits from other hands, cameras and pens, and things that are no digits: asked as a user would, in one table.

    python -m bench.accuracy.external_sets [--quick] [--model mnist_model.pth] [--data-dir ../shared/data]

Writes a table of docs/results.md, and docs/real.json (--quick: a sample, to stdout alone). The data
are not ours to publish, only the figures are. --data-dir holds mnist/ (the official files) and dev/
(docs/results.md says what lies there).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from qdigits import load_model, predict, predict_many, read  # noqa: E402
from qdigits.data.loading import load_test  # noqa: E402
from qdigits.evaluation.metrics import (  # noqa: E402
    Rate,
    auroc,
    calibration_error,
    edit_distance,
)
from tools.markers import RESULTS, fill  # noqa: E402

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
NOTHING = ("blank", "noise", "lines")


@dataclass(frozen=True)
class Line:
    """One row of the table: a figure, what it was counted from, and what it should be."""

    name: str
    figure: float
    target: float | None = None
    right: int | None = None
    count: int | None = None
    less_is_better: bool = False
    unit: str = "%"

    @property
    def met(self) -> bool:
        by = self.figure - (self.target or 0)
        return self.target is None or (-by if self.less_is_better else by) >= -1e-9

    def noise(self, count: int) -> float:
        """Three standard errors of such a share over so many pictures, and one picture more."""
        share = (min(max(self.figure, 0.0), 1.0) * count + 1) / (count + 2)
        return 3 * math.sqrt(share * (1 - share) / count) + 1 / count

    def __str__(self) -> str:
        def show(value: float) -> str:
            if self.unit == "%":
                return f"{value:.2%}"
            return f"{value:.2f} {self.unit}" if self.unit else f"{value:.4f}"

        spread = counted = ""
        if self.right is not None and self.count:
            spread = "{:.2%} to {:.2%}".format(*Rate(self.right, self.count).interval)
            counted = f"{self.right:,} of {self.count:,}"
        wanted = (
            ""
            if self.target is None
            else ("at most " if self.less_is_better else "at least ") + show(self.target)
        )
        met = "" if self.target is None else "yes" if self.met else "**no**"
        return f"| {self.name} | {show(self.figure)} | {counted} | {spread} | {wanted} | {met} |"


def share(name: str, right: Any, target: float | None = None, less_is_better: bool = False) -> Line:
    right = np.asarray(right, bool)
    return Line(name, float(right.mean()), target, int(right.sum()), len(right), less_is_better)


def on_a_sheet(tile: np.ndarray, seed: int, dark: bool) -> np.ndarray:
    """The digit somewhere on a 400x300 sheet under uneven light: one corner gets half the light of another."""
    rng = np.random.default_rng(seed)
    sheet = np.zeros((300, 400), np.float32)
    y, x = rng.integers(0, 300 - 28), rng.integers(0, 400 - 28)
    sheet[y : y + 28, x : x + 28] = tile / 255
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-1:1:300j, -1:1:400j]
    slope = rows * np.sin(angle) + columns * np.cos(angle)
    light = 0.75 + 0.25 * slope / np.abs(slope).max()
    return np.rint(255 * (1 - (1 - sheet) * light if dark else (1 - sheet) * light)).astype(
        np.uint8
    )


def digit_sets(data: Path, most: int) -> Iterator[tuple[str, Iterator[Any], np.ndarray]]:
    """Every labelled set as a user would hand it over: name, pictures, digits."""
    mnist = load_test("mnist", data / "mnist")
    tiles, digits = thin(mnist.images.numpy(), most), thin(mnist.labels.numpy(), most)
    yield "mnist", iter(tiles), digits
    yield "mnist, black on white", (255 - tile for tile in tiles), digits
    for dark in (False, True):
        name = PASTED + ("white on black" if dark else "black on white")
        yield name, (on_a_sheet(tile, i, dark) for i, tile in enumerate(tiles)), digits
    for name in SINGLE[:-1]:
        held = np.load(data / "dev" / f"{name}.npz")
        yield name, iter(thin(held["x"], most)), thin(held["y"], most)
    photos = labels_of(data / "dev" / "phone_single")
    yield (
        "phone_single",
        (path for path, _ in photos),
        np.array([int(label) for _, label in photos]),
    )
    held = np.load(data / "dev" / "mnist_c.npz")
    for name in sorted(set(held.files) - {"y"}):
        yield f"mnist_c {name}", iter(thin(held[name], most)), thin(held["y"], most)


def labels_of(folder: Path) -> list[tuple[Path, str]]:
    with open(folder / "labels.csv", newline="") as file:
        return [(folder / row["file"], row["label"]) for row in csv.DictReader(file)]


def thin(values: np.ndarray, most: int) -> np.ndarray:
    return values[:: max(-(-len(values) // most), 1)]


def measure(
    model: Any, data: Path, most: int = 10**9, say: Callable[[str], None] = print
) -> list[Line]:
    """Every line of the table but the times."""
    lines: list[Line] = []
    seen: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def add(line: Line) -> None:
        lines.append(line)
        say(str(line))

    for name, pictures, digits in digit_sets(data, most):
        answers = predict_many(model, pictures)
        right = np.array(
            [answer.digit == digit for answer, digit in zip(answers, digits, strict=True)]
        )
        confidence = np.array([answer.confidence for answer in answers])
        seen[name] = confidence, right, np.array([answer.accepted for answer in answers])
        target = TARGETS.get(name, lines[0].figure - 0.001 if name.startswith(PASTED) else None)
        add(share(name, right, target))
    corrupted = [line.figure for line in lines if line.name.startswith("mnist_c ")]
    add(Line("mnist_c, mean", float(np.mean(corrupted)), TARGETS["mnist_c, mean"]))

    pages = [
        (edit_distance(label, read(model, path).text.replace(" ", "").replace("\n", "/")), label)
        for path, label in labels_of(data / "dev" / "multi_photos")
    ]
    add(share("multi_photos, every row right", [wrong == 0 for wrong, _ in pages], 0.9))
    wrong, count = (
        sum(wrong for wrong, _ in pages),
        sum(len(label.replace("/", "")) for _, label in pages),
    )
    add(
        Line(
            "multi_photos, digits wrong, missing or invented",
            wrong / count,
            0.02,
            wrong,
            count,
            True,
        )
    )

    confidence, right, accepted = seen["mnist"]
    add(
        Line(
            "calibration error, mnist",
            calibration_error(confidence, right),
            0.003,
            less_is_better=True,
        )
    )
    pooled = [np.concatenate([seen[name][k] for name in SINGLE]) for k in (0, 1)]
    add(
        Line(
            "calibration error, single-digit sets pooled",
            calibration_error(*pooled),
            0.015,
            less_is_better=True,
        )
    )
    sure = np.concatenate([seen[name][2] for name in SINGLE])
    add(share("accepted: mnist", accepted, 0.99))
    add(share("of these right", right[accepted]))
    add(share("accepted: single-digit sets pooled", sure))
    add(share("of these right", pooled[1][sure]))

    other: dict[str, list[Any]] = {}
    for name, target in (("ood_omniglot", 0.98), ("ood_synth", 0.998)):
        other[name] = predict_many(model, thin(np.load(data / "dev" / f"{name}.npz")["x"], most))
        ranked = auroc(confidence, np.array([answer.confidence for answer in other[name]]))
        add(Line(f"digits told from {name} (AUROC)", ranked, target, unit=""))
    add(share("accepted: ood_omniglot", [a.accepted for a in other["ood_omniglot"]], 0.05, True))
    kinds = thin(np.load(data / "dev" / "ood_synth.npz")["kind"], most)
    nothing = [
        a.accepted
        for a, kind in zip(other["ood_synth"], kinds, strict=True)
        if any(n in kind for n in NOTHING)
    ]
    add(share("accepted: blank, noise and lines", nothing, 0.005, True))
    return lines


def times(model: Any, data: Path) -> list[Line]:
    """Medians, warm: a page of 50 digits as a 12-megapixel JPEG file in memory, and one tile."""
    tiles = load_test("mnist", data / "mnist").images.numpy()[:50].reshape(5, 10, 28, 28)
    page = np.pad(tiles.transpose(0, 2, 1, 3).reshape(140, 280), ((36, 34), (0, 0)))
    page = cv2.resize(220 - page // 2, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    file = io.BytesIO()
    Image.fromarray(page).save(file, "JPEG")

    def median(repeats: int, work: Callable[[], Any]) -> float:
        clock = [(work(), time.perf_counter())[1] for _ in range(repeats)]
        return float(np.median(np.diff(clock)))

    whole = median(8, lambda: read(model, file.getvalue()))
    single = median(300, lambda: predict(model, tiles[0, 0]))
    return [
        Line("12-megapixel photograph of a page, read", whole, 0.4, less_is_better=True, unit="s"),
        Line("a 28x28 tile, end to end", 1e3 * single, 1.5, less_is_better=True, unit="ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a sample of each set, nothing written"
    )
    parser.add_argument("--model", default="mnist_model.pth")
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    given = parser.parse_args()
    model = load_model(given.model)
    head = "| set | figure | counted | 95 % interval | wanted | met |\n|---|---|---|---|---|---|"
    print(head)
    lines = measure(model, given.data_dir, 250 if given.quick else 10**9)
    timed = times(model, given.data_dir)
    print(*timed, sep="\n")
    if given.quick:
        return
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    where = (
        f"{given.model} (trained at {model.card.get('commit')}), commit {commit.strip()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
        f"OpenCV {cv2.__version__}, Pillow {Image.__version__}"
    )
    table = "\n".join([head, *map(str, lines + timed)])
    fill(RESULTS, **{"real": table, "real-machine": f"{where}."})
    kept = {"where": where, "lines": [asdict(line) for line in lines + timed]}
    (ROOT / "docs" / "real.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
