"""Measure what teaching a writer's digits gains and costs.

    python -m bench.accuracy.finetune [--model mnist_model.pth] [--data-dir FOLDER]

No test file is opened. A writer is played by 60 digits of MNIST's validation writers to teach and
800 others to measure on, all changed in the same way.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from bench.support import MNIST_DIR
from qdigits import DataError, load_model
from qdigits.augment.negatives import draw_negatives
from qdigits.data.loading import load_training
from qdigits.data.split import Split
from qdigits.training.finetune import finetune

TAUGHT = 60
MEASURED = 800
NEGATIVES = 1000
SEEDS = 3
WRITERS = {  # 2x2 matrices
    "as they are": ((1, 0), (0, 1)),
    "turned by 35 degrees": ((0.819, -0.574), (0.574, 0.819)),
    "leaning by 40 degrees": ((1, 0.839), (0, 1)),
    "written backwards": ((-1, 0), (0, 1)),
}
HEAD = (
    "| writer | right before | after | MNIST before | after "
    "| no digits accepted before | after | seconds |\n"
    "| --- | --: | --: | --: | --: | --: | --: | --: |"
)


class Outcome(NamedTuple):
    """Shares before and after teaching, and the seconds it took."""

    right_before: float
    right_after: float
    mnist_before: float
    mnist_after: float
    accepted_before: float
    accepted_after: float
    seconds: float


def transform_tiles(tiles: np.ndarray, matrix: tuple) -> np.ndarray:
    """Turn or shear tiles around their middle.

    Args:
        tiles: uint8 (n, 28, 28).
        matrix: 2x2.
    """
    linear = np.array(matrix)
    middle = np.full((2, 1), 13.5)
    affine = np.hstack([linear, middle - linear @ middle])
    warped = [cv2.warpAffine(tile, affine, (28, 28), flags=cv2.INTER_LINEAR) for tile in tiles]
    return np.stack(warped)


def draw_no_digits(writers: Split) -> np.ndarray:
    """Return pictures that show no digit, uint8 (n, 28, 28)."""
    some = writers.images[:NEGATIVES, None].float() / 255
    generator = torch.Generator().manual_seed(0)
    drawn = draw_negatives(NEGATIVES, some, writers.labels[:NEGATIVES], generator)
    return (255 * drawn[:, 0]).round().byte().numpy()


def measure_accuracy(model: Any, tiles: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of tiles that are read right."""
    return float((model.probabilities(tiles).argmax(1) == labels).mean())


def measure_accepted(model: Any, tiles: np.ndarray) -> float:
    """Return the share of tiles whose answer is accepted."""
    return float((model.probabilities(tiles).max(1) >= float(model.threshold)).mean())


def teach(model: Any, writers: Split, no_digits: np.ndarray, matrix: tuple, seed: int) -> Outcome:
    """Teach the digits of one played writer, and measure before and after."""
    labels = writers.labels.numpy()
    chosen = np.random.default_rng(seed).permutation(len(labels))[: TAUGHT + MEASURED]
    tiles = transform_tiles(writers.images.numpy()[chosen], matrix)
    labels = labels[chosen]
    began = time.process_time()
    taught = finetune(model, list(tiles[:TAUGHT]), labels[:TAUGHT].tolist(), seed)
    seconds = time.process_time() - began
    return Outcome(
        right_before=measure_accuracy(model, tiles[TAUGHT:], labels[TAUGHT:]),
        right_after=measure_accuracy(taught.model, tiles[TAUGHT:], labels[TAUGHT:]),
        mnist_before=taught.others_before.share,
        mnist_after=taught.others_after.share,
        accepted_before=measure_accepted(model, no_digits),
        accepted_after=measure_accepted(taught.model, no_digits),
        seconds=seconds,
    )


def main() -> None:
    """Teach every played writer with several seeds, and print the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mnist_model.pth")
    parser.add_argument("--data-dir", type=Path, default=MNIST_DIR)
    options = parser.parse_args()
    try:
        _, writers = load_training("mnist", options.data_dir)
    except DataError as error:
        sys.exit(f"nothing measured: {error}")
    model = load_model(options.model, "cpu")
    no_digits = draw_no_digits(writers)
    print(HEAD)
    for name, matrix in WRITERS.items():
        outcomes = [teach(model, writers, no_digits, matrix, seed) for seed in range(SEEDS)]
        *shares, seconds = np.mean(outcomes, axis=0)
        cells = [name, *(f"{share:.1%}" for share in shares), f"{seconds:.1f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
