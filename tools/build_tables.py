"""Write the tables of README.md and docs/results.md from what the commands measured.

    python -m tools.build_tables      (make tables)

accuracy    docs/results/: RECIPE.json by tools/train_seeds.py, mnist_*/ by `qdigits evaluate --out`
real, speed `make real` and `make bench` write their tables into docs/results.md themselves
console     each session of README.md is run, and shown as it went
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from qdigits import load_model
from qdigits.evaluation.report import Report
from qdigits.models.registry import build
from qdigits.training.recipes import RECIPES
from tools.markers import README, RESULTS, ROOT, fill, format_table, read_between
from tools.recipe_results import RecipeResult, load_result

REPORTS = ROOT / "docs" / "results"
REAL = ROOT / "docs" / "real.json"
FIELD = ROOT / "docs" / "results" / "field.json"
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
YOURS = {  # figures that the README shows, and how it calls them
    "mnist": "MNIST's test digits (other writers than in training)",
    "usps": "USPS: digits on envelopes, scanned",
    "phone_single, right": "single digits from phones and scanned forms",
    "pages, digits wrong, missing or invented": "forms, notes and tables: digits misread",
    "accepted: ood_omniglot": "letters of many alphabets that are accepted as digits",
}


class Accuracy(NamedTuple):
    """A row of docs/results.md: several seeds of a recipe, or one bundled model."""

    name: str
    mean: float  # share right
    spread: str
    interval: tuple[float, float]
    ece: float
    time: str
    command: str


def recipe_accuracy(result: RecipeResult) -> Accuracy:
    """Return what the seeds of a recipe reached."""
    seconds = result.seconds
    return Accuracy(
        name=result.recipe,
        mean=result.accuracy,
        spread=f" ± {100 * result.deviation:.2f} ({len(result.seeds)} seeds)",
        interval=result.interval,
        ece=result.ece,
        time=f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s",
        command=f"python -m tools.train_seeds {result.recipe}",
    )


def model_accuracy(path: Path) -> Accuracy:
    """Return what a bundled model reached, from its report."""
    name = path.parent.name
    report = Report.load(path)
    return Accuracy(
        name=name,
        mean=report.all.share,
        spread="",
        interval=report.all.interval,
        ece=report.ece,
        time="",
        command=f"qdigits evaluate {name}.pth",
    )


def read_accuracies() -> list[Accuracy]:
    """Return the accuracy of every recipe and bundled model, the least accurate first."""
    paths = [REPORTS / f"{recipe}.json" for recipe in sorted(RECIPES)]
    recipes = [recipe_accuracy(load_result(path)) for path in paths if path.exists()]
    models = [model_accuracy(path) for path in sorted(REPORTS.glob("mnist_*/report.json"))]
    return sorted(recipes + models, key=lambda accuracy: accuracy.mean)


def count_parameters(name: str) -> int:
    """Return the number of parameters of a recipe's network or of a bundled model."""
    model = build(RECIPES[name].model) if name in RECIPES else load_model(f"{name}.pth")
    return sum(parameter.numel() for parameter in model.parameters())


def accuracy_row(accuracy: Accuracy) -> list[str]:
    """Return the row of docs/results.md for one network."""
    wrong = 1e4 * (1 - accuracy.mean)
    low, high = accuracy.interval
    return [
        f"`{accuracy.name}`",
        f"{count_parameters(accuracy.name):,}",
        accuracy.time,
        f"{accuracy.mean:.2%}{accuracy.spread}",
        f"{wrong:.0f} ({1e4 * (1 - high):.0f} to {1e4 * (1 - low):.0f})",
        f"{accuracy.ece:.2%}",
        f"`{accuracy.command}`",
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


def read_json(path: Path) -> Any:
    """Return what a file of figures holds."""
    return json.loads(path.read_text())


def your_digits_table() -> str:
    """Return the README's table of what the default model reaches on digits from elsewhere."""
    lines = {line["name"]: (line["right"], line["count"]) for line in read_json(REAL)["lines"]}
    for figure in read_json(FIELD)["figures"]:
        lines[figure["name"]] = (figure["hits"], figure["count"])
    rows = [["set", "share", "counted"]]
    for name, title in YOURS.items():
        right, count = lines[name]
        rows.append([title, f"{right / count:.2%}", f"{right:,} of {count:,}"])
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
