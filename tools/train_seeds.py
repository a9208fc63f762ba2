"""Train a recipe from several seeds and judge each once on the test digits.

    python -m tools.train_seeds RECIPE [--seeds 5] [--data-dir ../shared/data/mnist]

Writes docs/results/RECIPE-seedN: report.json and metrics.jsonl. Seeds that are there already are
not trained again. `make tables` makes a row of docs/results.md of them.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QDIGITS = [sys.executable, "-m", "qdigits"]
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node=2",
    "-m",
    "qdigits",
]
IN_TWO_PROCESSES = {"cnn"}  # the others are too small to gain by it


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", default=str(ROOT.parent / "shared" / "data" / "mnist"))
    args = parser.parse_args()
    data = ["--data", "mnist", "--data-dir", args.data_dir]
    trainer = TORCHRUN if args.recipe in IN_TWO_PROCESSES else QDIGITS
    for seed in range(args.seeds):
        name = f"{args.recipe}-seed{seed}"
        run, out = ROOT / "runs" / name, ROOT / "docs" / "results" / name
        if (out / "report.json").exists():
            continue
        train = [
            *trainer,
            "train",
            args.recipe,
            "--seed",
            str(seed),
            "--run-dir",
            run,
            "--resume",
            *data,
        ]
        subprocess.run(train, check=True)
        subprocess.run([*QDIGITS, "evaluate", run / "last.pth", "--out", out, *data], check=True)
        shutil.copy(run / "metrics.jsonl", out)
        for picture in out.glob("*.png"):
            picture.unlink()


if __name__ == "__main__":
    main()
