"""Write a model for other programs: one .onnx file, or .safetensors. Everything travels inside."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qdigits.errors import ConfigError
from qdigits.files import write_atomically
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import Network, describe
from qdigits.models.mlp import MLP
from qdigits.models.model_format import FORMAT
from qdigits.models.onnx_file import seal
from qdigits.models.page_net import MULTIPLE, PageAnswer, PageNet

OPSET = 20
MAX_CELLS = 1000  # sides of a page, in multiples of 16 pixels, for which the graph is made


class CalibratedModel(nn.Module):
    """From pixels to calibrated probabilities in one graph."""

    def __init__(self, model: DigitModel) -> None:
        super().__init__()
        self.model = model
        self.reject_logit = float(model.reject_logit)

    def forward(self, image: Tensor) -> Tensor:
        """Compute what DigitModel.calibrated does, with operators that onnx_file.py lets in."""
        logits = self.model(image) / self.model.temperature
        eleven = F.pad(logits, (0, 1), value=self.reject_logit)
        return F.pad(eleven.softmax(1), (0, -1))


class CalibratedPageNet(nn.Module):
    """From grey to probabilities of marks, boxes and turn in one graph."""

    def __init__(self, network: PageNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        answer = self.network(grey)
        return answer.heat.sigmoid(), answer.box, answer.printed.sigmoid(), answer.turn


def to_onnx(model: Network, examples: Sequence[np.ndarray] = ()) -> bytes:
    """Return the model as an .onnx file; with examples, its convolutions compute in integers."""
    program = trace_model(model)
    for part in (program.model.graph, *program.model.graph):
        part.metadata_props.clear()  # the exporter's notes name folders of this machine
    description: dict[str, Any] = {
        "format": FORMAT,
        "card": model.card,
        "exported_from": model.source_digest,
    }
    if isinstance(model, DigitModel):
        description["threshold"] = float(model.threshold)
    proto = program.model_proto
    if examples:
        from qdigits.models.quantize import quantize

        proto = quantize(proto, examples)
    proto.metadata_props.add(key="qdigits", value=json.dumps(description))
    return seal(proto.SerializeToString())


def trace_model(model: Network) -> torch.onnx.ONNXProgram:
    """Trace the model with torch's exporter, and keep the exporter quiet."""
    try:
        import onnxscript  # noqa: F401  # the exporter names it only deep in a traceback
    except ImportError as error:
        raise ConfigError(
            "exporting to .onnx needs more packages; pip install 'qdigits[train]'"
        ) from error
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = trace_page_net(model) if isinstance(model, PageNet) else trace_digits(model)
    assert program is not None  # for mypy: it is None only where nothing is traced
    return program


def trace_digits(model: DigitModel) -> torch.onnx.ONNXProgram | None:
    if isinstance(model, MLP):
        model = fold_normalisation(model)
    return torch.onnx.export(
        CalibratedModel(model),
        (torch.zeros(2, 1, 28, 28),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["image"],
        output_names=["probabilities"],
        dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
        verbose=False,
    )


def fold_normalisation(model: MLP) -> MLP:
    """Move the normalisation of the pixels into the first layer: a quarter less time in batches."""
    folded = copy.deepcopy(model)
    first = next(layer for layer in folded.modules() if isinstance(layer, nn.Linear))
    with torch.no_grad():
        first.bias.sub_(first.weight.sum(1) * model.mean / model.std)
        first.weight.div_(model.std)
    folded.mean.zero_()
    folded.std.fill_(1)
    return folded


def trace_page_net(network: PageNet) -> torch.onnx.ONNXProgram | None:
    height = MULTIPLE * torch.export.Dim("rows", min=1, max=MAX_CELLS)
    width = MULTIPLE * torch.export.Dim("columns", min=1, max=MAX_CELLS)
    return torch.onnx.export(
        CalibratedPageNet(network),
        (torch.zeros(2, 1, 4 * MULTIPLE, 6 * MULTIPLE),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["grey"],
        output_names=list(PageAnswer._fields),
        dynamic_shapes={"grey": {0: torch.export.Dim("batch"), 2: height, 3: width}},
        verbose=False,
    )


def to_safetensors(model: Network) -> bytes:
    """Return the model as a .safetensors file."""
    return safetensors.torch.save(model.state_dict(), describe(model, model.card))


FORMATS: dict[str, Callable[[Any], bytes]] = {
    ".onnx": to_onnx,
    ".safetensors": to_safetensors,
}


def export(model: Network, path: str | Path, examples: Sequence[np.ndarray] = ()) -> None:
    """Write the model in the format that the suffix names.

    .onnx: one file, opset 20. Input `image`, float32 (N, 1, 28, 28), ink 1.0 on paper 0.0; output
    `probabilities`, float32 (N, 10), calibrated, a row summing to at most 1. Threshold, card and
    a SHA-256 are its metadata. Of the page network: input `grey`, float32 (N, 1, H, W), sides
    multiples of 16; outputs `heat` and `printed` as probabilities, `box` and `turn` as
    page_net.py says.

    .safetensors: the weights, and as metadata all that the .pth file says.

    Args:
        model: A digit model or the page network.
        path: File to write.
        examples: Of an .onnx file: inputs such as the network will see, float32 (N, 1, H, W). With
            them its convolutions compute in 8-bit integers, which moves its answers a little.

    Raises:
        ConfigError: Another suffix, packages that are missing, or integers where there can be none.
        QDigitsError: The file cannot be written.
    """
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: models are exported to {' or '.join(FORMATS)}")
    if examples and suffix != ".onnx":
        raise ConfigError(f"{path}: only .onnx files compute in 8-bit integers")
    content = to_onnx(model, examples) if examples else FORMATS[suffix](model)
    write_atomically(Path(path), content)
