"""An .onnx file is checked before onnxruntime sees it."""

from contextlib import nullcontext

import numpy as np
import pytest

from qdigits import ModelFileError, load_model
from qdigits.models import onnx_file

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from tests.attacks import mutants, onnx_files, tried  # noqa: E402


@pytest.fixture(scope="module")
def good_file() -> bytes:
    return onnx_file.seal(onnx_files.network().SerializeToString())


def test_a_small_network_passes(tmp_path, good_file):
    (tmp_path / "good.onnx").write_bytes(good_file)
    assert load_model(tmp_path / "good.onnx").threshold == 0.5


def test_every_harmful_graph_is_refused_before_it_runs(tmp_path):
    for what, path in onnx_files.files(tmp_path):
        outcome = tried(lambda path=path: load_model(path))
        assert isinstance(outcome.value, ModelFileError), (what, outcome)
        assert len(str(outcome.value).splitlines()) == 1, (what, outcome)
        assert outcome.seconds < 1, (what, outcome)
        assert outcome.megabytes < 300, (what, outcome)


def test_a_damaged_file_is_refused(tmp_path, good_file):
    for data in mutants(good_file, 100):
        (tmp_path / "model.onnx").write_bytes(data)
        with nullcontext() if data == good_file else pytest.raises(ModelFileError):
            load_model(tmp_path / "model.onnx")


def test_the_cost_of_a_graph_is_counted_to_the_value(exported, tiles, monkeypatch):
    """Every tensor between image and answer, as large as onnxruntime makes it."""
    proto = onnx.load(exported)
    names = [name for node in proto.graph.node for name in node.output]
    del proto.graph.output[:]
    proto.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    arrays = session.run(names, {"image": tiles[:, None].astype(np.float32)})
    values_a_tile = sum(array.size for array in arrays) // len(tiles)
    monkeypatch.setattr(onnx_file, "BATCH_SIZE", len(tiles))
    monkeypatch.setattr(onnx_file, "MAX_VALUES", values_a_tile)
    load_model(exported)
    monkeypatch.setattr(onnx_file, "MAX_VALUES", values_a_tile - 1)
    with pytest.raises(ModelFileError):
        load_model(exported)
