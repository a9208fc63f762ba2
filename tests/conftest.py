"""What several test files share."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # results depend on the number of threads: one, before torch is loaded

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _shared(folder: str) -> Path:
    path = ROOT.parent / "shared" / "data" / folder
    if not path.is_dir():
        pytest.skip(f"../shared/data/{folder} is not here: this test needs the data that lies beside the repository")
    return path


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of MNIST's official files and QMNIST's labels, or a skip."""
    return _shared("mnist")


@pytest.fixture(scope="session")
def dev() -> Path:
    """The folder of digits from other hands, or a skip."""
    return _shared("dev")
