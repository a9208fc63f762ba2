"""A run directory belongs to one training, and a card tells how its model was made."""

import json
from dataclasses import replace

import pytest

from qdigits.errors import ConfigError
from qdigits.training.run_dir import make_card, next_steps
from qdigits.training.trainer import fit


def test_a_second_training_in_the_same_folder_is_refused(short, tmp_path):
    fit(replace(short, epochs=1), tmp_path)
    with pytest.raises(ConfigError, match="--resume"):
        fit(replace(short, epochs=1), tmp_path)


def test_a_training_is_not_resumed_with_other_settings(short, tmp_path):
    fit(replace(short, epochs=1), tmp_path)
    with pytest.raises(ConfigError, match="other settings"):
        fit(short, tmp_path, resume=True)


def test_a_card_holds_every_setting_but_no_folder(short):
    card = make_card(short)
    assert card["recipe"]["ema_decay"] == short.ema_decay
    assert card["recipe"]["augment"] == list(short.augment)
    assert short.data_dir not in json.dumps(card)
    assert card["versions"].keys() == {"torch", "python"}


def test_the_commands_to_go_on_with_name_the_model_and_the_data(short, tmp_path):
    run_dir = tmp_path / "my run"
    run_dir.mkdir()
    (run_dir / "curves.png").touch()
    config = replace(short, data_dir="here", split="writer", seed=3)
    curves, evaluate, read = next_steps(run_dir, config).splitlines()
    model = f"'{run_dir}/last.pth'"
    assert curves.endswith(f"{run_dir}/curves.png")
    assert evaluate.endswith(
        f"qdigits evaluate {model} --data mnist --data-dir here --split writer --seed 3"
    )
    assert read.endswith(f"qdigits read PICTURE --model {model}")
