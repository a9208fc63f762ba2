"""A model for other programs: one .onnx file, or .safetensors. Everything travels inside."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from qdigits.models.page_net import MULTIPLE, PageAnswer, PageNet

OPSET = 20
MAX_CELLS = 1000
"""Sides of a page, in multiples of 16 pixels, for which the graph is made."""


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


class _PageAnswer(nn.Module):
    """From grey to probabilities of marks, boxes and turn in one graph."""

    def __init__(self, network: PageNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        answer = self.network(grey)
        return answer.heat.sigmoid(), answer.box, answer.printed.sigmoid(), answer.turn


def _digit_graph(model: DigitModel) -> Any:
    return torch.onnx.export(
        _Answer(model),
        (torch.zeros(2, 1, 28, 28),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["image"],
        output_names=["probabilities"],
        dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
        verbose=False,
    )


def _page_graph(network: PageNet) -> Any:
    height, width = (torch.export.Dim(name, min=1, max=MAX_CELLS) for name in ("rows", "columns"))
    return torch.onnx.export(
        _PageAnswer(network),
        (torch.zeros(2, 1, 4 * MULTIPLE, 6 * MULTIPLE),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["grey"],
        output_names=list(PageAnswer._fields),
        dynamic_shapes={
            "grey": {0: torch.export.Dim("batch"), 2: MULTIPLE * height, 3: MULTIPLE * width}
        },
        verbose=False,
    )


def _onnx(model: DigitModel | PageNet) -> bytes:
    try:
        import onnxscript  # noqa: F401  # the exporter needs it, and names it only deep in a traceback
    except ImportError as error:
        raise ConfigError(
            "exporting to .onnx needs more packages; pip install 'qdigits[onnx]'"
        ) from error
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = _page_graph(model) if isinstance(model, PageNet) else _digit_graph(model)
    assert program is not None  # for mypy: it is None only where nothing is traced
    about = {
        "format": FORMAT,
        "card": model.card,
        "exported_from": model.source_digest,
    }
    if isinstance(model, DigitModel):
        about["threshold"] = float(model.threshold)
    for part in (program.model.graph, *program.model.graph):
        part.metadata_props.clear()  # the exporter's notes name folders of this machine
    program.model.metadata_props["qdigits"] = json.dumps(about)
    return sealed(program.model_proto.SerializeToString())


def _safetensors(model: DigitModel | PageNet) -> bytes:
    return safetensors.torch.save(model.state_dict(), describe(model, model.card))


FORMATS: dict[str, Callable[[Any], bytes]] = {".onnx": _onnx, ".safetensors": _safetensors}


def export(model: DigitModel | PageNet, path: str | Path) -> None:
    """Write the model in the format that the suffix names.

    .onnx         input `image`, float32 (N, 1, 28, 28), ink 1.0 on paper 0.0; output `probabilities`, float32 (N, 10),
                  calibrated, a row summing to at most 1; threshold, card and a SHA-256 as metadata. Opset 20, one file.
                  Of the page network: input `grey`, float32 (N, 1, H, W), sides multiples of 16; outputs `heat` and
                  `printed` as probabilities, `box` and `turn` as models.page_net says.
    .safetensors  the weights, and all that the .pth file says, as metadata.

    Raises  ConfigError: another suffix, packages that are missing; QDigitsError: the disk refuses.
    """
    if (suffix := Path(path).suffix) not in FORMATS:
        raise ConfigError(f"{path}: models are exported to {' or '.join(FORMATS)}")
    write_atomically(Path(path), FORMATS[suffix](model))
