"""The second engine: a model exported to ONNX, read through onnxruntime without ever loading torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from qdigits.errors import ModelFileError
from qdigits.files import read_file, resolve
from qdigits.models.model_format import upgrade_card
from qdigits.models.onnx_file import inspect

MAX_FILE_BYTES, MAX_DESCRIPTION_BYTES = 2**25, 2**18  # bytes of a file, letters of its description


class OnnxModel:
    """A file that `qdigits export` wrote; the same probabilities, threshold and card as the model it came from.

    Raises  ModelFileError: absent, damaged, too large, unsafe, not exported by qdigits; onnxruntime not installed.
    """

    threshold: float
    card: dict[str, Any]

    def __init__(self, path: str | Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelFileError(
                f"{path}: .onnx files need onnxruntime; pip install 'qdigits[onnx]'"
            ) from error
        path = resolve(path)
        data = read_file(path, MAX_FILE_BYTES, ModelFileError)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # one tile is too little to share
        )
        options.log_severity_level = 4
        try:  # onnxruntime's errors have no common parent
            inspect(data)
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
            about = json.loads(
                self._session.get_modelmeta().custom_metadata_map["qdigits"][:MAX_DESCRIPTION_BYTES]
            )
            self.threshold, self.card = float(about["threshold"]), dict(about["card"])
            if "format" not in about:
                self.card = upgrade_card(self.card)
            blank = self.probabilities(np.zeros((2, 28, 28), np.uint8))
            if blank.shape != (2, 10) or not 0 <= blank.min() <= blank.sum(1).max() <= 1.001:
                raise ValueError("its answers are not probabilities")
        except Exception as error:
            raise ModelFileError(f"{path}: not a model that qdigits exported") from error

    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, float32 (N, 10), of uint8 tiles (N, 28, 28)."""
        images = tiles[:, None].astype(np.float32) / 255  # (N, 1, 28, 28)
        return self._session.run(["probabilities"], {"image": images})[0]
