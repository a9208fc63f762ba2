"""What a model was measured to do: the Report of one test, the History of one training."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qdigits.data.loading import Split, load_test
from qdigits.files import write_atomically

BINS = 15  # of equal mass, for the calibration error
GALLERY = 40  # mistakes kept, with their picture
BATCH = 1000  # tiles; keeps memory flat


@dataclass(frozen=True)
class Rate:
    """So many right out of so many, with the interval that such a count can promise."""

    right: int
    count: int

    @property
    def share(self) -> float:
        return self.right / max(self.count, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share (Wilson 1927): unlike the usual one, true near 0 and 1."""
        n, p, z = max(self.count, 1), self.share, 1.959964
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Mistake:
    """One digit taken for another, and the tile itself."""

    index: int
    label: int
    digit: int
    confidence: float
    tile: str  # base64 of 28x28 bytes

    @property
    def pixels(self) -> np.ndarray:
        return np.frombuffer(base64.b64decode(self.tile), np.uint8).reshape(28, 28)


@dataclass(frozen=True)
class Report:
    """Everything measured in one pass over labelled digits; plain types, so it is its own JSON."""

    model: str
    data: str
    all: Rate
    accepted: Rate  # of the digits answered with at least the model's threshold
    nll: float  # mean negative log-likelihood of the true digit, nats
    ece: float  # expected calibration error, 15 bins of equal mass
    classes: dict[str, Rate]
    writers: dict[str, Rate]
    series: dict[str, Rate]
    confusion: list[list[int]]  # [true digit][answer]
    reliability: list[list[float]]  # a bin: mean confidence, share right
    mistakes: list[Mistake]  # the most confident first

    @property
    def wrong_in_10000(self) -> float:
        return 1e4 * (1 - self.all.share)

    def __str__(self) -> str:
        low, high = self.all.interval
        return (
            f"{self.model} on {self.data}: {self.all.share:.2%} of {self.all.count:,} right "
            f"(95 % interval {low:.2%} to {high:.2%}; {self.wrong_in_10000:.1f} wrong in 10,000)\n"
            f"answers {self.accepted.count / max(self.all.count, 1):.2%}, of these {self.accepted.share:.2%} right; "
            f"calibration error {self.ece:.2%}"
        )

    def save(self, path: str | Path) -> None:
        headline = {
            "accuracy": self.all.share,
            "interval": self.all.interval,
            "wrong_in_10000": self.wrong_in_10000,
        }
        write_atomically(Path(path), json.dumps({"headline": headline} | asdict(self)).encode())

    @classmethod
    def load(cls, path: str | Path) -> Report:
        fields = json.loads(Path(path).read_text())
        del fields["headline"]
        for name in ("all", "accepted"):
            fields[name] = Rate(**fields[name])
        for name in ("classes", "writers", "series"):
            fields[name] = {key: Rate(**rate) for key, rate in fields[name].items()}
        fields["mistakes"] = [Mistake(**mistake) for mistake in fields["mistakes"]]
        return cls(**fields)


def report_from(
    probabilities: np.ndarray,
    split: Split,
    threshold: float = 0.5,
    model: str = "model",
    data: str = "digits",
) -> Report:
    """Takes calibrated probabilities (N, 10), a row summing to at most 1, of the N labelled digits of the split."""
    labels, rows = split.labels.numpy(), np.arange(len(split))
    digits, confidence = probabilities.argmax(1), probabilities.max(1).astype(np.float64)
    right, sure = digits == labels, confidence >= threshold
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, digits), 1)
    bins = [b for b in np.array_split(np.argsort(confidence, kind="stable"), BINS) if len(b)]
    wrong = rows[~right][np.argsort(-confidence[~right], kind="stable")]
    tiles = split.images.numpy()
    return Report(
        model=model,
        data=data,
        all=Rate(int(right.sum()), len(split)),
        accepted=Rate(int(right[sure].sum()), int(sure.sum())),
        nll=float(-np.log(np.maximum(probabilities[rows, labels], 1e-12)).mean()),
        ece=float(
            sum(len(b) * abs(right[b].mean() - confidence[b].mean()) for b in bins) / len(split)
        ),
        classes=_rates(right, labels),
        writers={} if split.writers is None else _rates(right, split.writers.numpy()),
        series={} if split.series is None else _rates(right, split.series.numpy()),
        confusion=confusion.tolist(),
        reliability=[[float(confidence[b].mean()), float(right[b].mean())] for b in bins],
        mistakes=[
            Mistake(
                i,
                int(labels[i]),
                int(digits[i]),
                float(confidence[i]),
                base64.b64encode(tiles[i]).decode(),
            )
            for i in wrong[:GALLERY].tolist()
        ],
    )


def evaluate(
    model: Any,
    source: str = "qmnist",
    data_dir: str | Path | None = None,
    split: str = "official",
    seed: int = 0,
    name: str = "model",
) -> Report:
    """The only code that opens test files.

    Takes   a model as load_model gives it; a source and split as training took them; what the report calls the model.
    Raises  DataError: files that are missing or damaged.
    """
    from qdigits.imaging.tile import prepare

    digits = load_test(source, data_dir, split, seed, to_tile=lambda path: prepare(path).tile)
    tiles = digits.images.numpy()
    batches = [model.probabilities(tiles[i : i + BATCH]) for i in range(0, len(tiles), BATCH)]
    data = f"{source} test" if split == "official" else f"{source} test, {split} split"
    return report_from(np.concatenate(batches), digits, float(model.threshold), name, data)


def _rates(right: np.ndarray, groups: np.ndarray) -> dict[str, Rate]:
    names, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    hits = np.bincount(index, right).astype(int)
    return {
        str(name): Rate(int(hit), int(count))
        for name, hit, count in zip(names, hits, counts, strict=True)
    }


class History(list[dict[str, float]]):
    """One dict an epoch, as metrics.jsonl holds them: losses, accuracies, learning rate, seconds."""

    @classmethod
    def load(cls, run_dir: str | Path) -> History:
        return cls(
            json.loads(line) for line in (Path(run_dir) / "metrics.jsonl").read_text().splitlines()
        )

    def best(self) -> dict[str, float]:
        """The epoch that validation liked best; the first of equals."""
        return max(self, key=lambda epoch: epoch["validation_accuracy"])
