import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from qdigits import ModelFileError, QDigitsError, load_model, predict
from qdigits.errors import ConfigError
from qdigits.models import onnx_file as graph
from qdigits.models.export import export
from qdigits.models.registry import MODELS, build

onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
from tests.attacks import mutants, onnx_files, tried  # noqa: E402


@pytest.fixture(scope="module", params=sorted(MODELS))
def model(request):
    """An untrained network with a temperature, a "not a digit" and a threshold of its own."""
    torch.manual_seed(0)
    model = build(request.param).eval()
    model.temperature.fill_(0.25)
    model.reject_logit.fill_(0.5)
    model.card = {"architecture": request.param, "metrics": {"validation_accuracy": 0.1}}
    return model


@pytest.fixture(scope="module")
def tiles():
    return np.random.default_rng(0).integers(0, 256, (33, 28, 28), np.uint8)


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
def test_an_exported_model_answers_the_same(model, tiles, tmp_path, suffix):
    export(model, tmp_path / f"model{suffix}")
    again = load_model(tmp_path / f"model{suffix}", device="cpu")
    expected = model.probabilities(tiles)
    assert np.abs(again.probabilities(tiles) - expected).max() < 1e-5
    assert np.abs(again.probabilities(tiles[:1]) - expected[:1]).max() < 1e-5
    assert (float(again.threshold), again.card) == (float(model.threshold), model.card)
    assert list(tmp_path.iterdir()) == [tmp_path / f"model{suffix}"]  # one file, nothing beside it


def test_the_onnx_file_is_what_the_readme_says(model, tmp_path):
    export(model, tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    image, answer = proto.graph.input[0], proto.graph.output[0]
    assert [image.name, answer.name] == ["image", "probabilities"]
    assert (
        b"export.py" not in (tmp_path / "model.onnx").read_bytes()
    )  # nor any other path of this machine
    sides = [dim.dim_param or dim.dim_value for dim in image.type.tensor_type.shape.dim]
    assert isinstance(sides[0], str)
    assert sides[1:] == [1, 28, 28]
    assert [opset.version for opset in proto.opset_import if not opset.domain] == [20]


def test_reading_with_onnx_never_imports_torch(model, tmp_path):
    export(model, tmp_path / "model.onnx")
    code = f"""
import sys, numpy as np, qdigits
model = qdigits.load_model({str(tmp_path / "model.onnx")!r})
print(qdigits.predict(model, np.eye(28, dtype=np.uint8) * 255).confidence)
assert "torch" not in sys.modules
"""
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    there = predict(load_model(tmp_path / "model.onnx"), np.eye(28, dtype=np.uint8) * 255)
    assert float(out) == pytest.approx(there.confidence, abs=1e-6)


def test_other_peoples_onnx_files_are_refused_in_one_line(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"ONNX it is not")
    with pytest.raises(ModelFileError, match="not a model that qdigits exported") as refusal:
        load_model(tmp_path / "model.onnx")
    assert "\n" not in str(refusal.value)


def test_every_graph_that_would_bite_is_refused_at_the_border(tmp_path):
    (tmp_path / "good.onnx").write_bytes(graph.seal(onnx_files.network().SerializeToString()))
    assert (
        load_model(tmp_path / "good.onnx").threshold == 0.5
    )  # so nothing below is refused for its frame
    for what, path in onnx_files.files(tmp_path):
        outcome = tried(lambda path=path: load_model(path))
        assert isinstance(outcome.value, ModelFileError), (what, outcome)
        assert len(str(outcome.value).splitlines()) == 1, (what, outcome)
        assert outcome.seconds < 1, (what, outcome)
        assert outcome.megabytes < 300, (what, outcome)


def test_a_damaged_file_is_refused(tmp_path):
    good = graph.seal(onnx_files.network().SerializeToString())
    for data in mutants(good, 100):
        (tmp_path / "model.onnx").write_bytes(data)
        with nullcontext() if data == good else pytest.raises(ModelFileError):
            load_model(tmp_path / "model.onnx")


def test_what_a_graph_makes_is_foretold(model, tiles, tmp_path, monkeypatch):
    """Every tensor between image and answer, as large as onnxruntime makes it."""
    export(model, tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    names = [name for node in proto.graph.node for name in node.output]
    del proto.graph.output[:]
    proto.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    images = tiles[:, None].astype(np.float32)
    monkeypatch.setattr(graph, "BATCH_SIZE", len(tiles))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    made = sum(array.size for array in session.run(names, {"image": images}))
    for most, fine in ((made // len(tiles), True), (made // len(tiles) - 1, False)):
        monkeypatch.setattr(graph, "MAX_VALUES", most)
        with nullcontext() if fine else pytest.raises(ModelFileError):
            load_model(tmp_path / "model.onnx")


def test_without_onnxruntime_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelFileError, match=r"need onnxruntime; pip install"):
        load_model("mnist_model.onnx")


def test_a_missing_model_is_said_in_words(tmp_path):
    with pytest.raises(ModelFileError, match="no such model"):
        load_model(tmp_path / "absent.onnx")


def test_an_unknown_suffix_lists_the_known_ones(model, tmp_path):
    with pytest.raises(ConfigError, match=r"\.onnx or \.safetensors"):
        export(model, tmp_path / "model.tflite")
    with pytest.raises(QDigitsError, match="cannot be written"):
        export(model, tmp_path / "absent" / "model.safetensors")
