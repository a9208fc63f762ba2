"""What the tests of training share."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from qdigits.evaluation.history import History
from qdigits.training.config import TrainConfig
from qdigits.training.trainer import fit

# Both in one group: to launch processes takes far longer than what they do here.
SHARED_WORK = """
from contextlib import nullcontext

import torch

from qdigits.data.loading import load_training
from qdigits.training import trainer
from qdigits.training.batches import batches
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import init_distributed
from qdigits.training.recipes import get_recipe

config = {config!r}
folder = {folder!r}
train, _ = load_training("mnist", config.data_dir)
with init_distributed("cpu") as world:
    shown = batches(train, torch.arange(300), get_recipe("default"), 1, world)
    torch.save([tuple(batch) for batch in shown], f"{{folder}}/batches of {{world.rank}}.pt")
    trainer.init_distributed = lambda device: nullcontext(world)
    trainer.fit(config, folder + "/run")
"""


@pytest.fixture(scope="session")
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


class Trained(NamedTuple):
    """A training that has run, for tests that change nothing in it."""

    folder: Path
    history: History


@pytest.fixture(scope="session")
def trained(short, tmp_path_factory) -> Trained:
    """The short training from beginning to end."""
    folder = tmp_path_factory.mktemp("trained")
    return Trained(folder, fit(short, folder))


@pytest.fixture(scope="session")
def shared_work(short) -> TrainConfig:
    """A training whose result hardly depends on the order of sums."""
    return replace(short, model="mlp", epochs=2, optimizer="sgd", negative_fraction=0.25)


@pytest.fixture(scope="session")
def two_processes(shared_work, tmp_path_factory) -> Path:
    """What two processes of torchrun leave: the batches that each has seen, and a training."""
    folder = tmp_path_factory.mktemp("two processes")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    script = folder / "script.py"
    script.write_text(SHARED_WORK.format(config=shared_work, folder=str(folder)))
    command: list[str | Path] = [*launcher, "--nproc-per-node=2", script]
    subprocess.run(command, env=environment, check=True, timeout=600, capture_output=True)
    return folder
