"""What the tests of training share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qdigits.training.config import TrainConfig


@pytest.fixture
def short(digits_dir) -> TrainConfig:
    """A training of a few seconds that uses nearly every setting."""
    return TrainConfig(
        data="mnist",
        data_dir=str(digits_dir),
        epochs=2.5,
        batch_size=100,
        lr=3e-3,
        optimizer="adamw",
        schedule="cosine",
        warmup_fraction=0.1,
        augment=("warp", "noise"),
        negative_fraction=0.2,
        hard_fraction=0.6,
        ema_decay=0.9,
    )


@pytest.fixture
def torchrun(tmp_path):
    """Run a script in two processes, as torchrun does."""

    def run(script: str) -> None:
        path = tmp_path / "two_processes.py"
        path.write_text(script)
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        command: list[str | Path] = [*launcher, "--nproc-per-node=2", path]
        subprocess.run(command, env=environment, check=True, timeout=600, capture_output=True)

    return run
