"""The page network through onnxruntime, without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qdigits.augment.pages.marks import CLASSES
from qdigits.errors import ModelFileError
from qdigits.files import read_file, resolve
from qdigits.models.onnx_file import check_page_net_file

MULTIPLE = 16
"""The sides of a picture have to be multiples of it."""
STRIDE = 4
"""Pixels of the picture, along each side, to one cell of the answer."""
MAX_FILE_BYTES = 2**24
MAX_CARD_CHARACTERS = 2**18


class PageMaps(NamedTuple):
    """What the network says of each cell of a picture, float32 (channels, rows, columns)."""

    heat: np.ndarray
    """Probabilities of CLASSES, highest at the middle of a mark."""
    box: np.ndarray
    """From the cell's middle to the mark's, x and y in cells; log(width / 16), log(height / 16)."""
    printed: np.ndarray
    """Probability that the mark is printed; one channel."""
    turn: np.ndarray
    """Logits of 0 to 3 quarter turns counter-clockwise that the page has been given."""


class OnnxPageNet:
    """A page network that `qdigits export` wrote."""

    card: dict[str, Any]

    def __init__(self, path: str | Path = "page_net.onnx", threads: int = 2) -> None:
        """Load the network.

        Args:
            path: Model file, or the name of a bundled one.
            threads: Processor threads.

        Raises:
            ModelFileError: The file is absent, damaged or no page network, or onnxruntime is not
                installed.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelFileError(
                f"{path}: .onnx files need onnxruntime; pip install onnxruntime"
            ) from error
        path = resolve(path)
        data = read_file(path, MAX_FILE_BYTES, ModelFileError)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # it would keep what the largest page needed
        options.log_severity_level = 4
        try:  # onnxruntime's errors have no common parent
            check_page_net_file(data)
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
            about = self._session.get_modelmeta().custom_metadata_map["qdigits"]
            self.card = dict(json.loads(about[:MAX_CARD_CHARACTERS])["card"])
            blank = self.maps(np.full((MULTIPLE, MULTIPLE), 255, np.uint8))
            if blank.heat.shape != (len(CLASSES), STRIDE, STRIDE):
                raise ValueError("its answers are of another shape")
        except Exception as error:
            raise ModelFileError(f"{path}: not a page network that qdigits exported") from error

    def maps(self, grey: np.ndarray) -> PageMaps:
        """Look at a picture.

        Args:
            grey: uint8 (H, W), of any size.

        Returns:
            Maps of ceil(H / 4) rows and ceil(W / 4) columns.
        """
        height, width = grey.shape
        padding = (0, -height % MULTIPLE), (0, -width % MULTIPLE)
        padded = np.pad(grey, padding, mode="edge")
        padded = np.divide(padded, np.float32(255), dtype=np.float32)
        answers = self._session.run(list(PageMaps._fields), {"grey": padded[None, None]})
        rows, columns = -(-height // STRIDE), -(-width // STRIDE)
        return PageMaps(*(answer[0, :, :rows, :columns] for answer in answers))
