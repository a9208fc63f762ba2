"""Training: the same weights from the same seed, and nothing learnt from the wrong place."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from qdigits.data.loading import load_training
from qdigits.errors import ConfigError, DataError, QDigitsError
from qdigits.evaluation.history import History
from qdigits.models.checkpoint import load_model_file
from qdigits.models.registry import MODELS, build
from qdigits.training import run_dir
from qdigits.training import trainer as training
from qdigits.training.batches import make_batch
from qdigits.training.config import TrainConfig
from qdigits.training.optim import OPTIMIZERS, lr_at
from qdigits.training.recipes import RECIPES, get_recipe
from qdigits.training.trainer import fit


@pytest.fixture
def short(digits_dir) -> TrainConfig:
    """A training of a few seconds that uses everything: negatives, augmentation, hard digits, averaging, a schedule."""
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


def weights(run_dir) -> dict[str, torch.Tensor]:
    return load_model_file(run_dir / "last.pth").state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_baseline_is_the_task_s_network_and_settings():
    baseline, model = get_recipe("baseline"), build("mlp")
    assert (
        baseline.epochs,
        baseline.batch_size,
        baseline.lr,
        baseline.momentum,
        baseline.optimizer,
    ) == (
        15,
        32,
        0.001,
        0.9,
        "sgd",
    )
    assert (baseline.model, baseline.schedule, baseline.augment, baseline.weight_decay) == (
        "mlp",
        "constant",
        (),
        0,
    )
    assert sum(p.numel() for p in model.parameters()) == 109_386
    shapes = [tuple(p.shape) for p in model.parameters() if p.ndim == 2]
    assert shapes == [(128, 784), (64, 128), (10, 64)]


def test_a_run_writes_what_it_promises_and_the_same_seed_gives_the_same_bits(short, tmp_path):
    history = fit(short, tmp_path / "a")
    fit(short, tmp_path / "b")
    assert {path.name for path in (tmp_path / "a").iterdir()} >= {
        "config.json",
        "metrics.jsonl",
        "best.pth",
        "last.pth",
        "state.pt",
    }
    assert History.load(tmp_path / "a") == history and len(history) == 3
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    fit(replace(short, seed=1), tmp_path / "c")
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_a_resumed_training_ends_in_the_same_bits(short, tmp_path, monkeypatch):
    fit(short, tmp_path / "whole")
    save, saved = run_dir.save_state, []

    def cut(path, state):
        save(path, state)
        saved.append(path)
        raise KeyboardInterrupt

    monkeypatch.setattr(run_dir, "save_state", cut)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fit(short, tmp_path / "cut", resume=bool(saved))
    monkeypatch.setattr(run_dir, "save_state", save)
    fit(short, tmp_path / "cut", resume=True)
    assert len(saved) == 2
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def torchrun(folder, script):
    (folder / "two.py").write_text(script)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        folder / "two.py",
    ]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, env=env, check=True, timeout=120, capture_output=True)


def test_one_process_and_two_agree(short, tmp_path):
    short = replace(short, model="mlp", epochs=2, optimizer="sgd", negative_fraction=0.25)
    fit(short, tmp_path / "one")
    torchrun(
        tmp_path,
        f"from qdigits.training.trainer import *\nfit({short!r}, {str(tmp_path / 'two')!r})\n",
    )
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert (
        max((one[name] - two[name]).abs().max() for name in one if name.startswith("backbone"))
        < 1e-5
    )
    assert History.load(tmp_path / "one")[-1]["validation_accuracy"] == pytest.approx(
        History.load(tmp_path / "two")[-1]["validation_accuracy"], abs=0.003
    )


def test_training_opens_no_test_file(short, tmp_path):
    opened, watching = [], [True]
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if event == "open" and watching else None
    )
    fit(replace(short, epochs=1), tmp_path / "run")
    watching.clear()
    assert any("train-images" in path for path in opened)
    assert not [path for path in opened if "t10k" in path or "qmnist-test" in path]


def test_shuffled_labels_stay_at_chance(short, tmp_path, monkeypatch):
    def shuffled(*args, **kwargs):
        return tuple(
            replace(
                split,
                labels=split.labels[
                    torch.randperm(len(split), generator=torch.Generator().manual_seed(7))
                ],
            )
            for split in load_training(*args, **kwargs)
        )

    monkeypatch.setattr(training, "load_training", shuffled)
    config = replace(short, augment=(), negative_fraction=0, val_fraction=0.4)
    history = fit(config, tmp_path / "run")
    held_out = load_training("mnist", config.data_dir, validation=0.4)[1]
    assert (
        abs(history[-1]["validation_accuracy"] - 0.1)
        < 4 * math.sqrt(0.1 * 0.9 / len(held_out)) + 0.02
    )


@pytest.mark.parametrize("name", MODELS)
def test_one_batch_overfits(name, digits_dir):
    torch.manual_seed(0)
    train, _ = load_training("mnist", digits_dir)
    model = build(name)
    images, labels = make_batch(train.images[:64], train.labels[:64], TrainConfig(), (0,))
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert (model(images).argmax(1) == labels).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name, short, tmp_path):
    lr = {"sgd": 0.05, "nesterov": 0.05, "adamw": 3e-3}[name]
    config = replace(
        short, optimizer=name, lr=lr, epochs=2, augment=(), negative_fraction=0, ema_decay=0
    )
    assert fit(config, tmp_path / "run")[-1]["validation_accuracy"] > 0.6


def test_half_the_bits_learn_as_well_and_keep_whole_weights(short, tmp_path):
    config = replace(short, model="tiny", epochs=2, augment=(), negative_fraction=0, ema_decay=0)
    whole, half = (
        fit(replace(config, bf16=bf16), tmp_path / f"{bf16}")[-1] for bf16 in (False, True)
    )
    assert half["train_loss"] != whole["train_loss"] == pytest.approx(half["train_loss"], rel=0.05)
    assert {value.dtype for value in weights(tmp_path / "True").values()} <= {
        torch.float32,
        torch.int64,
    }


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs(name, digits_dir, tmp_path):
    config = replace(
        get_recipe(name), data="mnist", data_dir=str(digits_dir), epochs=1, batch_size=200
    )
    assert len(fit(config, tmp_path / "run")) == 1


def test_schedules_are_arithmetic_on_the_step():
    config = TrainConfig(lr=0.1, schedule="cosine", warmup_fraction=0.1)
    rates = [lr_at(step, 100, config) for step in range(100)]
    assert 0 < rates[0] < rates[5] < rates[10] == 0.1 and rates[99] < 1e-3
    assert {lr_at(step, 100, TrainConfig(lr=0.1)) for step in range(100)} == {0.1}
    assert lr_at(50, 100, TrainConfig(lr=0.1, schedule="linear")) == pytest.approx(0.05)


def test_every_number_of_processes_sees_the_same_batches(digits_dir, tmp_path):
    script = f"""
import torch
from qdigits.training.batches import *
from qdigits.training.recipes import get_recipe
from qdigits.data.loading import load_training
from qdigits.training.distributed import init_distributed

train, _ = load_training("mnist", {str(digits_dir)!r})
with init_distributed("cpu") as world:
    shown = list(batches(train, torch.arange(300), get_recipe("default"), 1, world))
torch.save(shown, {str(tmp_path)!r} + f"/{{world.rank}} of {{world.size}}.pt")
"""
    exec(script, {})
    torchrun(tmp_path, script)
    whole, *shares = (
        torch.load(tmp_path / name) for name in ("0 of 1.pt", "0 of 2.pt", "1 of 2.pt")
    )
    assert len(whole) == 3
    for rank, share in enumerate(shares):
        for (_, images, labels, _), (_, own_images, own_labels, weight) in zip(
            whole, share, strict=True
        ):
            assert torch.equal(own_images, images[rank::2]) and torch.equal(
                own_labels, labels[rank::2]
            )
            assert weight == 2 * len(own_labels) / len(labels)


def test_what_cannot_go_well_is_refused(short, tmp_path):
    fit(replace(short, epochs=1), tmp_path / "run")
    with pytest.raises(ConfigError, match="--resume"):
        fit(replace(short, epochs=1), tmp_path / "run")
    with pytest.raises(ConfigError, match="other settings"):
        fit(short, tmp_path / "run", resume=True)
    with pytest.raises(ConfigError, match="choose from"):
        fit(replace(short, augment=("rain",)), tmp_path / "other")
    with pytest.raises(QDigitsError, match="no longer finite"):
        wild = replace(
            short, lr=10, optimizer="sgd", momentum=0.9999, schedule="constant", warmup_fraction=0
        )
        fit(replace(wild, augment=(), negative_fraction=0), tmp_path / "wild")
    assert not (tmp_path / "wild" / "last.pth").exists()


def test_a_training_without_data_leaves_nothing(short, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        fit(replace(short, data_dir="nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
