"""What a model was measured to do in one test."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qdigits.evaluation.metrics import Rate, calibration_bins, calibration_error
from qdigits.files import write_atomically

if TYPE_CHECKING:
    from qdigits.data.split import Split

MAX_MISTAKES = 40  # kept in a report, each with its picture
TINY = 1e-12  # the smallest probability whose logarithm is taken


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
        """The tile as uint8 (28, 28)."""
        return np.frombuffer(base64.b64decode(self.tile), np.uint8).reshape(28, 28)


@dataclass(frozen=True)
class Report:
    """Everything measured in one pass over labelled digits; plain types, so it is its own JSON."""

    model: str
    data: str
    all: Rate
    accepted: Rate  # of the digits answered with at least the model's threshold
    nll: float  # mean negative log-likelihood of the true digit, nats
    ece: float  # expected calibration error, bins of equal mass
    classes: dict[str, Rate]
    writers: dict[str, Rate]
    series: dict[str, Rate]
    confusion: list[list[int]]  # [true digit][answer]
    reliability: list[list[float]]  # a bin: mean confidence, share right
    mistakes: list[Mistake]  # the most confident first

    @property
    def wrong_in_10000(self) -> float:
        """How many digits of ten thousand are misread."""
        return 1e4 * (1 - self.all.share)

    def __str__(self) -> str:
        low, high = self.all.interval
        answered = self.accepted.count / max(self.all.count, 1)
        return (
            f"{self.model} on {self.data}: {self.all.share:.2%} of {self.all.count:,} right "
            f"(95 % interval {low:.2%} to {high:.2%}; {self.wrong_in_10000:.1f} wrong in 10,000)\n"
            f"answers {answered:.2%}, of these {self.accepted.share:.2%} right; "
            f"calibration error {self.ece:.2%}"
        )

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, its main figures first."""
        headline = {
            "accuracy": self.all.share,
            "interval": self.all.interval,
            "wrong_in_10000": self.wrong_in_10000,
        }
        write_atomically(Path(path), json.dumps({"headline": headline} | asdict(self)).encode())

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read a report that save() wrote."""
        fields = json.loads(Path(path).read_text())
        del fields["headline"]
        for name in ("all", "accepted"):
            fields[name] = Rate(**fields[name])
        for name in ("classes", "writers", "series"):
            fields[name] = {key: Rate(**rate) for key, rate in fields[name].items()}
        fields["mistakes"] = [Mistake(**mistake) for mistake in fields["mistakes"]]
        return cls(**fields)


def build_report(
    probabilities: np.ndarray,
    split: Split,
    threshold: float = 0.5,
    model: str = "model",
    data: str = "digits",
) -> Report:
    """Count everything that a report tells from a model's answers.

    Args:
        probabilities: Calibrated probabilities, (N, 10); a row sums to at most 1.
        split: The N digits that were answered.
        threshold: The confidence from which on the model accepts its answer.
        model: What the report calls the model.
        data: What the report calls the digits.
    """
    labels = split.labels.numpy()
    digits = probabilities.argmax(1)
    confidence = probabilities.max(1).astype(np.float64)
    right = digits == labels
    accepted = confidence >= threshold
    true_probability = probabilities[np.arange(len(split)), labels]
    return Report(
        model=model,
        data=data,
        all=Rate(int(right.sum()), len(split)),
        accepted=Rate(int(right[accepted].sum()), int(accepted.sum())),
        nll=float(-np.log(np.maximum(true_probability, TINY)).mean()),
        ece=calibration_error(confidence, right),
        classes=_rates_by(labels, right),
        writers={} if split.writers is None else _rates_by(split.writers.numpy(), right),
        series={} if split.series is None else _rates_by(split.series.numpy(), right),
        confusion=_count_confusions(labels, digits),
        reliability=[
            [float(confidence[members].mean()), float(right[members].mean())]
            for members in calibration_bins(confidence)
        ],
        mistakes=_collect_mistakes(split, digits, confidence),
    )


def _rates_by(groups: np.ndarray, right: np.ndarray) -> dict[str, Rate]:
    names, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    hits = np.bincount(index, right).astype(int)
    return {
        str(name): Rate(int(hit), int(count))
        for name, hit, count in zip(names, hits, counts, strict=True)
    }


def _count_confusions(labels: np.ndarray, digits: np.ndarray) -> list[list[int]]:
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, digits), 1)
    return counts.tolist()


def _collect_mistakes(split: Split, digits: np.ndarray, confidence: np.ndarray) -> list[Mistake]:
    """Return the most confident mistakes, the surest first."""
    labels = split.labels.numpy()
    tiles = split.images.numpy()
    wrong = np.flatnonzero(digits != labels)
    surest_first = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return [
        Mistake(
            index=index,
            label=int(labels[index]),
            digit=int(digits[index]),
            confidence=float(confidence[index]),
            tile=base64.b64encode(tiles[index]).decode(),
        )
        for index in surest_first[:MAX_MISTAKES].tolist()
    ]
