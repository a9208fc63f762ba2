"""A training that is killed, interrupted or run twice: short versions of `make torture`."""

import random
import signal
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from qdigits.errors import ConfigError
from qdigits.training import trainer as train
from qdigits.training.distributed import World
from tests.stress import process_faults as faults

pytest.importorskip("mlxtend")
SETTINGS = replace(faults.SETTINGS, epochs=4)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    faults.fit(run_dir, settings=SETTINGS)
    assert {path.name for path in run_dir.iterdir()} == faults.LEFT
    return run_dir


def test_killed_at_any_moment_it_goes_on_as_if_nothing_had_been(tmp_path, uninterrupted):
    draw, run_dir = random.Random(0), tmp_path / "run"
    for _ in range(4):
        faults.forked(lambda: faults.fit(run_dir, settings=SETTINGS), draw.uniform(0.1, 1))
        assert not faults.whole(run_dir)
    assert faults.forked(lambda: faults.fit(run_dir, settings=SETTINGS))[0] == 0
    assert faults.result(run_dir) == faults.result(uninterrupted)
    assert {path.name for path in run_dir.iterdir()} == faults.LEFT


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_says_so_and_ends(tmp_path, uninterrupted, number, code):
    got, said, seconds = faults.forked(
        lambda: faults.command(tmp_path / "run", "--epochs", "1000"), 1.0, number
    )
    assert (got, "Traceback" in said) == (code, False)
    assert seconds < 5


def test_a_download_is_whole_or_absent_however_it_ends(tmp_path):
    for fault, verdict in faults.downloads(tmp_path, 4):
        assert "WRONG" not in verdict, f"{fault}: {verdict}"


def test_more_processes_than_batch_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        train, "init_distributed", lambda device: nullcontext(World(1, 4, torch.device("cpu")))
    )
    with pytest.raises(ConfigError, match=r"^4 processes cannot share a batch of 3; start fewer$"):
        faults.fit(tmp_path / "run", settings=replace(SETTINGS, batch_size=3))
    assert not list(tmp_path.rglob("*.pth"))


def test_what_would_overwrite_a_training_is_refused(tmp_path):
    for fault, verdict in faults.twice(tmp_path, None):
        assert "WRONG" not in verdict, f"{fault}: {verdict}"
