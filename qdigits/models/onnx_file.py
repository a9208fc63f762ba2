"""What an .onnx file would do, worked out from its bytes before onnxruntime sees them.

Such a file is a program. Only operators of networks such as ours pass, none can loop, and what each makes follows from
shapes alone. Subgraphs, functions, other files and whatever else a graph may hold are not in the tables below, and so
refused.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

PARTS = 10_000  # what a file is made of
NUMBERS, STEPS = 2**18, 2**27  # made and multiplied for a tile: twice and six times what ours take
BATCH, FAR = (
    4096,
    10_000,
)  # tiles for which that must hold; of any number in a shape, an edge, a stride
# Tags of onnx.proto (https://github.com/onnx/onnx): a field's number * 8 + how it is coded
MODEL = {8: "version", 18: "producer", 26: "release", 58: "graph", 66: "operators", 114: "about"}
GRAPH = {10: "nodes", 18: "name", 42: "weights", 90: "inputs", 98: "outputs", 106: "types"}
NODE = {10: "inputs", 18: "outputs", 26: "name", 34: "operator", 42: "settings"}
SETTING = {10: "name", 21: "float", 24: "number", 34: "text", 64: "numbers", 160: "type"}
WEIGHT = {8: "shape", 16: "type", 66: "name", 74: "raw"}
TYPES = {1: "<f4", 7: "<i8"}  # of weights; integers say shapes, and nothing is computed with them
SEAL = (
    b"\x72\x4a\x0a\x06sha256\x12\x40"  # the same coding: one more entry of metadata, of 64 letters
)


def sealed(model: bytes) -> bytes:
    """The file, and as its last entry of metadata a SHA-256 of all before: damage would be a model, too."""
    said = model + SEAL
    return said + hashlib.sha256(said).hexdigest().encode()


def inspect(data: bytes) -> None:
    """Raises an exception, of any kind, unless the file is a small network that reads `image`, a row for each tile."""
    if data != sealed(data[: -len(SEAL) - 64]):
        raise ValueError("damaged")
    parts, weights = iter(range(PARTS)), dict[bytes, np.ndarray]()
    shapes: dict[bytes, tuple[int, ...]] = {b"image": (BATCH, 1, 28, 28)}
    graph = _fields(b"".join(_fields(data, MODEL, parts)["graph"]), GRAPH, parts)
    for part in graph["weights"]:
        found = _fields(part, WEIGHT, parts)
        weight = np.frombuffer(found["raw"][-1], TYPES[found["type"][-1]]).reshape(found["shape"])
        if not abs(weight.astype("f4", copy=False)).max(initial=0) < (
            FAR if weight.dtype == np.int64 else np.inf
        ):
            raise ValueError("a weight that is not finite, or a shape out of all proportion")
        weights[found["name"][-1]] = weight
    numbers = steps = 0
    for part in graph["nodes"]:
        found = _fields(part, NODE, parts)
        settings = [_fields(one, SETTING, parts) for one in found["settings"]]
        told = {
            one["name"][-1]: one["numbers"] or [*one["number"], *one["text"], 0][0]
            for one in settings
        }
        (name, *others), (output,) = found["inputs"], found["outputs"]
        first, each = shapes[name], 1
        match found["operator"][-1].decode():
            case "Relu" | "Gelu" | "Sigmoid" | "Softmax":
                made = first
            case "Add" | "Sub" | "Mul" | "Div":
                made = np.broadcast_shapes(first, shapes.get(others[0]) or weights[others[0]].shape)
            case "Reshape":
                made = (
                    np.broadcast_to(False, first).reshape(weights[others[0]]).shape
                )  # in no memory
            case "Pad" if len(others) < 3:  # else of some sides alone
                edges = np.split(weights[others[0]], 2)
                made = tuple(int(sum(side)) for side in zip(first, *edges, strict=True))
            case "Conv" | "AveragePool" | "MaxPool":
                window = (
                    weights[others[0]].shape if others else (first[1], 1, *told[b"kernel_shape"])
                )
                pads, strides, spread = (
                    told[b"pads"],
                    told[b"strides"],
                    told.get(b"dilations", [1, 1]),
                )
                along = zip(first[2:], window[2:], pads[:2], pads[2:], strides, spread, strict=True)
                made = (
                    first[0],
                    window[0],
                    *((a - d * (k - 1) - 1 + p + q) // s + 1 for a, k, p, q, s, d in along),
                )
                each = prod(window[1:])
                if (
                    told[b"auto_pad"] != b"NOTSET"
                    or told.get(b"ceil_mode")
                    or max(pads + strides + spread) > FAR
                ):
                    raise ValueError("a window of another kind")
            case "Gemm" if not told.get(b"transA"):
                made, each = (first[0], weights[others[0]].shape[not told.get(b"transB")]), first[1]
            case operator:
                raise ValueError(f"{operator} is in no such network")
        shapes[output], numbers, steps = made, numbers + prod(made), steps + each * prod(made)
        if made[0] != BATCH or min(made) < 1 or numbers > BATCH * NUMBERS or steps > BATCH * STEPS:
            raise ValueError("too much work, or none")


PAGE_OPERATORS = frozenset(
    b"Conv Relu Add Sub Mul Div Sqrt Clip Sigmoid Split AveragePool Resize".split()
)


def inspect_page_net(data: bytes) -> None:
    """Raise an exception, of any kind, unless the file is whole and cannot loop.

    What it costs follows from the size of the picture, which reading bounds.
    """
    if data != sealed(data[: -len(SEAL) - 64]):
        raise ValueError("damaged")
    parts = iter(range(PARTS))
    graph = _fields(b"".join(_fields(data, MODEL, parts)["graph"]), GRAPH, parts)
    operators = {_fields(node, NODE, parts)["operator"][-1] for node in graph["nodes"]}
    if not operators <= PAGE_OPERATORS:
        raise ValueError(f"{operators - PAGE_OPERATORS} are in no page network")


def _fields(message: bytes, known: dict[int, str], parts: Iterator[int]) -> dict[str, list[Any]]:
    """A protobuf message. KeyError for a field that is not known, StopIteration for a part too many."""
    stream, found = io.BytesIO(message), dict[str, list[Any]]((name, []) for name in known.values())
    while stream.tell() < len(message):
        next(parts)
        tag = _number(stream)
        value = 4 if tag % 8 == 5 else _number(stream)
        found[known[tag]].append(stream.read(value) if tag % 8 else value)
    return found


def _number(stream: io.BytesIO) -> int:
    digits = [stream.read(1)[0]]
    while digits[-1] > 127 and len(digits) < 10:
        digits.append(stream.read(1)[0])
    return (
        sum(digit % 128 << 7 * place for place, digit in enumerate(digits)) + 2**63
    ) % 2**64 - 2**63
