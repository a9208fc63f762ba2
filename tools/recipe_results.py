"""What a recipe reached from several seeds: one small file a recipe, docs/results/RECIPE.json.

tools/train_seeds.py writes them, tools/build_tables.py makes the tables of them.
"""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from qdigits.evaluation.metrics import Rate
from qdigits.evaluation.report import Report

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results"


@dataclass(frozen=True)
class SeedResult:
    """What one training reached on the test digits."""

    seed: int
    right: int
    count: int
    accepted_right: int
    accepted: int  # answers with at least the model's threshold
    nll: float  # nats
    ece: float
    seconds: float  # of training
    epochs: int
    val_accuracy: float  # of the last epoch

    @property
    def accuracy(self) -> float:
        """The share of the test digits that were read right."""
        return self.right / self.count


@dataclass
class RecipeResult:
    """What the seeds of one recipe reached, and with what they were trained."""

    recipe: str
    processes: int
    commit: str
    versions: dict[str, str]
    seeds: list[SeedResult] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """The mean over the seeds."""
        return float(np.mean([seed.accuracy for seed in self.seeds]))

    @property
    def deviation(self) -> float:
        """The standard deviation over the seeds; 0 for a single one."""
        if len(self.seeds) == 1:
            return 0.0
        return float(np.std([seed.accuracy for seed in self.seeds], ddof=1))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the mean, for one pass over the test digits."""
        count = self.seeds[0].count
        return Rate(round(self.accuracy * count), count).interval

    @property
    def ece(self) -> float:
        """The expected calibration error, the mean over the seeds."""
        return float(np.mean([seed.ece for seed in self.seeds]))

    @property
    def seconds(self) -> float:
        """The training time, the median over the seeds."""
        return float(np.median([seed.seconds for seed in self.seeds]))

    def save(self, path: Path) -> None:
        """Write the result as JSON, its summary first and a line for each seed."""
        low, high = self.interval
        summary = {
            "recipe": self.recipe,
            "accuracy": round(self.accuracy, 5),
            "deviation": round(self.deviation, 5),
            "interval": [round(low, 5), round(high, 5)],
            "ece": round(self.ece, 5),
            "seconds": round(self.seconds, 2),
            "processes": self.processes,
            "commit": self.commit,
            "versions": self.versions,
        }
        text = json.dumps(summary, indent=1).removesuffix("\n}")
        lines = ",\n".join("  " + json.dumps(asdict(seed)) for seed in self.seeds)
        path.write_text(f'{text},\n "seeds": [\n{lines}\n ]\n}}\n')


def load_result(path: Path) -> RecipeResult:
    """Read a result that save() wrote."""
    fields = json.loads(path.read_text())
    seeds = [SeedResult(**seed) for seed in fields["seeds"]]
    names = ("recipe", "processes", "commit", "versions")
    return RecipeResult(**{name: fields[name] for name in names}, seeds=seeds)


def summarize_seed(seed: int, report: Report, epochs: list[dict]) -> SeedResult:
    """Return what one training reached.

    Args:
        seed: The seed of the training.
        report: What `qdigits evaluate` measured on the test digits.
        epochs: The lines of the training's metrics.jsonl.
    """
    last = epochs[-1]
    return SeedResult(
        seed=seed,
        right=report.all.right,
        count=report.all.count,
        accepted_right=report.accepted.right,
        accepted=report.accepted.count,
        nll=round(report.nll, 5),
        ece=round(report.ece, 5),
        seconds=round(sum(epoch["seconds"] for epoch in epochs), 2),
        epochs=len(epochs),
        val_accuracy=round(last.get("val_accuracy", last.get("validation_accuracy")), 5),
    )


def describe_versions() -> dict[str, str]:
    """Return the versions of what the figures depend on."""
    libraries = {name: version(name).partition("+")[0] for name in ("torch", "numpy")}
    return {"python": platform.python_version(), **libraries}


def describe_commit() -> str:
    """Return the commit of the working tree, with `-dirty` if it has changes."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
