"""An exported model answers as the one it came from."""

import hashlib
import json

import numpy as np
import pytest

from qdigits import QDigitsError, load_model
from qdigits.data.sample import load_sample
from qdigits.errors import ConfigError
from qdigits.files import resolve
from qdigits.models.checkpoint import load_model_file
from qdigits.models.export import export
from qdigits.models.onnx_model import OnnxModel
from qdigits.training.typical_inputs import typical_inputs

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def assert_same_answers(path, model, tiles):
    again = load_model(path, device="cpu")
    expected = model.probabilities(tiles)
    assert np.abs(again.probabilities(tiles) - expected).max() < 1e-5
    assert np.abs(again.probabilities(tiles[:1]) - expected[:1]).max() < 1e-5
    assert float(again.threshold) == float(model.threshold)
    assert again.card == model.card
    assert list(path.parent.iterdir()) == [path]  # one file, nothing beside it


def test_an_onnx_file_answers_the_same(model, tiles, exported):
    assert_same_answers(exported, model, tiles)


def test_a_safetensors_file_answers_the_same(model, tiles, tmp_path):
    export(model, tmp_path / "model.safetensors")
    assert_same_answers(tmp_path / "model.safetensors", model, tiles)


def test_the_onnx_file_is_what_the_readme_says(exported):
    proto = onnx.load(exported)
    onnx.checker.check_model(proto, full_check=True)
    image = proto.graph.input[0]
    answer = proto.graph.output[0]
    assert [image.name, answer.name] == ["image", "probabilities"]
    sides = [dim.dim_param or dim.dim_value for dim in image.type.tensor_type.shape.dim]
    assert isinstance(sides[0], str)
    assert sides[1:] == [1, 28, 28]
    assert [opset.version for opset in proto.opset_import if not opset.domain] == [20]


def test_an_onnx_file_names_no_folder_of_this_machine(exported):
    assert b"export.py" not in exported.read_bytes()


def test_an_onnx_file_records_the_digest_of_its_origin(pth_file, exported):
    digest = hashlib.sha256(pth_file.read_bytes()).hexdigest()
    assert load_model(exported).exported_from == digest


@pytest.mark.parametrize("name", ["mnist_model", "mnist_small", "mnist_mlp"])
def test_a_bundled_twin_was_exported_from_exactly_its_pth_file(name):
    twin = OnnxModel(f"{name}.onnx")
    origin = resolve(f"{name}.pth")
    assert twin.exported_from == hashlib.sha256(origin.read_bytes()).hexdigest()
    assert twin.card == load_model_file(origin).card


@pytest.mark.parametrize("name", ["mnist_model", "mnist_small", "mnist_mlp"])
def test_a_bundled_card_tells_no_folder_and_a_clean_commit(name):
    card = load_model_file(f"{name}.pth").card
    assert "/" not in json.dumps(card)
    assert len(card["commit"]) == 7
    assert "-dirty" not in card["commit"]


@pytest.mark.parametrize("name", ["mnist_model", "mnist_small"])
def test_a_bundled_network_in_integers_answers_nearly_the_same(name):
    images, labels = load_sample()
    tiles = images[5::10]  # none of the tiles that set the scales
    in_floats = load_model_file(f"{name}.pth", "cpu").probabilities(tiles)
    in_integers = OnnxModel(f"{name}.onnx").probabilities(tiles)
    assert np.abs(in_integers - in_floats).max() < 0.1
    assert np.abs(in_integers - in_floats).mean() < 1e-3
    right = labels[5::10] == in_integers.argmax(1)
    assert right.sum() >= (labels[5::10] == in_floats.argmax(1)).sum() - 1


def test_integers_make_the_file_less_than_half_as_large(tmp_path):
    network = load_model_file("mnist_small.pth", "cpu")
    export(network, tmp_path / "floats.onnx")
    export(network, tmp_path / "integers.onnx", typical_inputs(network))
    small, large = ((tmp_path / f"{name}.onnx").stat().st_size for name in ("integers", "floats"))
    assert small < 0.5 * large
    onnx.checker.check_model(onnx.load(tmp_path / "integers.onnx"), full_check=True)


def test_only_an_onnx_file_computes_in_integers(tmp_path):
    network = load_model_file("mnist_mlp.pth", "cpu")
    with pytest.raises(ConfigError, match=r"only \.onnx files"):
        export(network, tmp_path / "model.safetensors", typical_inputs(network))


def test_a_network_without_convolutions_cannot_compute_in_integers(tmp_path):
    network = load_model_file("mnist_mlp.pth", "cpu")
    with pytest.raises(ConfigError, match="no convolutions"):
        export(network, tmp_path / "model.onnx", typical_inputs(network))


def test_an_unknown_suffix_lists_the_known_ones(model, tmp_path):
    with pytest.raises(ConfigError, match=r"\.onnx or \.safetensors"):
        export(model, tmp_path / "model.tflite")


def test_a_missing_folder_is_named(model, tmp_path):
    with pytest.raises(QDigitsError, match="cannot be written"):
        export(model, tmp_path / "absent" / "model.safetensors")
