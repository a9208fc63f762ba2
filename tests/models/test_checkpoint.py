"""The model file and the training state: whole or untouched on disk, and nothing trusted that is read."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from qdigits.errors import ModelFileError, QDigitsError
from qdigits.files import new_file, new_folder, read_file, resolve, write_atomically
from qdigits.models.checkpoint import describe, load_model_file, load_state, save_model, save_state
from qdigits.models.registry import MODELS, build
from tests.attacks import model_files, mutants, tried

WORDS = {  # each guard says what it found, and not merely that something is wrong
    "a directory": "not a file",
    "a terabyte, sparse": "1,099,511,627,776 bytes; 1 to 33,554,432 can be read",
    "the path '/proc/kmsg'": "0 bytes",
    "the path 'nowhere.pth'": "no such model here",
    "600,000 parts": "more parts",
    "compressed gigabyte": "compressed",
    "a part of 2 GB": "claim more bytes",
    "an endless pickle": "too long",
    "opcode OBJ": "it asks for 'os.system', which no such file needs; save the weights alone",
    "billion laughs, to be hashed": "a key that is neither text nor number",
    "a weight not contiguous": "not a dense tensor",
    "wrong checksum": "checksum",
    "unknown architecture": "unknown architecture 'resnet'; known are mlp, cnn",
    "card a list": "not a mapping",
    "hidden1 = 0": "no mlp has the dimensions",
    "hidden1 = True": "no mlp has the dimensions",
    "hidden1 = 1000000": "no mlp has the dimensions",
    "hidden1 = 128": "no mlp has the dimensions",
    "another's weights": "do not fit",
    "a weight NaN": "weights are not finite",
    "a bare state_dict with -inf": "weights are not finite",
    "temperature = 0.0": "answers are not finite",
    "a bare state_dict of another network": "not those of the baseline's",
    "text": "damaged, or not a model file",
}
CARD = {"recipe": {"epochs": 15, "augment": ["warp"]}, "metrics": {"accuracy": 0.97}, "commit": "ü"}


def same(one, other) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_rebuilds_itself(tmp_path, name):
    model = build(name).to(memory_format=torch.channels_last)
    model.temperature.fill_(1.7)
    save_model(model, tmp_path / "m.pth", CARD)
    loaded = load_model_file(tmp_path / "m.pth")
    assert same(model, loaded)
    assert loaded.card == CARD
    assert not loaded.training
    assert all(weight.requires_grad for weight in loaded.parameters())
    tiles = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    assert np.allclose(loaded.probabilities(tiles), model.eval().probabilities(tiles), atol=1e-6)
    assert (
        torch.load(tmp_path / "m.pth", weights_only=True)["architecture"] == name
    )  # plain torch reads it, too


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = build("mlp")
    for file in ("a.pth", "b.pth"):
        save_model(model, tmp_path / file, CARD)
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


@pytest.mark.parametrize("prefix", ["", "module.", "layer"])
def test_a_bare_state_dict_of_the_baseline_is_read(tmp_path, prefix):
    model = build("mlp")
    state = {prefix + name: value for name, value in model.backbone.state_dict().items()}
    torch.save(state, tmp_path / "bare.pth")
    (tmp_path / "bare.safetensors").write_bytes(safetensors.torch.save(state, {"format": "pt"}))
    assert same(load_model_file(tmp_path / "bare.pth"), model)
    assert same(load_model_file(tmp_path / "bare.safetensors"), model)
    torch.save(
        torch.nn.Sequential(*model.backbone).state_dict(), tmp_path / "bare.pth"
    )  # with torch's own _metadata
    assert same(load_model_file(tmp_path / "bare.pth"), model)


def test_safetensors_carries_the_same(tmp_path):
    model = build("cnn")
    about = describe(model, CARD)
    (tmp_path / "m.safetensors").write_bytes(safetensors.torch.save(model.state_dict(), about))
    loaded = load_model_file(tmp_path / "m.safetensors")
    assert same(loaded, model)
    assert loaded.card == CARD
    forged = safetensors.torch.save(model.state_dict(), about | {"card": "{}"})
    (tmp_path / "m.safetensors").write_bytes(forged)
    with pytest.raises(ModelFileError, match="checksum"):
        load_model_file(tmp_path / "m.safetensors")


def test_every_attack_ends_in_one_line(tmp_path):
    model_files.CANARY.unlink(missing_ok=True)
    tried(lambda: load_model_file("nowhere"))  # what the first call imports is not the attack's
    seen = set()
    for what, path in model_files.files(tmp_path):
        outcome = tried(lambda path=path: load_model_file(path))
        seen.add(what)
        assert isinstance(outcome.value, ModelFileError), (what, outcome)
        assert len(str(outcome.value).splitlines()) == 1, (what, outcome)
        assert WORDS.get(what, "") in str(outcome.value), (what, outcome)
        assert outcome.seconds < 1, (what, outcome)
        assert outcome.megabytes < 300, (what, outcome)
    assert len(seen) > 200
    assert seen >= WORDS.keys()
    assert not model_files.CANARY.exists()


@pytest.mark.parametrize("kind", ["pth", "bare", "safetensors"])
def test_damage_never_changes_a_weight_unnoticed(tmp_path, kind):
    model, path = MODELS["mlp"](4, 4), tmp_path / "m.pth"
    if kind == "pth":
        save_model(model, path, CARD)
    elif kind == "bare":
        model = build("mlp")
        torch.save(model.backbone.state_dict(), path)
    else:
        path.write_bytes(safetensors.torch.save(model.state_dict(), describe(model, CARD)))
    good = path.read_bytes()
    for data in mutants(good, 200):
        path.write_bytes(data)
        try:
            assert same(load_model_file(path), model)
        except ModelFileError as error:
            assert len(str(error).splitlines()) == 1


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = build("mlp")
    model.backbone[1].weight.data[0, 0] = torch.nan
    with pytest.raises(ModelFileError, match="not finite"):
        save_model(model, tmp_path / "m.pth", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_alone(tmp_path, monkeypatch, step):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "m.pth"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(QDigitsError, match=r"m\.pth.*No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_and_forbidden_folders_are_named(tmp_path):
    for path in (tmp_path / "nowhere" / "m.pth", Path("/proc/m.pth")):
        with pytest.raises(QDigitsError, match=str(path)):
            write_atomically(path, b"new")
        with pytest.raises(QDigitsError, match=f"{path}: cannot be written"):
            new_file(path, "xb")
        with pytest.raises(ModelFileError, match=rf"{path}: cannot be read \(No such file"):
            read_file(path, 10, ModelFileError)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "run", Path("/proc/run"), tmp_path / ("x" * 300)):
        with pytest.raises(QDigitsError, match=f"{path}: cannot be made"):
            new_folder(path)


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    (tmp_path / ".m.pth.123.tmp").write_bytes(b"half")
    (tmp_path / ".other.pth.123.tmp").write_bytes(b"another's")
    write_atomically(tmp_path / "m.pth", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.pth.123.tmp", "m.pth"]


def test_the_state_before_is_there_when_the_newest_is_damaged(tmp_path, caplog):
    path = tmp_path / "state.pt"
    with pytest.raises(ModelFileError, match="no training state"):
        load_state(path)
    for epoch in (1, 2):
        save_state(path, {"epoch": epoch, "weights": torch.arange(4.0), "history": [{"loss": 0.5}]})
    assert load_state(path)["epoch"] == 2
    data = bytearray(path.read_bytes())
    data[data.index(torch.arange(4.0).numpy().tobytes()) + 5] ^= (
        1  # one bit of a weight: torch would not notice
    )
    path.write_bytes(data)
    assert load_state(path)["epoch"] == 1
    assert "damaged" in caplog.text
    path.unlink()
    assert load_state(path)["epoch"] == 1


def test_a_state_runs_no_code(tmp_path):
    (tmp_path / "state.pt").write_bytes(model_files.zipped(model_files.PAYLOADS["os.system"]))
    with pytest.raises(ModelFileError):
        load_state(tmp_path / "state.pt")
    assert not model_files.CANARY.exists()


def test_missing_and_forbidden_give_the_same_words(tmp_path, monkeypatch):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "m.pth").touch()
    (inside / "link.pth").symlink_to(outside / "m.pth")
    (inside / "loop.pth").symlink_to("loop.pth")
    assert resolve(inside / "m.pth", inside) == inside / "m.pth"
    assert resolve(outside / "m.pth") == outside / "m.pth"

    def words(path: Path) -> str:
        with pytest.raises(ModelFileError) as caught:
            resolve(path, inside)
        return str(caught.value).replace(str(path), "PATH")

    missing = words(inside / "nowhere.pth")
    outsiders = outside / "m.pth", outside / "nowhere.pth", inside / "../out/m.pth"
    for path in (*outsiders, inside / "link.pth", inside / "loop.pth"):
        assert words(path) == missing
    monkeypatch.setenv("QDIGITS_MODEL_ROOT", str(inside))
    with pytest.raises(ModelFileError):
        load_model_file(outside / "m.pth")
