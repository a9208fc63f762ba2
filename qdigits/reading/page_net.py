"""The bundled page network, run by onnxruntime."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from qdigits.errors import ModelFileError
from qdigits.files import BUNDLED, read_file
from qdigits.reading.detector import PageOutput

FILE_NAME = "page_net.onnx"
MAX_FILE_BYTES = 2**23
OUTPUTS = ["heat", "box", "printed", "turn"]


class OnnxPageNet:
    """The page network in a file that ships with the program.

    Args:
        path: an .onnx file of ours; it is trusted, as the program's own code is.

    Raises:
        ModelFileError: absent or damaged.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self.path = path

        data = read_file(path, MAX_FILE_BYTES, ModelFileError)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(os.cpu_count() or 1, 4)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # the arena keeps what the largest page needed
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
            about = self._session.get_modelmeta().custom_metadata_map.get("qdigits", "{}")
            self.card: dict[str, Any] = json.loads(about)
        except Exception as error:  # onnxruntime's errors have no common parent
            raise ModelFileError(f"{path}: not the page network of qdigits") from error

    def run(self, pages: np.ndarray) -> PageOutput:
        """Answer for grey pages, float32 (N, 1, H, W) of 0 to 1, sides multiples of 16."""
        return PageOutput(*self._session.run(OUTPUTS, {"grey": pages}))


@cache
def bundled_page_net() -> OnnxPageNet:
    """Load the bundled page network, once."""
    for folder in BUNDLED:
        path = folder / FILE_NAME
        if path.exists():
            return OnnxPageNet(path)
    raise ModelFileError(f"{FILE_NAME} is missing: install qdigits anew")


def write_card(path: Path, reading: dict[str, Any]) -> None:
    """Write the fitted numbers of reading beside the weights, into the file's description."""
    import onnx

    model = onnx.load(path)
    kept = {entry.key: entry.value for entry in model.metadata_props}
    about = json.loads(kept.get("qdigits", "{}")) | {"reading": reading}
    onnx.helper.set_model_props(model, kept | {"qdigits": json.dumps(about)})
    onnx.save(model, path)
