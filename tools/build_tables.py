"""Write the tables of README.md and docs/results.md from what the commands measured.

    python -m tools.build_tables      (make tables)

accuracy    docs/results/: reports of `qdigits evaluate --out` and of tools/train_seeds.py
real, speed `make real` and `make bench` write their tables into docs/results.md themselves
console     each session of README.md is run, and shown as it went
"""

import json
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdigits import load_model
from qdigits.evaluation.metrics import Rate
from qdigits.evaluation.report import Report
from qdigits.models.registry import build
from qdigits.training.recipes import RECIPES
from tools.markers import README, RESULTS, ROOT, fill, format_table, read_between

REPORTS = ROOT / "docs" / "results"
REAL = ROOT / "docs" / "real.json"
HEAD = [
    "",
    "parameters",
    "trained for",
    "right of 10,000",
    "wrong (95 % interval)",
    "calibration error",
    "by",
]
PURPOSES = {  # of the bundled models, in the README's order
    "mnist_model": "the default: most accurate, knows what is not a digit",
    "mnist_small": "a tenth of the size: many tiles a second",
    "mnist_mlp": "the textbook network, 784-128-64-10",
}
YOURS = {  # sets of docs/real.json that the README shows, and how it calls them
    "mnist": "MNIST's test digits (other writers than in training)",
    "usps": "USPS: digits on envelopes, scanned",
    "phone_single": "phone photographs of one digit",
    "multi_photos, digits wrong, missing or invented": "photographs of pages: digits misread",
    "accepted: ood_omniglot": "letters of many alphabets that are accepted as digits",
}


class Accuracy(NamedTuple):
    """What the reports of one network say: several seeds of a recipe, or one bundled model."""

    name: str
    reports: list[Report]

    @property
    def mean(self) -> float:
        """Return the share right, the mean over the reports."""
        return float(np.mean([report.all.share for report in self.reports]))


def read_accuracies() -> list[Accuracy]:
    """Return the accuracy of every network with reports, the least accurate first."""
    reports = defaultdict(list)
    for path in sorted(REPORTS.glob("*/report.json")):
        reports[re.sub(r"-seed\d+$", "", path.parent.name)].append(Report.load(path))
    accuracies = [Accuracy(name, seeds) for name, seeds in reports.items()]
    return sorted(accuracies, key=lambda accuracy: accuracy.mean)


def count_parameters(name: str) -> int:
    """Return the number of parameters of a recipe's network or of a bundled model."""
    model = build(RECIPES[name].model) if name in RECIPES else load_model(f"{name}.pth")
    return sum(parameter.numel() for parameter in model.parameters())


def training_time(name: str) -> str:
    """Return the median over the seeds of a recipe's training time, or nothing."""
    seconds = []
    for path in REPORTS.glob(f"{name}-seed*/metrics.jsonl"):
        epochs = [json.loads(line) for line in path.read_text().splitlines()]
        seconds.append(sum(epoch["seconds"] for epoch in epochs))
    if not seconds:
        return ""
    median = float(np.median(seconds))
    return f"{median:.1f} s" if median < 10 else f"{median:,.0f} s"


def accuracy_row(accuracy: Accuracy) -> list[str]:
    """Return the row of docs/results.md for one network."""
    name, seeds = accuracy.name, accuracy.reports
    count = seeds[0].all.count
    low, high = Rate(round(accuracy.mean * count), count).interval
    spread = ""
    if len(seeds) > 1:
        deviation = np.std([report.all.share for report in seeds], ddof=1)
        spread = f" ± {100 * deviation:.2f} ({len(seeds)} seeds)"
    command = f"qdigits evaluate {name}.pth"
    if name in RECIPES:
        command = f"python -m tools.train_seeds {name}"
    return [
        f"`{name}`",
        f"{count_parameters(name):,}",
        training_time(name),
        f"{accuracy.mean:.2%}{spread}",
        f"{1e4 * (1 - accuracy.mean):.0f} ({1e4 * (1 - high):.0f} to {1e4 * (1 - low):.0f})",
        f"{np.mean([report.ece for report in seeds]):.2%}",
        f"`{command}`",
    ]


def model_table(accuracies: list[Accuracy]) -> str:
    """Return the README's table of the bundled models."""
    means = {accuracy.name: accuracy.mean for accuracy in accuracies}
    speed = read_between(RESULTS, "speed")
    rows = [["file", "for", "parameters", "MNIST's test digits", "one tile"]]
    for name, purpose in PURPOSES.items():
        time = re.search(rf"^\| one tile through `{name}`[^|]*\| ([^|]+) \|", speed, re.MULTILINE)
        rows.append(
            [
                f"`{name}.pth`",
                purpose,
                f"{count_parameters(name):,}",
                f"{means[name]:.2%}",
                time[1].replace("us", "µs") if time else "",
            ]
        )
    return format_table(rows, "llrrr")


def your_digits_table() -> str:
    """Return the README's table of what the default model reaches on digits from elsewhere."""
    lines = {line["name"]: line for line in json.loads(REAL.read_text())["lines"]}
    rows = [["set", "share", "counted"]]
    for name, title in YOURS.items():
        line = lines[name]
        counted = f"{line['right']:,} of {line['count']:,}"
        rows.append([title, f"{line['figure']:.2%}", counted])
    return format_table(rows, "lrr")


def run_session(block: re.Match[str]) -> str:
    """Return a console block of the README with what its command prints now."""
    command = [sys.executable, "-m", *shlex.split(block[1])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return f"```console\n$ {block[1]}\n{done.stdout}```"


def refresh_sessions(path: Path) -> None:
    """Run every console block of a document again."""
    session = re.compile(r"```console\n\$ (.*?)\n.*?```", re.DOTALL)
    path.write_text(session.sub(run_session, path.read_text()))


def main() -> None:
    """Write all tables."""
    accuracies = read_accuracies()
    fill(RESULTS, results=format_table([HEAD, *map(accuracy_row, accuracies)]))
    fill(README, models=model_table(accuracies), yours=your_digits_table())
    refresh_sessions(README)


if __name__ == "__main__":
    main()
