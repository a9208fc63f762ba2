"""Files of weights from anybody: what is safe and clear is read, all else is named in one line."""

import zipfile

import pytest
import safetensors.torch
import torch
from torch import nn

from qdigits.errors import ModelFileError
from qdigits.models.checkpoint import load_model_file
from qdigits.models.registry import build
from tests.attacks import model_files, tried

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


@pytest.fixture(scope="module")
def baseline():
    torch.manual_seed(0)
    return build("mlp")


def assert_same_weights(path, model):
    loaded = load_model_file(path).state_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(loaded[name], value), name


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


@pytest.mark.parametrize("prefix", ["", "module.", "layer"])
def test_weights_alone_are_read_whatever_their_names(tmp_path, baseline, prefix):
    state = {prefix + name: value for name, value in baseline.backbone.state_dict().items()}
    torch.save(state, tmp_path / "bare.pth")
    assert_same_weights(tmp_path / "bare.pth", baseline)
    (tmp_path / "bare.safetensors").write_bytes(safetensors.torch.save(state, {"format": "pt"}))
    assert_same_weights(tmp_path / "bare.safetensors", baseline)


def test_weights_with_torchs_own_metadata_are_read(tmp_path, baseline):
    torch.save(nn.Sequential(*baseline.backbone).state_dict(), tmp_path / "bare.pth")
    assert_same_weights(tmp_path / "bare.pth", baseline)


@pytest.mark.parametrize("key", ["model_state_dict", "state_dict", "model"])
def test_the_weights_in_a_training_checkpoint_are_read(tmp_path, baseline, key):
    optimizer = torch.optim.Adam(baseline.parameters())
    sum(weight.sum() for weight in baseline.parameters()).backward()
    optimizer.step()
    checkpoint = {
        "epoch": 5,
        key: baseline.backbone.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": 0.1,
    }
    torch.save(checkpoint, tmp_path / "checkpoint.pth")
    assert_same_weights(tmp_path / "checkpoint.pth", baseline)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_precisions_become_single(tmp_path, baseline, dtype):
    state = {name: value.to(dtype) for name, value in baseline.backbone.state_dict().items()}
    torch.save(state, tmp_path / "m.pth")
    loaded = load_model_file(tmp_path / "m.pth").backbone.state_dict()
    for name, value in state.items():
        assert loaded[name].dtype == torch.float32
        assert torch.equal(loaded[name], value.float())


def refusal(path) -> str:
    with pytest.raises(ModelFileError) as caught:
        load_model_file(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "what", "cure"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "web page", "download the file again"),
        (b"\n<html>", "web page", "download the file again"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "Keras or HDF5", "PyTorch"),
        (b"", "0 bytes", "can be read"),
    ],
)
def test_a_file_of_another_kind_is_named_with_its_cure(tmp_path, data, what, cure):
    (tmp_path / "m.pth").write_bytes(data)
    words = refusal(tmp_path / "m.pth")
    assert what in words
    assert cure in words


def test_a_file_of_torch_before_1_6_is_named_with_its_cure(tmp_path, baseline):
    state = baseline.backbone.state_dict()
    torch.save(state, tmp_path / "m.pth", _use_new_zipfile_serialization=False)
    words = refusal(tmp_path / "m.pth")
    assert "torch before 1.6" in words
    assert "torch.save(torch.load(path, weights_only=True), path)" in words


def test_a_whole_model_is_refused_with_its_cure(tmp_path, baseline):
    torch.save(baseline.backbone, tmp_path / "m.pth")
    assert "torch.save(model.state_dict(), path)" in refusal(tmp_path / "m.pth")


def test_torchscript_is_named_with_its_cure(tmp_path, baseline):
    torch.jit.script(nn.Sequential(nn.Linear(784, 10))).save(tmp_path / "m.pth")
    words = refusal(tmp_path / "m.pth")
    assert "TorchScript" in words
    assert "torch.save(model.state_dict(), path)" in words


def test_a_keras_archive_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("model.weights.h5", b"")
    assert "Keras" in refusal(tmp_path / "m.keras")
