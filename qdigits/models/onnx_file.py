"""Check what an .onnx file would do, from its bytes, before onnxruntime sees them.

Such a file is a program. Only the operators of networks such as ours pass. None of them can loop,
and what each computes follows from shapes alone. Subgraphs, functions, other files and whatever
else a graph may hold are not in the tables below, and so are refused.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

MAX_PARTS = 10_000  # fields of a file
MAX_VALUES = 2**19  # computed for a tile: an eighth more than our largest network computes
MAX_MULTIPLICATIONS = 2**27  # for a tile: six times what our networks need
BATCH_SIZE = 4096  # tiles for which these must hold
MAX_EXTENT = 10_000  # of any number in a shape, a padding, a stride

# Tags of onnx.proto (https://github.com/onnx/onnx): a field's number * 8 + how it is coded.
MODEL = {8: "version", 18: "producer", 26: "release", 58: "graph", 66: "operators", 114: "about"}
GRAPH = {10: "nodes", 18: "name", 42: "weights", 90: "inputs", 98: "outputs", 106: "types"}
NODE = {10: "inputs", 18: "outputs", 26: "name", 34: "operator", 42: "settings"}
SETTING = {10: "name", 21: "float", 24: "number", 34: "text", 64: "numbers", 160: "type"}
WEIGHT = {8: "shape", 16: "type", 66: "name", 74: "raw"}
DTYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8"}  # 64-bit integers say shapes

PAGE_OPERATORS = frozenset(
    b"Conv Relu Add Sub Mul Div Sqrt Clip Sigmoid Split AveragePool Resize"
    b" QuantizeLinear DequantizeLinear".split()
)

# The same coding: one more entry of metadata, named sha256, of 64 letters.
SEAL = b"\x72\x4a\x0a\x06sha256\x12\x40"
SEAL_BYTES = len(SEAL) + 64

Shape = tuple[int, ...]
Fields = dict[str, list[Any]]


class Node(NamedTuple):
    """One operator of a graph, applied."""

    operator: str
    inputs: list[bytes]
    output: bytes
    settings: dict[bytes, Any]


class Graph(NamedTuple):
    """A graph: its nodes in the order in which they run."""

    nodes: list[Node]
    weights: dict[bytes, np.ndarray]


class Tensors(NamedTuple):
    """What is known of the tensors of a graph while its nodes are followed."""

    computed: dict[bytes, Shape]
    weights: dict[bytes, np.ndarray]

    def shape(self, name: bytes) -> Shape:
        return self.computed.get(name) or self.weights[name].shape


class Result(NamedTuple):
    """What a node computes."""

    shape: Shape
    multiplications: int = 1  # for each value


def seal(model: bytes) -> bytes:
    """Append a SHA-256 of all before it as the last entry of metadata.

    A damaged graph can still be a valid graph, so damage must be found this way.
    """
    sealed = model + SEAL
    return sealed + hashlib.sha256(sealed).hexdigest().encode()


def check_onnx_file(data: bytes) -> None:
    """Check that a file is a small network that reads `image`, and answers a row for each tile.

    Raises:
        Exception: Of any kind, if it is anything else.
    """
    check_seal(data)
    check_cost(read_graph(data))


def check_page_net_file(data: bytes) -> None:
    """Check that a file is a page network, whole and without loops.

    What it costs follows from the size of the picture, which reading bounds.

    Raises:
        Exception: Of any kind, if it is anything else.
    """
    check_seal(data)
    parts = iter(range(MAX_PARTS))
    model = read_fields(data, MODEL, parts)
    graph = read_fields(b"".join(model["graph"]), GRAPH, parts)
    for message in graph["nodes"]:
        operator = read_fields(message, NODE, parts)["operator"][-1]
        if operator not in PAGE_OPERATORS:
            raise ValueError(f"{operator!r} is in no page network")


def check_seal(data: bytes) -> None:
    if data != seal(data[:-SEAL_BYTES]):
        raise ValueError("damaged")


def read_graph(data: bytes) -> Graph:
    """Parse a file as far as its graph goes; anything that is not known is refused."""
    parts = iter(range(MAX_PARTS))
    model = read_fields(data, MODEL, parts)
    graph = read_fields(b"".join(model["graph"]), GRAPH, parts)
    weights = dict(read_weight(message, parts) for message in graph["weights"])
    nodes = [read_node(message, parts) for message in graph["nodes"]]
    return Graph(nodes, weights)


def read_weight(message: bytes, parts: Iterator[int]) -> tuple[bytes, np.ndarray]:
    """Return the name and the values of a weight."""
    found = read_fields(message, WEIGHT, parts)
    dtype = DTYPES[found["type"][-1]]
    weight = np.frombuffer(found["raw"][-1], dtype).reshape(found["shape"])
    limit = MAX_EXTENT if weight.dtype == np.int64 else np.inf
    if not abs(weight.astype("f4", copy=False)).max(initial=0) < limit:
        raise ValueError("a weight that is not finite, or a shape out of all proportion")
    return found["name"][-1], weight


def read_node(message: bytes, parts: Iterator[int]) -> Node:
    found = read_fields(message, NODE, parts)
    (output,) = found["outputs"]
    settings = dict(read_setting(setting, parts) for setting in found["settings"])
    return Node(found["operator"][-1].decode(), found["inputs"], output, settings)


def read_setting(message: bytes, parts: Iterator[int]) -> tuple[bytes, Any]:
    """Return the name and the value of a setting: a list of numbers, a number, a text, or 0."""
    found = read_fields(message, SETTING, parts)
    value = found["numbers"] or [*found["number"], *found["text"], 0][0]
    return found["name"][-1], value


def read_fields(message: bytes, known: dict[int, str], parts: Iterator[int]) -> Fields:
    """Read a protobuf message.

    Args:
        message: Its bytes.
        known: The names of its fields, by tag.
        parts: Counts the fields of the whole file.

    Raises:
        KeyError: A field is not known.
        StopIteration: The file has a field too many.
    """
    stream = io.BytesIO(message)
    found: Fields = {name: [] for name in known.values()}
    while stream.tell() < len(message):
        next(parts)
        tag = read_number(stream)
        value = 4 if tag % 8 == 5 else read_number(stream)  # a number, or how many bytes follow
        found[known[tag]].append(stream.read(value) if tag % 8 else value)
    return found


def read_number(stream: io.BytesIO) -> int:
    """Read a signed number of at most 64 bits: 7 bits a byte, the lowest first."""
    digits = [stream.read(1)[0]]
    while digits[-1] > 127 and len(digits) < 10:
        digits.append(stream.read(1)[0])
    unsigned = sum(digit % 128 << 7 * place for place, digit in enumerate(digits))
    return (unsigned + 2**63) % 2**64 - 2**63


def check_cost(graph: Graph) -> None:
    """Follow the shapes from the image to the answer, and count what is computed.

    Raises:
        ValueError: An operator is unknown, or the graph computes too much, or nothing.
    """
    tensors = Tensors({b"image": (BATCH_SIZE, 1, 28, 28)}, dict(graph.weights))
    values = 0
    multiplications = 0
    for node in graph.nodes:
        if node.operator == "DequantizeLinear" and node.inputs[0] in tensors.weights:
            # Its shape stays, and it is taken away: restored twice, it would fill the memory.
            tensors.weights[node.output] = tensors.weights.pop(node.inputs[0])
            continue
        if node.operator not in SHAPE_RULES:
            raise ValueError(f"{node.operator} is in no such network")
        result = SHAPE_RULES[node.operator](node, tensors)
        tensors.computed[node.output] = result.shape
        values += prod(result.shape)
        multiplications += result.multiplications * prod(result.shape)
        if result.shape[0] != BATCH_SIZE or min(result.shape) < 1:
            raise ValueError("not a row for each tile")
        if values > BATCH_SIZE * MAX_VALUES:
            raise ValueError("too many values")
        if multiplications > BATCH_SIZE * MAX_MULTIPLICATIONS:
            raise ValueError("too much work")


def apply_elementwise(node: Node, tensors: Tensors) -> Result:
    return Result(tensors.computed[node.inputs[0]])


def apply_broadcast(node: Node, tensors: Tensors) -> Result:
    first = tensors.computed[node.inputs[0]]
    second = tensors.shape(node.inputs[1])
    return Result(np.broadcast_shapes(first, second))


def apply_reshape(node: Node, tensors: Tensors) -> Result:
    before = tensors.computed[node.inputs[0]]
    wanted = tensors.weights[node.inputs[1]]
    without_memory = np.broadcast_to(False, before)
    return Result(without_memory.reshape(wanted).shape)


def apply_pad(node: Node, tensors: Tensors) -> Result:
    if len(node.inputs) > 3:
        raise ValueError("a padding of some sides alone")
    sides = tensors.computed[node.inputs[0]]
    before, after = np.split(tensors.weights[node.inputs[1]], 2)
    parts = zip(sides, before, after, strict=True)
    return Result(tuple(int(sum(part)) for part in parts))


def apply_window(node: Node, tensors: Tensors) -> Result:
    """Follow a convolution or a pooling: (N, channels, height, width)."""
    first = tensors.computed[node.inputs[0]]
    if len(node.inputs) > 1:
        window = tensors.weights[node.inputs[1]].shape  # outputs, inputs, height, width
    else:
        window = (first[1], 1, *node.settings[b"kernel_shape"])
    pads = node.settings[b"pads"]
    strides = node.settings[b"strides"]
    dilations = node.settings.get(b"dilations", [1, 1])
    if node.settings[b"auto_pad"] != b"NOTSET" or node.settings.get(b"ceil_mode"):
        raise ValueError("a window of another kind")
    if max(pads + strides + dilations) > MAX_EXTENT:
        raise ValueError("a window out of all proportion")
    extents = zip(
        first[2:],
        window[2:],
        pads[:2],
        pads[2:],
        strides,
        dilations,
        strict=True,
    )
    sides = [count_positions(*extent) for extent in extents]
    shape = (first[0], window[0], *sides)
    return Result(shape, multiplications=prod(window[1:]))


def count_positions(
    side: int,
    kernel: int,
    before: int,
    after: int,
    stride: int,
    dilation: int,
) -> int:
    """Count the positions of a window along one side of a picture."""
    padded = before + side + after
    reach = dilation * (kernel - 1) + 1
    return (padded - reach) // stride + 1


def apply_gemm(node: Node, tensors: Tensors) -> Result:
    """Follow a linear layer: (N, inputs) to (N, outputs)."""
    if node.settings.get(b"transA"):
        raise ValueError("a transposed input")
    rows, inputs, *_ = tensors.computed[node.inputs[0]]
    weight = tensors.weights[node.inputs[1]]
    output_axis = 0 if node.settings.get(b"transB") else 1
    outputs = weight.shape[output_axis]
    return Result((rows, outputs), multiplications=inputs)


SHAPE_RULES: dict[str, Callable[[Node, Tensors], Result]] = {
    "QuantizeLinear": apply_elementwise,
    "DequantizeLinear": apply_elementwise,
    "Relu": apply_elementwise,
    "Gelu": apply_elementwise,
    "Sigmoid": apply_elementwise,
    "Softmax": apply_elementwise,
    "Add": apply_broadcast,
    "Sub": apply_broadcast,
    "Mul": apply_broadcast,
    "Div": apply_broadcast,
    "Reshape": apply_reshape,
    "Pad": apply_pad,
    "Conv": apply_window,
    "AveragePool": apply_window,
    "MaxPool": apply_window,
    "Gemm": apply_gemm,
}
