"""The second engine: a model exported to ONNX, run by onnxruntime without loading torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from qdigits.errors import ModelFileError
from qdigits.files import bundled_models, read_file, resolve
from qdigits.models.model_format import upgrade_card
from qdigits.models.onnx_file import check_onnx_file

MAX_FILE_BYTES = 2**25
MAX_DESCRIPTION_LETTERS = 2**18
MAX_ROW_SUM = 1.001  # of ten probabilities, rounded


def load_twin(path: str | Path) -> OnnxModel:
    """Load the .onnx twin of a .pth file, where PyTorch is not installed.

    The twin lies beside the file or is bundled, and was exported from exactly this file.

    Args:
        path: A .pth or .safetensors file, or the name of a bundled one.

    Raises:
        ModelFileError: The file is absent or has no twin, or the twin cannot be read.
    """
    path = resolve(path)
    digest = hashlib.sha256(read_file(path, MAX_FILE_BYTES, ModelFileError)).hexdigest()
    for candidate in (path.with_suffix(".onnx"), bundled_models().get(f"{path.stem}.onnx")):
        if candidate and candidate.exists():
            twin = OnnxModel(candidate)
            if twin.exported_from == digest:
                return twin
    raise ModelFileError(
        f"{path}: this file needs PyTorch; pip install 'qdigits[train]', "
        "or export it to .onnx where PyTorch is"
    )


class OnnxModel:
    """A model in a file that `qdigits export` wrote.

    It gives the same probabilities, threshold and card as the model that was exported.

    Attributes:
        threshold: The confidence from which an answer is accepted.
        card: Where the model comes from.
        file: What the file holds, for looking inside.
        exported_from: The SHA-256 of the .pth file that was exported; "" where it is unknown.
    """

    threshold: float
    card: dict[str, Any]
    exported_from: str
    file: bytes

    def __init__(self, path: str | Path) -> None:
        """Load a file.

        Raises:
            ModelFileError: The file is absent, damaged, too large, unsafe or not exported by
                qdigits; or onnxruntime is not installed.
        """
        path = resolve(path)
        data = read_file(path, MAX_FILE_BYTES, ModelFileError)
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelFileError(
                f"{path}: .onnx files need onnxruntime; pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # one tile is too little to share
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # fatal: every error is raised, too
        try:  # onnxruntime's errors have no common parent
            check_onnx_file(data)
            self.session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
            self.file = data
            self.read_metadata()
            self.check_answers()
        except Exception as error:
            raise ModelFileError(f"{path}: not a model that qdigits exported") from error

    def read_metadata(self) -> None:
        """Take threshold, card and origin from the file's metadata."""
        metadata = self.session.get_modelmeta().custom_metadata_map
        description = json.loads(metadata["qdigits"][:MAX_DESCRIPTION_LETTERS])
        self.threshold = float(description["threshold"])
        self.card = dict(description["card"])
        self.exported_from = str(description.get("exported_from", ""))
        if "format" not in description:  # exported before files named their format
            self.card = upgrade_card(self.card)

    def check_answers(self) -> None:
        """Refuse a graph whose answers are not probabilities."""
        rows = self.probabilities(np.zeros((2, 28, 28), np.uint8))
        if rows.shape != (2, 10):
            raise ValueError("its answers are not ten a tile")
        if not 0 <= rows.min() <= rows.sum(1).max() <= MAX_ROW_SUM:
            raise ValueError("its answers are not probabilities")

    def probabilities(self, tiles: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float32 (N, 10), of uint8 tiles (N, 28, 28)."""
        images = np.divide(tiles[:, None], np.float32(255), dtype=np.float32)  # (N, 1, 28, 28)
        return self.session.run(["probabilities"], {"image": images})[0]
