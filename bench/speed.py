"""Measure how fast qdigits trains and answers, beside its rivals and the machine's limits.

    python -m bench.speed [--quick] [--data-dir FOLDER]      (make bench DATA_DIR=FOLDER)

Every row is the median of repeats that take turns: trust the ratios first. A full run on all
training digits writes its table into docs/results.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from bench.pages import measure_pages
from bench.rivals import (
    BASELINE,
    SMALL_CNNS,
    prepare_dataloader_loop,
    prepare_numpy_loop,
    train_small_cnn,
)
from bench.support import (
    MEASURED_COMMAND,
    Digits,
    Row,
    choose_digits,
    describe_machine,
    make_row,
    measure_memory,
    measure_seconds,
    run_command,
    take_turns,
)
from qdigits.data.loading import load_test, load_training
from qdigits.models.checkpoint import load_model_file
from qdigits.predictor import load_model
from qdigits.training.config import TrainConfig
from qdigits.training.recipes import RECIPES
from qdigits.training.trainer import fit
from tools.markers import RESULTS, fill, format_table
from tools.recipe_results import ROOT

EPOCH = 60_000  # digits; fewer are scaled up to it
BATCH_TILES = 4096
SINGLE_TILES = 500
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


# ---- training


def train_recipe(config: TrainConfig, digits: Digits) -> float:
    """Train one epoch of a recipe and return its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        config = replace(config, data=digits.data, data_dir=digits.data_dir, epochs=1)
        return fit(config, folder, progress=False)[0]["seconds"]


def measure_baseline(repeats: int, digits: Digits) -> Iterator[Row]:
    """Train an epoch of the baseline in three ways."""
    train, _ = load_training(digits.data, digits.data_dir)
    times = take_turns(
        repeats,
        ours=partial(train_recipe, BASELINE, digits),
        dataloader=prepare_dataloader_loop(train),
        numpy=prepare_numpy_loop(train),
    )
    times = {name: seconds * EPOCH / len(train) for name, seconds in times.items()}
    work = f"train `baseline`, an epoch of 60,000 (measured on {len(train):,})"
    rivals = {"dataloader": ("per-sample DataLoader", 8), "numpy": ("bare numpy loop", 1)}
    for name, (rival, goal) in rivals.items():
        pair = {"ours": times["ours"], "rival": times[name]}
        work_and_rival = f"{work}; rival: {rival}"
        yield make_row(work_and_rival, "{:.2f} s".format, pair, f"at least {goal}")


class ShortRun:
    """Trains a short recipe with one seed after the other, and keeps how accurate each was."""

    def __init__(self, recipe: str, digits: Digits) -> None:
        """Begin with seed 0."""
        self.config = replace(RECIPES[recipe], data=digits.data, data_dir=digits.data_dir)
        self.test = load_test(digits.data, digits.data_dir)
        self.accuracies: list[float] = []

    def train_next_seed(self) -> float:
        """Train, look at the test digits once, and return the seconds of training."""
        config = replace(self.config, seed=len(self.accuracies))
        with tempfile.TemporaryDirectory() as folder:
            history = fit(config, folder, progress=False)
            model = load_model_file(f"{folder}/last.pth")
        answers = model.probabilities(self.test.images.numpy()).argmax(1)
        self.accuracies.append(float(np.mean(answers == self.test.labels.numpy())))
        return sum(epoch["seconds"] for epoch in history)


def measure_short_runs(seeds: int, digits: Digits) -> Iterator[Row]:
    """Train to 97, 98, 99 and 99.5 % of the test digits, ours and a small CNN with Adam."""
    for recipe, rival in SMALL_CNNS.items():
        config = RECIPES[recipe]
        train, _ = load_training(digits.data, digits.data_dir, validation=config.val_fraction)
        torch.set_num_threads(config.threads)
        ours = ShortRun(recipe, digits)
        times = take_turns(
            seeds, ours=ours.train_next_seed, rival=partial(train_small_cnn, train, rival)
        )
        lowest = min(ours.accuracies)
        highest = max(ours.accuracies)
        work = (
            f"train `{recipe}`, {config.threads} threads: {np.mean(ours.accuracies):.2%} of the "
            f"test digits, mean of {seeds} seeds ({lowest:.2%} to {highest:.2%}); "
            "rival: a small CNN with Adam"
        )
        yield make_row(work, "{:.2f} s".format, times, "at least 2.5")
    torch.set_num_threads(1)


def measure_two_processes(repeats: int, digits: Digits) -> Iterator[Row]:
    """Train a fifth of an epoch of `cnn` in one process of one thread, and in two."""
    options = [*digits.options, "--epochs", "0.2", "--threads", "1"]
    megabytes: list[float] = []

    def run(*start: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            command = [*start, "train", "cnn", *options, "--run-dir", folder]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            megabytes.extend(int(word) / 1024 for word in done.stderr.split() if word.isdigit())
            lines = (Path(folder) / "metrics.jsonl").read_text().splitlines()
            return json.loads(lines[-1])["seconds"]

    two = [*TORCHRUN, "--no-python", sys.executable, "-m", "qdigits"]
    times = take_turns(
        repeats,
        ours=partial(run, *two),
        rival=partial(run, sys.executable, "-c", MEASURED_COMMAND),
    )
    work = (
        "train `cnn`, a fifth of an epoch, two processes under torchrun; rival: one process, "
        f"one thread, {max(megabytes):.0f} MB at most (700 allowed)"
    )
    yield make_row(work, "{:.1f} s".format, times, "at least 1.54")


# ---- answering


def measure_blas_rate() -> float:
    """Return the floating-point operations a second of one thread on a product in the cache."""
    matrix = np.ones((512, 512), np.float32)
    fastest = min(measure_seconds(lambda: matrix @ matrix) for _ in range(30))
    return 2 * 512**3 / fastest


def time_single_tiles(model: Any, tiles: np.ndarray) -> float:
    """Return the mean seconds of a tile through a model, one after the other."""
    singles = tiles[:SINGLE_TILES, None]  # (n, 1, 28, 28)
    return measure_seconds(lambda: [model.probabilities(tile) for tile in singles]) / len(singles)


def measure_network(repeats: int, name: str, digits: Digits) -> Iterator[Row]:
    """Send held-out digits through the bundled model and torch: one by one, then in batches."""
    cores = os.cpu_count() or 1
    torch_model = load_model_file(f"{name}.pth")
    onnx_model = load_model(f"{name}.onnx")
    _, held_out = load_training(digits.data, digits.data_dir)
    tiles = held_out.images.numpy()[:BATCH_TILES]
    batches = np.array_split(tiles, 4 * cores)
    with FlopCounterMode(display=False) as counter:
        torch_model(torch.zeros(1, 1, 28, 28))
    limit = counter.get_total_flops() / measure_blas_rate()  # seconds a tile

    torch.set_num_threads(1)
    times = take_turns(
        repeats,
        ours=partial(time_single_tiles, onnx_model, tiles),
        rival=partial(time_single_tiles, torch_model, tiles),
    )
    yield make_row(
        f"one tile through `{name}`, one thread; rival: torch",
        lambda seconds: f"{seconds * 1e6:.0f} us",
        times,
        f"at most 120 us; {limit * 1e6:.0f} us at the rate of BLAS",
    )

    torch.set_num_threads(cores)
    with ThreadPoolExecutor(cores) as pool:

        def answer_in_threads() -> None:
            list(pool.map(onnx_model.probabilities, batches))

        def answer_with_torch() -> None:
            for batch in batches:
                torch_model.probabilities(batch)

        times = take_turns(
            repeats,
            ours=partial(measure_seconds, answer_in_threads),
            rival=partial(measure_seconds, answer_with_torch),
        )
    torch.set_num_threads(1)
    yield make_row(
        f"tiles a second through `{name}` in batches, {cores} threads; rival: torch",
        lambda seconds: f"{len(tiles) / seconds:,.0f}",
        times,
        f"at least 16,000; {cores / limit:,.0f} at the rate of BLAS",
    )


def write_tiles(folder: Path, count: int) -> list[Path]:
    """Write digits of the sample as PNG files."""
    folder.mkdir()
    train, _ = load_training("sample")
    paths = [folder / f"{index:05}.png" for index in range(count)]
    for index, path in enumerate(paths):
        cv2.imwrite(str(path), train.images[index % len(train)].numpy())
    return paths


def measure_cold_start(repeats: int, tile: Path) -> Iterator[Row]:
    """Read one tile in a new process, with onnxruntime and with torch."""
    times = take_turns(
        repeats,
        ours=lambda: run_command("read", str(tile)).seconds,
        rival=lambda: run_command("read", str(tile), "--model", "mnist_model.pth").seconds,
    )
    megabytes = run_command("read", str(tile)).megabytes
    work = f"`qdigits read tile.png`, whole process, {megabytes:.0f} MB; rival: the same with torch"
    yield make_row(work, "{:.2f} s".format, times, "at most 0.22 s")


def measure_folder(repeats: int, folder: Path, paths: list[Path]) -> Iterator[Row]:
    """Read a folder of tiles into a table, and the same by a loop over torch."""
    model = load_model_file("mnist_model.pth")
    some = paths[:500]
    words = ("read", str(paths[0].parent), "--csv")

    def read_with_torch() -> None:
        for path in some:
            pixels = torch.from_numpy(np.array(Image.open(path).convert("L")))
            model(pixels[None, None].float() / 255).softmax(1).argmax()

    def read_folder() -> float:
        table = folder / f"{time.time_ns()}.csv"
        return run_command(*words, str(table)).seconds / len(paths)

    times = take_turns(
        repeats,
        ours=read_folder,
        rival=lambda: measure_seconds(read_with_torch) / len(some),
    )
    megabytes = measure_memory(*words, str(folder / "memory.csv"))
    work = (
        f"`qdigits read FOLDER --csv`, {len(paths):,} PNG tiles, {megabytes:.0f} MB; "
        "rival: a loop over torch"
    )
    yield make_row(
        work, lambda seconds: f"{1 / seconds:,.0f} a second", times, "at least 6,000 a second"
    )


def measure_command(repeats: int, count: int) -> Iterator[Row]:
    """Run the command on one tile and on a folder of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_tiles(folder / "tiles", count)
        yield from measure_cold_start(repeats, paths[0])
        yield from measure_folder(max(repeats // 2, 1), folder, paths)


def main() -> None:
    """Measure everything and keep the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one repeat, nothing written")
    parser.add_argument("--data-dir", type=Path, help="where MNIST's or QMNIST's files lie")
    options = parser.parse_args()
    repeats = 1 if options.quick else 5
    count = 1000 if options.quick else 10_000
    pages = 10 if options.quick else 500
    load_before = os.getloadavg()[0]
    digits = choose_digits(options.data_dir)
    measurements = [
        measure_baseline(repeats, digits),
        measure_short_runs(repeats, digits),
        measure_two_processes(max(repeats // 2, 1), digits),
        measure_network(repeats, "mnist_model", digits),
        measure_network(repeats, "mnist_small", digits),
        measure_network(repeats, "mnist_mlp", digits),
        measure_command(repeats, count),
        measure_pages(pages, digits),
    ]
    rows = []
    for row in chain.from_iterable(measurements):
        print(*row, sep=" | ", file=sys.stderr)  # the whole takes long
        rows.append(row)
    head = ["what", "ours", "rival", "times as fast", "goal; limit"]
    table = format_table([head, *map(list, rows)], "lrrrr")
    machine = describe_machine(load_before)
    print(table, machine, sep="\n\n")
    if options.quick or digits.data == "sample":
        print("A quick run, or one on the sample, is indicative: its figures are not kept.")
    else:
        fill(RESULTS, **{"speed": table, "speed-machine": machine})


if __name__ == "__main__":
    main()
