"""What several test files share."""

import os

# Results depend on the number of threads: one, before torch is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gzip
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR", ROOT.parent / "shared" / "data"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --count, which `make stress COUNT=50` sets."""
    parser.addoption("--count", type=int, help="how many of each fault, for tests marked stress")


@pytest.fixture
def stress_count(request: pytest.FixtureRequest) -> int | None:
    """The number of faults of each kind that were asked for; without it, the full number."""
    return request.config.getoption("--count")


def find_data(folder: str) -> Path:
    """Return a folder of the data that lie beside the repository, or skip the test."""
    path = DATA_DIR / folder
    if not path.is_dir():
        pytest.skip(f"{path} is not here; DATA_DIR names the folder that holds {folder}/")
    return path


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of MNIST's official files and QMNIST's labels, or a skip."""
    return find_data("mnist")


@pytest.fixture(scope="session")
def dev() -> Path:
    """The folder of external digits, scans and photographs, or a skip."""
    return find_data("dev")


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST's files in small: 2,000 digits to train on, 500 to test on."""
    return write_mnist(tmp_path_factory.mktemp("mnist"), train=2000, test=500)


@pytest.fixture(scope="session")
def few_digits_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST's files in miniature, where it matters only that a training runs."""
    return write_mnist(tmp_path_factory.mktemp("few"), train=240, test=60)


def write_mnist(folder: Path, train: int, test: int) -> Path:
    """Write digits of the sample, ten a writer, as MNIST's files; return their folder."""
    from qdigits.data.sample import load_sample

    tiles, labels = load_sample()
    order = np.random.default_rng(0).permutation(len(labels))
    parts = ("train", "train", order[:train]), ("test", "t10k", order[train : train + test])
    for part, stem, rows in parts:
        extended = np.zeros((len(rows), 8), ">i4")
        extended[:, 0] = labels[rows]
        extended[:, 2] = np.arange(len(rows)) // 10  # the writer
        write_idx(folder / f"{stem}-images-idx3-ubyte.gz", 0x803, tiles[rows])
        write_idx(folder / f"{stem}-labels-idx1-ubyte.gz", 0x801, labels[rows])
        write_idx(folder / f"qmnist-{part}-labels-idx2-int.gz", 0xC02, extended)
    return folder


def write_idx(path: Path, magic: int, values: np.ndarray) -> None:
    """Write an array as a gzipped IDX file."""
    head = np.array([magic, *values.shape], ">i4").tobytes()
    path.write_bytes(gzip.compress(head + values.tobytes(), 1))
