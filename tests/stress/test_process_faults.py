"""A training that is killed, interrupted or run twice: short versions of `make stress`."""

import random
import signal
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import pytest
import torch

from qdigits.errors import ConfigError
from qdigits.training import trainer
from qdigits.training.distributed import World
from tests.stress import command_faults, download_faults, process_faults
from tests.stress.process_faults import RUN_FILES, read_result, run_train_command
from tests.stress.support import run_in_child

pytest.importorskip("mlxtend")
CONFIG = replace(process_faults.CONFIG, epochs=4)


def list_names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    process_faults.train(run_dir, config=CONFIG)
    assert list_names(run_dir) == RUN_FILES
    return run_dir


def test_training_killed_at_any_moment_resumes_to_the_same_weights(tmp_path, uninterrupted):
    draw = random.Random(0)
    run_dir = tmp_path / "run"
    train = partial(process_faults.train, run_dir, config=CONFIG)
    for _ in range(4):
        run_in_child(train, draw.uniform(0.1, 1))
        assert not process_faults.find_damage(run_dir)
    assert run_in_child(train).code == 0
    assert read_result(run_dir) == read_result(uninterrupted)
    assert list_names(run_dir) == RUN_FILES


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_command_ends_at_once_without_a_traceback(tmp_path, number, code):
    run_dir = tmp_path / "run"
    train = partial(run_train_command, run_dir, epochs=1000)
    ending = run_in_child(train, number=number, once_there_is=run_dir / "metrics.jsonl")
    assert ending.code == code
    assert "Traceback" not in ending.stderr
    assert ending.seconds < 5


def test_download_leaves_the_whole_file_or_none_however_it_ends(tmp_path):
    (row,) = download_faults.downloads(tmp_path, 4)
    assert not row.wrong


def test_more_processes_than_images_in_a_batch_are_refused(tmp_path, monkeypatch):
    world = World(1, 4, torch.device("cpu"))
    monkeypatch.setattr(trainer, "init_distributed", lambda device: nullcontext(world))
    with pytest.raises(ConfigError, match=r"^4 processes cannot share a batch of 3; start fewer$"):
        process_faults.train(tmp_path / "run", config=replace(CONFIG, batch_size=3))
    assert not list(tmp_path.rglob("*.pth"))


def test_second_training_in_the_same_folder_is_refused(tmp_path):
    (row,) = process_faults.twice(tmp_path, None)
    assert not row.wrong


def test_random_command_lines_end_without_a_traceback(tmp_path):
    (row,) = command_faults.commands(tmp_path, 15)
    assert not row.wrong
