"""Files of the first format are read as what they are called today."""

import io
import json

import torch

from qdigits.models.checkpoint import compute_digest, load_model_file
from qdigits.models.model_format import FORMAT_1, upgrade_card
from qdigits.models.registry import build


def first_format_file(model, architecture: str, recipe: dict) -> bytes:
    """A model file as the first version wrote it."""
    old_names = {"reject_logit": "nothing", "threshold": "accept"}
    state = {}
    for name, value in model.state_dict().items():
        name = name.replace("backbone.", "body.", 1)
        state[old_names.get(name, name)] = value
    description = {
        "format": FORMAT_1,
        "architecture": architecture,
        "dimensions": "{}",
        "card": json.dumps({"recipe": recipe, "commit": "abc"}),
    }
    digest = compute_digest(description, state)
    buffer = io.BytesIO()
    torch.save(description | {"sha256": digest, "state": state}, buffer)
    return buffer.getvalue()


def test_a_file_of_the_first_format_keeps_every_value(tmp_path):
    model = build("small")
    model.threshold.fill_(0.7)
    model.reject_logit.fill_(-2.0)
    recipe = {"model": "swift", "negatives": 0.3, "epochs": 4}
    (tmp_path / "old.pth").write_bytes(first_format_file(model, "swift", recipe))
    loaded = load_model_file(tmp_path / "old.pth")
    assert loaded.architecture == "small"
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_the_settings_in_an_old_card_get_the_names_of_today(tmp_path):
    recipe = {"model": "swift", "negatives": 0.3, "average": 0.9, "epochs": 4}
    (tmp_path / "old.pth").write_bytes(first_format_file(build("small"), "swift", recipe))
    card = load_model_file(tmp_path / "old.pth").card
    assert card["commit"] == "abc"
    assert card["recipe"] == {
        "model": "small",
        "negative_fraction": 0.3,
        "ema_decay": 0.9,
        "epochs": 4,
    }


def test_a_card_of_another_shape_stays_as_it_is():
    for card in ({}, {"recipe": "unknown"}, {"recipe": {"model": 3}}, [1]):
        assert upgrade_card(card) == card
