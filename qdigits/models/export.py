"""A model for other programs: one .onnx file, or .safetensors. Everything travels inside."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.errors import ConfigError
from qdigits.files import write_atomically
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import describe
from qdigits.models.model_format import FORMAT
from qdigits.models.onnx_file import sealed

OPSET = 20


class _Answer(nn.Module):
    """From pixels to calibrated probabilities in one graph."""

    def __init__(self, model: DigitModel) -> None:
        super().__init__()
        self.model, self.reject_logit = model, float(model.reject_logit)

    def forward(
        self, image: Tensor
    ) -> Tensor:  # what `calibrated` does, by operators that graph.py lets in
        logits = F.pad(self.model(image) / self.model.temperature, (0, 1), value=self.reject_logit)
        return F.pad(logits.softmax(1), (0, -1))


def _onnx(model: DigitModel) -> bytes:
    try:
        import onnxscript  # noqa: F401  # the exporter needs it, and names it only deep in a traceback
    except ImportError as error:
        raise ConfigError(
            "exporting to .onnx needs more packages; pip install 'qdigits[onnx]'"
        ) from error
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Answer(model),
            (torch.zeros(2, 1, 28, 28),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["probabilities"],
            dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
            verbose=False,
        )
    assert program is not None  # for mypy: it is None only where nothing is traced
    about = {
        "format": FORMAT,
        "threshold": float(model.threshold),
        "card": model.card,
        "exported_from": model.source_digest,
    }
    for part in (program.model.graph, *program.model.graph):
        part.metadata_props.clear()  # the exporter's notes name folders of this machine
    program.model.metadata_props["qdigits"] = json.dumps(about)
    return sealed(program.model_proto.SerializeToString())


def _safetensors(model: DigitModel) -> bytes:
    return safetensors.torch.save(model.state_dict(), describe(model, model.card))


FORMATS: dict[str, Callable[[DigitModel], bytes]] = {".onnx": _onnx, ".safetensors": _safetensors}


def export(model: DigitModel, path: str | Path) -> None:
    """Write the model in the format that the suffix names.

    .onnx         input `image`, float32 (N, 1, 28, 28), ink 1.0 on paper 0.0; output `probabilities`, float32 (N, 10),
                  calibrated, a row summing to at most 1; threshold, card and a SHA-256 as metadata. Opset 20, one file.
    .safetensors  the weights, and all that the .pth file says, as metadata.

    Raises  ConfigError: another suffix, packages that are missing; QDigitsError: the disk refuses.
    """
    if (suffix := Path(path).suffix) not in FORMATS:
        raise ConfigError(f"{path}: models are exported to {' or '.join(FORMATS)}")
    write_atomically(Path(path), FORMATS[suffix](model))
