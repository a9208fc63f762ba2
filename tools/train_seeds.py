"""Train a recipe from several seeds and judge each once on the test digits.

    python -m tools.train_seeds RECIPE [--seeds 5] [--data-dir FOLDER]

Writes docs/results/RECIPE.json after each seed; seeds that are in it are not trained again.
`make tables` makes a row of docs/results.md of it.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from qdigits.evaluation.report import Report
from tools.recipe_results import (
    RESULTS,
    ROOT,
    RecipeResult,
    SeedResult,
    describe_commit,
    describe_versions,
    load_result,
    summarize_seed,
)

QDIGITS = [sys.executable, "-m", "qdigits"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
PROCESSES = {"cnn": 2}  # the other recipes are too small to gain by it


def list_train_command(recipe: str) -> list[str]:
    """Return the command that trains a recipe, in as many processes as suit it."""
    processes = PROCESSES.get(recipe, 1)
    if processes == 1:
        return [*QDIGITS, "train", recipe]
    return [*TORCHRUN, f"--nproc-per-node={processes}", "-m", "qdigits", "train", recipe]


def train_seed(recipe: str, seed: int, data: list[str]) -> SeedResult:
    """Train, evaluate, and return what was reached.

    Args:
        recipe: A name in RECIPES.
        seed: The seed of the training.
        data: The options that name the data.
    """
    run_dir = ROOT / "runs" / f"{recipe}-seed{seed}"
    options = ["--seed", str(seed), "--run-dir", str(run_dir), "--resume", *data]
    subprocess.run([*list_train_command(recipe), *options], cwd=ROOT, check=True)
    out = run_dir / "test"
    evaluate = [*QDIGITS, "evaluate", str(run_dir / "last.pth"), "--out", str(out), *data]
    subprocess.run(evaluate, cwd=ROOT, check=True)
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    report = Report.load(out / "report.json")
    return summarize_seed(seed, report, [json.loads(line) for line in lines])


def main() -> None:
    """Train every seed that has no result yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data" / "mnist")
    arguments = parser.parse_args()
    recipe = arguments.recipe
    path = RESULTS / f"{recipe}.json"
    if path.exists():
        result = load_result(path)
    else:
        processes = PROCESSES.get(recipe, 1)
        result = RecipeResult(recipe, processes, describe_commit(), describe_versions())
    done = {seed.seed for seed in result.seeds}
    data = ["--data", "mnist", "--data-dir", str(arguments.data_dir.resolve())]
    for seed in range(arguments.seeds):
        if seed not in done:
            result.seeds.append(train_seed(recipe, seed, data))
            result.save(path)


if __name__ == "__main__":
    main()
