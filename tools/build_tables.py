"""`make tables`: the figures of README.md and docs/RESULTS.md, from what the commands wrote: nobody types one.

results   docs/results/RECIPE-seedN, by `python tools/train_seeds.py`; docs/results/mnist_*, by `qdigits evaluate --out`
real      docs/REAL.md, by `make real`
speed     docs/BENCH.md, by `make bench`
console   each session is run, and shown as it went
"""

import json
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from qdigits import load_model
from qdigits.evaluation.metrics import Rate
from qdigits.evaluation.report import Report
from qdigits.models.registry import build
from qdigits.training.recipes import RECIPES

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

RESULTS = """# Results

Written by `make tables` from docs/results. The test digits were looked at once a training, at its end; everything was
chosen on writers held out of the training digits. Times are the median of the seeds', on a shared machine, of two
processes for `cnn`.

{table}

What `mnist_model` gets wrong of MNIST's 10,000, the surest first:

![mistakes](results/mnist_model/mistakes.png)

[log/](log/README.md) has the experiments, failed ones too; [REAL.md](REAL.md) what becomes of other people's digits.
"""


def table(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def results() -> str:
    reports = defaultdict(list)
    for path in sorted((ROOT / "docs" / "results").glob("*/report.json")):
        reports[re.sub(r"-seed\d+$", "", path.parent.name)].append(Report.load(path))
    head = (
        "",
        "parameters",
        "trained for",
        "right of 10,000",
        "wrong (95 % interval)",
        "calibration error",
        "by",
    )
    rows = [list(head)]
    for name, seeds in sorted(
        reports.items(), key=lambda item: np.mean([report.all.share for report in item[1]])
    ):
        shares = np.array([report.all.share for report in seeds])
        mean, count = shares.mean(), seeds[0].all.count
        spread = f" ± {100 * shares.std(ddof=1):.2f} ({len(seeds)} seeds)" if len(seeds) > 1 else ""
        few, many = (
            1e4 * (1 - edge) for edge in reversed(Rate(round(mean * count), count).interval)
        )
        command = f"qdigits evaluate {name}.pth"
        if name in RECIPES:
            command = f"python tools/train_seeds.py {name}" + f" --seeds {len(seeds)}" * (
                len(seeds) != 5
            )
        model = build(RECIPES[name].model) if name in RECIPES else load_model(f"{name}.pth")
        took = np.median([seconds(path) for path in metrics(name)] or np.nan)
        time = f"{took:,.{int(took < 10)}f} s" if took > 0 else ""
        rows.append(
            [
                f"`{name}`",
                f"{sum(p.numel() for p in model.parameters()):,}",
                time,
                f"{mean:.2%}{spread}",
                f"{1e4 * (1 - mean):.0f} ({few:.0f} to {many:.0f})",
                f"{np.mean([r.ece for r in seeds]):.2%}",
                f"`{command}`",
            ]
        )
    return table(rows)


def metrics(name: str) -> list[Path]:
    return list((ROOT / "docs" / "results").glob(f"{name}-seed*/metrics.jsonl"))


def seconds(path: Path) -> float:
    return sum(json.loads(epoch)["seconds"] for epoch in path.read_text().splitlines())


def first_table(name: str) -> str:
    path = ROOT / "docs" / name
    lines = path.read_text().splitlines() if path.exists() else []
    start = next((i for i, line in enumerate(lines) if line.startswith("|")), len(lines))
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return "\n".join(
        line for line in lines[start:end] if not line.startswith("| mnist_c ")
    )  # their mean will do


def session(block: re.Match) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(block[1])], cwd=ROOT, capture_output=True, text=True
    )
    return f"```console\n$ {block[1]}\n{done.stdout}```"


def main() -> None:
    (ROOT / "docs" / "RESULTS.md").write_text(RESULTS.format(table=results()))
    text = re.sub(r"```console\n\$ (.*?)\n.*?```", session, README.read_text(), flags=re.S)
    tables = {
        "results": results(),
        "real": first_table("REAL.md"),
        "speed": first_table("BENCH.md"),
    }
    for name, content in tables.items():
        text, found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda m, c=content: f"{m[1]}{c}\n{m[2]}",
            text,
            flags=re.S,
        )
        assert found == 1, f"README.md has no place for {name}"
    README.write_text(text)


if __name__ == "__main__":
    main()
