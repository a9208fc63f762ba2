"""Measure a model on test digits. This is the only code that opens test files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qdigits.data.loading import load_test
from qdigits.evaluation.report import Report, build_report

BATCH_SIZE = 1000  # tiles; keeps memory flat


def evaluate(
    model: Any,
    source: str = "qmnist",
    data_dir: str | Path | None = None,
    split: str = "official",
    seed: int = 0,
    name: str = "model",
) -> Report:
    """Measure a model on the test digits of a source.

    Args:
        model: A model as load_model returns it.
        source: A name in SOURCES, as training took it.
        data_dir: The folder that holds the source's files; the cache by default.
        split: A name in SPLITS, as training took it.
        seed: The seed of the writer and random splits, as training took it.
        name: What the report calls the model.

    Raises:
        DataError: A file is missing or damaged.
    """
    digits = load_test(source, data_dir, split, seed)
    tiles = digits.images.numpy()
    batches = [
        model.probabilities(tiles[start : start + BATCH_SIZE])
        for start in range(0, len(tiles), BATCH_SIZE)
    ]
    data = f"{source} test" if split == "official" else f"{source} test, {split} split"
    threshold = float(model.threshold)
    return build_report(np.concatenate(batches), digits, threshold, name, data)
