"""What each layer of a network saw in one tile, whichever engine runs the network."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from qdigits.models.cascade import Cascade
from qdigits.models.numpy_mlp import NumpyMLP
from qdigits.models.onnx_file import Graph, read_graph
from qdigits.models.onnx_model import OnnxModel


class LayerView(NamedTuple):
    """One hidden layer, after its ReLU."""

    activations: np.ndarray  # (units,) of a dense layer, (maps, h, w) of a convolution
    weights: np.ndarray | None  # (units, inputs) of a dense layer; None of a convolution


def inspect_layers(model: Any, tile: np.ndarray) -> list[LayerView]:
    """Run a network on one tile and return what its hidden layers made of it.

    Args:
        model: A model of this package: OnnxModel, Cascade, DigitModel or NumpyMLP.
        tile: What it sees, uint8 (28, 28).

    Returns:
        The hidden layers, from the picture to the answer; none of any other kind of model.
    """
    if isinstance(model, NumpyMLP):
        image = tile[None].astype(np.float32) / 255
        _, *hidden, _ = model.forward(image)
        layers = zip(hidden, model.layers[:-1], strict=True)
        return [LayerView(activations[0], layer.weights) for activations, layer in layers]
    if isinstance(model, Cascade):
        model = model.choose(tile)
    if isinstance(model, OnnxModel):
        return _inspect_onnx(model, tile)
    if "torch" in sys.modules:
        return _inspect_torch(model, tile)
    return []


def _inspect_onnx(model: OnnxModel, tile: np.ndarray) -> list[LayerView]:
    """Run the same file once more, with its hidden layers as outputs."""
    import onnxruntime

    graph = read_graph(model.file)
    names = [node.output for node in graph.nodes if node.operator == "Relu"]
    file = with_outputs(model.file, names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(file, options, providers=providers)
    image = tile[None, None].astype(np.float32) / 255  # (1, 1, 28, 28)
    made = session.run([name.decode() for name in names], {"image": image})
    return [
        LayerView(activations[0], _dense_weights(graph, name))
        for name, activations in zip(names, made, strict=True)
    ]


def with_outputs(file: bytes, names: list[bytes]) -> bytes:
    """Make tensors inside an .onnx file outputs of it.

    Protobuf merges messages that stand one after the other, so it is enough to append a model whose
    graph has nothing but these outputs.
    """
    outputs = b"".join(_field(12, _field(1, name)) for name in names)
    return file + _field(7, outputs)


def _field(number: int, payload: bytes) -> bytes:
    """Encode one protobuf field that holds bytes."""
    key = 8 * number + 2
    size = bytearray()
    length = len(payload)
    while length > 127:  # seven bits a byte, the lowest first
        size.append(length % 128 + 128)
        length //= 128
    return bytes([key, *size, length]) + payload


def _dense_weights(graph: Graph, relu: bytes) -> np.ndarray | None:
    """Return the weights of the dense layer whose ReLU has this output, if it is one."""
    made_by = {node.output: node for node in graph.nodes}
    before_relu = made_by[relu].inputs[0]
    layer = made_by[before_relu]
    if layer.operator != "Gemm":
        return None
    weights = layer.inputs[1]
    return graph.weights[weights]


def _inspect_torch(model: Any, tile: np.ndarray) -> list[LayerView]:
    from torch import nn

    views: list[LayerView] = []
    layers = [each for each in model.modules() if isinstance(each, (nn.Linear, nn.Conv2d, nn.ReLU))]

    def look(layer: nn.Module, before: nn.Module) -> Any:
        weights = before.weight.detach().numpy() if isinstance(before, nn.Linear) else None

        def hook(_: nn.Module, __: Any, output: Any) -> None:
            views.append(LayerView(output[0].detach().numpy().copy(), weights))

        return layer.register_forward_hook(hook)

    hooks = []
    for before, layer in zip(layers, layers[1:], strict=False):
        if isinstance(layer, nn.ReLU):
            hooks.append(look(layer, before))
    try:
        model.probabilities(tile[None])
    finally:
        for hook in hooks:
            hook.remove()
    return views
