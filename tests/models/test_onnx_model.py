"""A model in an .onnx file reads without torch."""

import subprocess
import sys

import numpy as np
import pytest

from qdigits import ModelFileError, load_model, predict

pytest.importorskip("onnxruntime")
DIAGONAL = np.eye(28, dtype=np.uint8) * 255


def test_reading_with_onnx_never_imports_torch():
    code = """
import sys, numpy as np, qdigits
model = qdigits.load_model("mnist_mlp.onnx")
print(qdigits.predict(model, np.eye(28, dtype=np.uint8) * 255).confidence)
assert "torch" not in sys.modules
"""
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    here = predict(load_model("mnist_mlp.onnx"), DIAGONAL)
    assert float(printed) == pytest.approx(here.confidence, abs=1e-6)


def test_another_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"ONNX it is not")
    with pytest.raises(ModelFileError, match="not a model that qdigits exported") as refusal:
        load_model(tmp_path / "model.onnx")
    assert "\n" not in str(refusal.value)


def test_without_onnxruntime_the_refusal_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelFileError, match=r"need onnxruntime; pip install"):
        load_model("mnist_model.onnx")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="no such model"):
        load_model(tmp_path / "absent.onnx")
