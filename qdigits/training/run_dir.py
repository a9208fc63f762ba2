"""The folder of a training: who may write to it, what lies in it, in which order it is saved."""

from __future__ import annotations

import json
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from qdigits.errors import ConfigError
from qdigits.evaluation.history import History
from qdigits.files import locked, write_atomically
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import save_model, save_state
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import World
from qdigits.training.page_config import PageConfig

Settings = TrainConfig | PageConfig


@contextmanager
def claim(run_dir: Path, world: World, config: Settings, resume: bool) -> Iterator[None]:
    """Hold a run directory for one training, and overwrite no other training's results.

    Raises:
        ConfigError: It is in use, holds a training that is not to be resumed, or one of other
            settings.
    """
    if not world.is_main:
        yield
        return
    with locked(run_dir):
        settings = run_dir / "config.json"
        if settings.exists():
            check_resumable(settings, config, resume)
        yield


def check_resumable(settings: Path, config: Settings, resume: bool) -> None:
    if not resume:
        raise ConfigError(
            f"{settings.parent} holds a training already; add --resume, or choose another --run-dir"
        )
    if json.loads(settings.read_text()) != json.loads(settings_json(config)):
        raise ConfigError(
            f"{settings.parent} was begun with other settings (config.json there): "
            "choose another --run-dir"
        )


def settings_json(config: Settings) -> str:
    return json.dumps(asdict(config), indent=1)


def save_run(
    run_dir: Path,
    config: TrainConfig,
    model: DigitModel,
    card: dict[str, Any],
    history: History,
    state: dict[str, Any],
) -> None:
    """Save an epoch: the models first, the state last.

    A training that is killed in between goes on from the state before, and does the epoch again.

    Args:
        run_dir: Gets config.json, last.pth, best.pth (by validation accuracy), metrics.jsonl and
            state.pt.
        config: The settings.
        model: The network to keep.
        card: What the model file tells of its making.
        history: All epochs so far.
        state: What a resumed training needs.
    """
    write_atomically(run_dir / "config.json", settings_json(config).encode())
    card = card | {"metrics": dict(history[-1])}
    save_model(model, run_dir / "last.pth", card)
    if history.best() is history[-1]:
        save_model(model, run_dir / "best.pth", card)
    lines = "".join(json.dumps(epoch) + "\n" for epoch in history)
    write_atomically(run_dir / "metrics.jsonl", lines.encode())
    save_state(run_dir / "state.pt", state)


def next_steps(run_dir: Path, config: TrainConfig) -> str:
    """Say where a finished training's curves are, and the two commands to go on with.

    Args:
        run_dir: Of the training.
        config: Its settings: the model is measured on the test digits of the same source.
    """
    model = shlex.quote(str(run_dir / "last.pth"))
    evaluate = ["qdigits", "evaluate", str(run_dir / "last.pth"), "--data", config.data]
    if config.data_dir:
        evaluate += ["--data-dir", config.data_dir]
    if config.split != "official":
        evaluate += ["--split", config.split, "--seed", str(config.seed)]
    lines = [
        "measure it:   " + shlex.join(evaluate),
        f"read with it: qdigits read PICTURE --model {model}",
    ]
    if (run_dir / "curves.png").exists():
        lines.insert(0, f"curves:       {run_dir / 'curves.png'}")
    return "\n".join(lines)


def make_card(config: Settings) -> dict[str, Any]:
    """Describe how a model is made, in plain types, without folders of this machine.

    It is written when a training starts: then the code is what it is.
    """
    return {
        "recipe": json.loads(settings_json(config)) | {"data_dir": None},
        "versions": {"torch": str(torch.__version__), "python": platform.python_version()},
        "commit": describe_commit(),
    }


def describe_commit() -> str:
    """Return the commit of a clone; "" without git, or where the package is installed.

    The folder around an installed package may be another project's.
    """
    root = Path(__file__).parents[2]
    git = shutil.which("git")
    if not git or not (root / ".git").exists():
        return ""
    describe = [git, "-C", str(root), "describe", "--always", "--dirty"]
    return subprocess.run(describe, capture_output=True, text=True).stdout.strip()
