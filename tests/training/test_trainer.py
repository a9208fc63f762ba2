"""A training gives the same weights for the same seed, and learns nothing from the wrong place."""

import math
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
from qdigits.training import run_dir, trainer
from qdigits.training.batches import make_batch
from qdigits.training.config import TrainConfig
from qdigits.training.optim import OPTIMIZERS
from qdigits.training.recipes import RECIPES, get_recipe
from qdigits.training.trainer import fit, pixel_statistics


def last_weights(folder) -> dict[str, torch.Tensor]:
    return load_model_file(folder / "last.pth").state_dict()


def same_weights(folder, other_folder) -> bool:
    one = last_weights(folder)
    other = last_weights(other_folder)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_learns_and_writes_what_it_promises(trained):
    folder, history = trained
    files = {"config.json", "metrics.jsonl", "best.pth", "last.pth", "state.pt"}
    assert {path.name for path in folder.iterdir()} >= files
    assert History.load(folder) == history
    assert len(history) == 3
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(short, trained, tmp_path):
    fit(short, tmp_path / "same")
    fit(replace(short, seed=1), tmp_path / "other")
    assert same_weights(trained.folder, tmp_path / "same")
    assert not same_weights(trained.folder, tmp_path / "other")


def test_a_resumed_training_ends_in_the_same_bits(short, trained, tmp_path, monkeypatch):
    save_state = run_dir.save_state
    saved = []

    def save_and_stop(path, state):
        save_state(path, state)
        saved.append(path)
        raise KeyboardInterrupt

    monkeypatch.setattr(run_dir, "save_state", save_and_stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fit(short, tmp_path / "cut", resume=bool(saved))
    monkeypatch.setattr(run_dir, "save_state", save_state)
    fit(short, tmp_path / "cut", resume=True)
    assert len(saved) == 2
    assert same_weights(trained.folder, tmp_path / "cut")


def test_one_process_and_two_agree(shared_work, tmp_path, two_processes):
    fit(shared_work, tmp_path / "one")
    one = last_weights(tmp_path / "one")
    two = last_weights(two_processes / "run")
    learned = [name for name in one if name.startswith("backbone")]
    assert max((one[name] - two[name]).abs().max() for name in learned) < 1e-5
    accuracy_of_two = History.load(two_processes / "run")[-1]["validation_accuracy"]
    accuracy_of_one = History.load(tmp_path / "one")[-1]["validation_accuracy"]
    assert accuracy_of_one == pytest.approx(accuracy_of_two, abs=0.003)


def test_training_opens_no_test_file(short, tmp_path):
    opened = []
    watching = [True]

    def note(event, args):
        if event == "open" and watching:
            opened.append(str(args[0]))

    sys.addaudithook(note)  # it stays for good, so it is told when to stop
    fit(replace(short, epochs=1), tmp_path / "run")
    watching.clear()
    assert any("train-images" in path for path in opened)
    assert not [path for path in opened if "t10k" in path or "qmnist-test" in path]


def test_shuffled_labels_stay_at_chance(short, tmp_path, monkeypatch):
    def shuffle(split):
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(7))
        return replace(split, labels=split.labels[order])

    def load_shuffled(*args, **kwargs):
        return tuple(shuffle(split) for split in load_training(*args, **kwargs))

    monkeypatch.setattr(trainer, "load_training", load_shuffled)
    config = replace(short, augment=(), negative_fraction=0, val_fraction=0.4)
    history = fit(config, tmp_path / "run")
    held_out = load_training("mnist", config.data_dir, validation=0.4)[1]
    four_sigma = 4 * math.sqrt(0.1 * 0.9 / len(held_out))
    assert abs(history[-1]["validation_accuracy"] - 0.1) < four_sigma + 0.02


@pytest.mark.parametrize("name", MODELS)
def test_every_network_can_learn_one_batch_by_heart(name, digits_dir):
    torch.manual_seed(0)
    train, _ = load_training("mnist", digits_dir)
    model = build(name)
    images, labels = make_batch(train.images[:32], train.labels[:32], TrainConfig(), (0,))
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert (model(images).argmax(1) == labels).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name, short, tmp_path):
    lr = {"sgd": 0.05, "nesterov": 0.05, "adamw": 3e-3}[name]
    plain = replace(short, augment=(), negative_fraction=0, ema_decay=0)
    config = replace(plain, optimizer=name, lr=lr, epochs=2)
    assert fit(config, tmp_path / "run")[-1]["validation_accuracy"] > 0.6


def test_bfloat16_learns_as_well_and_keeps_single_precision_weights(short, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "has_bfloat16", lambda device: True)  # or emulated, slowly
    plain = replace(short, augment=(), negative_fraction=0, ema_decay=0)
    config = replace(plain, model="tiny", epochs=1)
    single = fit(config, tmp_path / "single")[-1]["train_loss"]
    half = fit(replace(config, bf16=True), tmp_path / "half")[-1]["train_loss"]
    assert half != single
    assert half == pytest.approx(single, rel=0.05)
    dtypes = {value.dtype for value in last_weights(tmp_path / "half").values()}
    assert dtypes <= {torch.float32, torch.int64}


def test_float32_takes_the_place_of_bfloat16_that_would_be_emulated(short, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "has_bfloat16", lambda device: False)
    config = replace(short, augment=(), negative_fraction=0, epochs=0.2)
    fit(config, tmp_path / "single")
    fit(replace(config, bf16=True), tmp_path / "asked for half")
    assert same_weights(tmp_path / "single", tmp_path / "asked for half")
    card = load_model_file(tmp_path / "asked for half" / "last.pth").card
    assert card["recipe"]["bf16"] is False


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs(name, few_digits_dir, tmp_path):
    config = replace(
        get_recipe(name),
        data="mnist",
        data_dir=str(few_digits_dir),
        val_fraction=0.1,
        epochs=1.2,  # the second shows the hardest digits
        batch_size=60,
        threads=1,
    )
    assert len(fit(config, tmp_path / "run")) == 2
    card = load_model_file(tmp_path / "run" / "last.pth").card
    assert card["recipe"]["model"] == config.model
    assert card["metrics"]["epoch"] == 2


def test_an_unknown_augmentation_lists_those_there_are(short, tmp_path):
    with pytest.raises(ConfigError, match="choose from"):
        fit(replace(short, augment=("rain",)), tmp_path / "run")


def test_a_loss_that_is_not_finite_ends_the_training_and_saves_nothing(short, tmp_path):
    plain = replace(short, augment=(), negative_fraction=0, schedule="constant")
    wild = replace(plain, lr=10, optimizer="sgd", momentum=0.9999, warmup_fraction=0)
    with pytest.raises(QDigitsError, match="no longer finite"):
        fit(wild, tmp_path / "wild")
    assert not (tmp_path / "wild" / "last.pth").exists()


def test_a_training_without_data_leaves_nothing(short, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        fit(replace(short, data_dir="nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pixel_statistics_are_those_of_the_pixels():
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (50, 28, 28), dtype=torch.uint8, generator=rng)
    statistics = pixel_statistics(images)
    pixels = images.double() / 255
    assert float(statistics.mean) == pytest.approx(float(pixels.mean()), rel=1e-6)
    assert float(statistics.std) == pytest.approx(float(pixels.std(correction=0)), rel=1e-6)


def test_a_training_prints_a_line_an_epoch(short, tmp_path, capsys):
    fit(replace(short, epochs=2), tmp_path / "run")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert all("held-out digits" in line for line in lines)
