"""A model file rebuilds itself; a training state survives damage."""

import numpy as np
import pytest
import safetensors.torch
import torch

from qdigits.errors import ModelFileError
from qdigits.models.checkpoint import describe, load_model_file, load_state, save_model, save_state
from qdigits.models.registry import MODELS, build
from tests.attacks import model_files, mutants

CARD = {"recipe": {"epochs": 15, "augment": ["warp"]}, "metrics": {"accuracy": 0.97}, "commit": "ü"}


def same_weights(one, other) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_rebuilds_its_model(tmp_path, name):
    model = build(name).to(memory_format=torch.channels_last)
    model.temperature.fill_(1.7)
    save_model(model, tmp_path / "m.pth", CARD)
    loaded = load_model_file(tmp_path / "m.pth")
    assert same_weights(model, loaded)
    assert loaded.card == CARD
    assert not loaded.training
    assert all(weight.requires_grad for weight in loaded.parameters())
    tiles = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    assert np.allclose(loaded.probabilities(tiles), model.eval().probabilities(tiles), atol=1e-6)


def test_plain_torch_reads_a_file_too(tmp_path):
    save_model(build("mlp"), tmp_path / "m.pth", CARD)
    assert torch.load(tmp_path / "m.pth", weights_only=True)["architecture"] == "mlp"


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = build("mlp")
    for file in ("a.pth", "b.pth"):
        save_model(model, tmp_path / file, CARD)
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


def test_safetensors_carries_the_same_as_pth(tmp_path):
    model = build("cnn")
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.torch.save(model.state_dict(), describe(model, CARD)))
    loaded = load_model_file(path)
    assert same_weights(loaded, model)
    assert loaded.card == CARD


def test_a_forged_card_breaks_the_checksum(tmp_path):
    model = build("mlp")
    forged = describe(model, CARD) | {"card": "{}"}
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.torch.save(model.state_dict(), forged))
    with pytest.raises(ModelFileError, match="checksum"):
        load_model_file(path)


@pytest.mark.parametrize("kind", ["pth", "bare", "safetensors"])
def test_damage_never_changes_a_weight_unnoticed(tmp_path, kind):
    model = MODELS["mlp"](4, 4)
    path = tmp_path / "m.pth"
    if kind == "pth":
        save_model(model, path, CARD)
    elif kind == "bare":
        model = build("mlp")
        torch.save(model.backbone.state_dict(), path)
    else:
        path.write_bytes(safetensors.torch.save(model.state_dict(), describe(model, CARD)))
    for damaged in mutants(path.read_bytes(), 200):
        path.write_bytes(damaged)
        try:
            assert same_weights(load_model_file(path), model)
        except ModelFileError as error:
            assert len(str(error).splitlines()) == 1


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = build("mlp")
    model.backbone[1].weight.data[0, 0] = torch.nan
    with pytest.raises(ModelFileError, match="not finite"):
        save_model(model, tmp_path / "m.pth", {})
    assert not list(tmp_path.iterdir())


def test_a_damaged_state_gives_way_to_the_one_before(tmp_path, caplog):
    path = tmp_path / "state.pt"
    weights = torch.arange(4.0)
    for epoch in (1, 2):
        save_state(path, {"epoch": epoch, "weights": weights, "history": [{"loss": 0.5}]})
    assert load_state(path)["epoch"] == 2
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(weights.numpy().tobytes()) + 5] ^= 1  # torch would not notice
    path.write_bytes(damaged)
    assert load_state(path)["epoch"] == 1
    assert "damaged" in caplog.text
    path.unlink()
    assert load_state(path)["epoch"] == 1


def test_a_missing_state_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="no training state"):
        load_state(tmp_path / "state.pt")


def test_a_state_runs_no_code(tmp_path):
    (tmp_path / "state.pt").write_bytes(model_files.zipped(model_files.PAYLOADS["os.system"]))
    with pytest.raises(ModelFileError):
        load_state(tmp_path / "state.pt")
    assert not model_files.CANARY.exists()
