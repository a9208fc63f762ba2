"""What teaching a hand gains and costs: digits of MNIST's validation writers, turned or leaning, taught and read again.

    python -m bench.accuracy.finetune [--model mnist_model.pth] [--data-dir ../shared/data/mnist]

No test file is opened. A hand is 60 digits to teach and 800 others to measure on, all changed in the same way.
"""

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from qdigits import DataError, load_model
from qdigits.augment.negatives import draw_negatives
from qdigits.data.loading import load_training
from qdigits.training.finetune import finetune

ROOT = Path(__file__).parents[2]
TAUGHT, MEASURED, NOTHING, SEEDS = 60, 800, 1000, 3
HANDS = {  # 2x2 matrices
    "as they are": ((1, 0), (0, 1)),
    "turned by 35 degrees": ((0.819, -0.574), (0.574, 0.819)),
    "leaning by 40 degrees": ((1, 0.839), (0, 1)),
    "written backwards": ((-1, 0), (0, 1)),
}


def changed(tiles: np.ndarray, matrix: tuple) -> np.ndarray:
    linear, middle = np.array(matrix), np.full((2, 1), 13.5)
    whole = np.hstack([linear, middle - linear @ middle])
    return np.stack(
        [cv2.warpAffine(tile, whole, (28, 28), flags=cv2.INTER_LINEAR) for tile in tiles]
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", default="mnist_model.pth")
    arguments.add_argument(
        "--data-dir", type=Path, default=ROOT.parent / "shared" / "data" / "mnist"
    )
    chosen = arguments.parse_args()
    try:
        _, writers = load_training("mnist", chosen.data_dir)
    except DataError as error:
        sys.exit(f"nothing measured: {error}")
    model = load_model(chosen.model, "cpu")
    images, labels = writers.images.numpy(), writers.labels.numpy()
    some = torch.from_numpy(images[:NOTHING, None]).float() / 255
    drawn = draw_negatives(
        NOTHING, some, writers.labels[:NOTHING], torch.Generator().manual_seed(0)
    )
    no_digits = (255 * drawn[:, 0]).round().byte().numpy()

    print(
        "| a hand | right before | after | MNIST before | after | no digits accepted before | after | seconds |"
    )
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for hand, matrix in HANDS.items():
        rows = []
        for seed in range(SEEDS):
            own = np.random.default_rng(seed).permutation(len(labels))[: TAUGHT + MEASURED]
            tiles, said = changed(images[own], matrix), labels[own]
            began = time.process_time()
            learnt = finetune(model, list(tiles[:TAUGHT]), said[:TAUGHT].tolist(), seed)
            spent = time.process_time() - began
            row = []
            for judged, others in (
                (model, learnt.others_before),
                (learnt.model, learnt.others_after),
            ):
                right = (judged.probabilities(tiles[TAUGHT:]).argmax(1) == said[TAUGHT:]).mean()
                passed = (judged.probabilities(no_digits).max(1) >= float(judged.threshold)).mean()
                row.append((right, others.share, passed))
            rows.append([*np.transpose(row).ravel(), spent])
        *shares, seconds = np.mean(rows, 0)
        print(
            f"| {hand} | " + " | ".join(f"{share:.1%}" for share in shares) + f" | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
