"""Train the recipes on a GPU and compare them with the processor: accuracy, seconds, memory.

    python -m bench.gpu [--data-dir FOLDER] [--seeds 3] [--recipes baseline fast99 cnn]
                        [--settings processor card large] [--page-steps 0]

Prints each row of the table when it is measured, and the card's name. Without a CUDA device it says
so and ends with exit 1.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from bench.support import Digits, choose_digits
from qdigits.data.loading import load_test
from qdigits.models.checkpoint import load_model_file
from qdigits.training.page_trainer import fit_pages
from qdigits.training.recipes import PAGE_RECIPES, RECIPES
from qdigits.training.trainer import fit
from tools.markers import format_table

RECIPE_NAMES = ("baseline", "mlp", "fast97", "fast98", "fast99", "fast995", "tiny", "cnn")
LARGE_BATCH = 1024
SETTINGS: dict[str, tuple[str, int | None]] = {
    "processor": ("cpu", None),
    "card": ("cuda", None),
    "large": ("cuda", LARGE_BATCH),
}
"""Device, and the size of the batches where it is not the recipe's."""
MARKS = (0.99, 0.995, 0.997)  # validation accuracy


class Run(NamedTuple):
    """What one training reached."""

    accuracy: float  # on the test digits
    seconds: float
    megabytes: float  # of the card, at most
    seconds_to: list[float]  # until each of MARKS; infinite if it was not reached


def train(recipe: str, digits: Digits, device: str, seed: int, batch_size: int | None) -> Run:
    """Train a recipe with one seed and look at the test digits once.

    Args:
        recipe: A name in RECIPES.
        digits: Where the training digits come from.
        device: "cpu" or "cuda".
        seed: The seed of the training.
        batch_size: Instead of the recipe's; the rate grows with its square root.
    """
    config = replace(
        RECIPES[recipe], data=digits.data, data_dir=digits.data_dir, device=device, seed=seed
    )
    if batch_size is not None:
        growth = batch_size / config.batch_size
        config = replace(config, batch_size=batch_size, lr=config.lr * growth**0.5)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        history = fit(config, folder, progress=False)
        model = load_model_file(f"{folder}/last.pth")
    megabytes = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else 0.0
    test = load_test(digits.data, digits.data_dir)
    answers = model.probabilities(test.images.numpy()).argmax(1)
    accuracy = float(np.mean(answers == test.labels.numpy()))
    elapsed = np.cumsum([epoch["seconds"] for epoch in history])
    reached = [epoch.get("val_accuracy", epoch.get("validation_accuracy")) for epoch in history]
    return Run(accuracy, float(elapsed[-1]), megabytes, find_marks(elapsed, reached))


def find_marks(elapsed: np.ndarray, accuracies: list[float]) -> list[float]:
    """Return the seconds after which each of MARKS was first reached."""
    seconds = []
    for mark in MARKS:
        epochs = np.flatnonzero(np.array(accuracies) >= mark)
        seconds.append(float(elapsed[epochs[0]]) if len(epochs) else np.inf)
    return seconds


def summarize(name: str, runs: list[Run]) -> list[str]:
    """Return the row of several seeds."""
    accuracies = [run.accuracy for run in runs]
    marks = np.median([run.seconds_to for run in runs], axis=0)
    return [
        name,
        f"{np.mean(accuracies):.2%} ± {100 * np.std(accuracies):.2f}",
        f"{np.median([run.seconds for run in runs]):.1f} s",
        *(f"{seconds:.1f} s" if np.isfinite(seconds) else "-" for seconds in marks),
        f"{max(run.megabytes for run in runs):.0f} MB",
    ]


def train_pages(digits: Digits, steps: int) -> list[str]:
    """Train the page network on the card for some steps; return its row."""
    config = replace(
        PAGE_RECIPES["pages"],
        data=digits.data,
        data_dir=digits.data_dir,
        device="cuda",
        workers=os.cpu_count() or 1,
        batch_size=32,
        steps=steps,
        epochs=1,
    )
    torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        epoch = fit_pages(config, folder, progress=False)[-1]
    pages = steps * config.batch_size / epoch["seconds"]
    megabytes = torch.cuda.max_memory_allocated() / 2**20
    name = (
        f"`pages`, {steps:,} steps of {config.batch_size} on the card, {pages:.0f} pages a second"
    )
    marks = ["-"] * len(MARKS)
    return [
        name,
        f"F1 {epoch['f1']:.1%}",
        f"{epoch['seconds']:.0f} s",
        *marks,
        f"{megabytes:.0f} MB",
    ]


def main() -> int:
    """Train every recipe on the processor, on the card, and on the card with large batches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="*", default=RECIPE_NAMES, choices=list(RECIPES))
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--page-steps", type=int, default=0, help="of the page network")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("bench.gpu: no CUDA device here; nothing measured", file=sys.stderr)
        return 1
    digits = choose_digits(options.data_dir)
    marks = [f"to {mark:.1%} of validation" for mark in MARKS]
    heading = ["recipe", "right of the test digits", "training", *marks, "memory of the card"]
    print(format_table([heading], "lrrrrrr"), flush=True)
    for recipe in options.recipes:
        for setting in options.settings:
            device, batch_size = SETTINGS[setting]
            seeds = range(options.seeds)
            runs = [train(recipe, digits, device, seed, batch_size) for seed in seeds]
            print_row(summarize(f"`{recipe}`, {setting}", runs))
    if options.page_steps:
        print_row(train_pages(digits, options.page_steps))
    print(f"\n{torch.cuda.get_device_name()}, torch {torch.__version__}.")
    return 0


def print_row(cells: list[str]) -> None:
    """Print a row of the table at once: a training may take long."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
