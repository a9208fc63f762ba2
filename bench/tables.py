"""`make tables`: the figures of README.md, from what the commands wrote: nobody types one.

results   docs/results/RECIPE-seedN/report.json and docs/results/mnist_*/report.json, by `qdigits evaluate --out`
real      docs/REAL.md, by `make real`
speed     docs/BENCH.md, by `make bench`
console   each session is run, and shown as it went
"""

import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from qdigits.evaluate import Rate, Report

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def table(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def results() -> str:
    reports = defaultdict(list)
    for path in sorted((ROOT / "docs" / "results").glob("*/report.json")):
        reports[re.sub(r"-seed\d+$", "", path.parent.name)].append(Report.load(path))
    rows = [["model", "measured on", "right", "wrong in 10,000 (95 % interval)", "calibration error"]]
    for name, seeds in reports.items():
        shares = np.array([report.all.share for report in seeds])
        mean, count = shares.mean(), seeds[0].all.count
        spread = f" ± {100 * shares.std(ddof=1):.2f} ({len(seeds)} seeds)" if len(seeds) > 1 else ""
        few, many = (1e4 * (1 - edge) for edge in reversed(Rate(round(mean * count), count).interval))
        wrong = f"{1e4 * (1 - mean):.0f} ({few:.0f} to {many:.0f})"
        ece = np.mean([report.ece for report in seeds])
        rows.append([f"`{name}`", f"{seeds[0].data}, {count:,}", f"{mean:.2%}{spread}", wrong, f"{ece:.2%}"])
    return table(rows)


def first_table(name: str) -> str:
    path = ROOT / "docs" / name
    lines = path.read_text().splitlines() if path.exists() else []
    start = next((i for i, line in enumerate(lines) if line.startswith("|")), len(lines))
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return "\n".join(line for line in lines[start:end] if not line.startswith("| mnist_c "))  # their mean will do


def session(block: re.Match) -> str:
    done = subprocess.run([sys.executable, "-m", *shlex.split(block[1])], cwd=ROOT, capture_output=True, text=True)
    return f"```console\n$ {block[1]}\n{done.stdout}```"


def main() -> None:
    text = re.sub(r"```console\n\$ (.*?)\n.*?```", session, README.read_text(), flags=re.S)
    tables = {"results": results(), "real": first_table("REAL.md"), "speed": first_table("BENCH.md")}
    for name, content in tables.items():
        text, found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, c=content: f"{m[1]}{c}\n{m[2]}", text, flags=re.S
        )
        assert found == 1, f"README.md has no place for {name}"
    README.write_text(text)


if __name__ == "__main__":
    main()
