"""What the tests of data share: small files as MNIST's and QMNIST's authors write them."""

import gzip
from pathlib import Path

import numpy as np

from qdigits.data.split import Split
from qdigits.errors import DataError
from tests.attacks import Outcome
from tests.attacks.idx_files import idx

ROWS = 400
DIGITS_PER_WRITER = 40


def write_source(folder: Path, packed: bool = True) -> Path:
    """Write MNIST and QMNIST in small: ten writers in each part, none in both."""
    draw = np.random.default_rng(0)
    for part, stem, first_writer in (("train", "train", 0), ("test", "t10k", 100)):
        images = draw.integers(0, 256, (ROWS, 28, 28), dtype=np.uint8)
        qmnist_labels = np.zeros((ROWS, 8), ">i4")
        qmnist_labels[:, 0] = np.arange(ROWS) % 10
        qmnist_labels[:, 1] = 4  # the NIST series
        qmnist_labels[:, 2] = first_writer + np.arange(ROWS) // DIGITS_PER_WRITER
        for name, content in {
            f"{stem}-images-idx3-ubyte": idx(images),
            f"{stem}-labels-idx1-ubyte": idx(qmnist_labels[:, 0].astype(np.uint8)),
            f"qmnist-{part}-images-idx3-ubyte": idx(images),
            f"qmnist-{part}-labels-idx2-int": idx(qmnist_labels, 0x0C),
        }.items():
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content, 1))
            else:
                (folder / name).write_bytes(content)
    return folder


def writers_of(split: Split) -> set[int]:
    return set(split.writers.tolist())


def assert_refused(what: str, outcome: Outcome, words: str = "", megabytes: float = 100) -> None:
    """Hold an attack to one DataError, one line, little time and little memory."""
    assert isinstance(outcome.value, DataError), (what, outcome)
    assert words in str(outcome.value), (what, outcome)
    assert len(str(outcome.value).splitlines()) == 1, (what, outcome)
    assert outcome.seconds < 2, (what, outcome)
    assert outcome.megabytes < megabytes, (what, outcome)
