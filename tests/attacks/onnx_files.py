"""Graphs that would loop, swell or reach out: each is refused before onnxruntime sees it.

python -m tests.attacks.onnx_files      tries each and prints what became of it
"""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, TypeProto, helper, numpy_helper

from qdigits.models.onnx_file import seal

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
ABOUT = json.dumps({"threshold": 0.5, "card": {}})
node = helper.make_node


def integers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def floats(*shape: int) -> np.ndarray:
    return np.full(shape, 0.01, np.float32)


def network(*nodes, about: str = ABOUT, **weights) -> ModelProto:
    """A single layer that qdigits reads, as it is or with more in its graph."""
    honest = [
        node("Reshape", ["image", "flat"], ["row"]),
        node("Gemm", ["row", "w", "b"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"]),
    ]
    weights = {"flat": integers(-1, 784), "w": floats(784, 10), "b": floats(10)} | weights
    graph = helper.make_graph(
        [*honest, *nodes],
        "g",
        [helper.make_tensor_value_info("image", FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("probabilities", FLOAT, ["N", 10])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model.metadata_props.add(key="qdigits", value=about)
    return model


def _loops() -> Iterator[tuple[str, ModelProto]]:
    """What runs other graphs, or the same for ever."""
    kinds = {"i": INT64, "c": TensorProto.BOOL, "v": FLOAT, "c2": TensorProto.BOOL, "v2": FLOAT}
    state = [helper.make_tensor_value_info(name, kind, []) for name, kind in kinds.items()]
    again = [node("Identity", ["c"], ["c2"]), node("Identity", ["v"], ["v2"])]
    body = helper.make_graph(again, "body", state[:3], state[3:])
    yes, rounds, start = np.array(True), np.array(2**62), np.float32(0)
    loop = node("Loop", ["rounds", "yes", "start"], ["out"], body=body)
    yield "a loop of 2^62 rounds", network(loop, rounds=rounds, yes=yes, start=start)
    once = helper.make_graph([node("Identity", ["image"], ["same"])], "branch", [], state[4:])
    once.output[0].name = "same"
    yield (
        "a branch",
        network(node("If", ["yes"], ["out"], then_branch=once, else_branch=once), yes=yes),
    )
    yield "a Relu with a graph in it", network(node("Relu", ["image"], ["out"], body=body))
    called = network(node("Twice", ["image"], ["out"], domain="own"))
    called.functions.append(
        helper.make_function(
            "own",
            "Twice",
            ["x"],
            ["y"],
            [node("Add", ["x", "x"], ["y"])],
            [helper.make_opsetid("", 20)],
        )
    )
    called.opset_import.append(helper.make_opsetid("own", 1))
    yield "a function of its own", called
    yield (
        "an operator of Microsoft's",
        network(node("BiasGelu", ["row", "k"], ["out"], domain="com.microsoft"), k=floats(784)),
    )


def _swelling() -> Iterator[tuple[str, ModelProto]]:
    """Small graphs that make much, at once or step by step."""
    many = integers(9999, 9999)
    restored = [node("DequantizeLinear", ["w8", "k", "o"], [f"out{copy}"]) for copy in range(60)]
    packed = {"w8": np.zeros(2**22, np.uint8), "k": np.float32(1), "o": np.uint8(0)}
    yield "the same weights restored 60 times", network(*restored, **packed)
    for operator, inputs, weights in (
        ("Expand", ["one", "many"], {"one": floats(1)}),
        ("Tile", ["one", "many"], {"one": floats(1, 1)}),
        ("ConstantOfShape", ["many"], {}),
        ("Range", ["first", "last", "step"], {"first": 0, "last": 2**33, "step": 1}),
        ("Resize", ["image", "", "", "many"], {}),
        ("OneHot", ["many", "last", "ends"], {"last": 2**33, "ends": many}),
        ("NonZero", ["image"], {}),
        ("MatMul", ["image", "image"], {}),
    ):
        yield operator, network(node(operator, inputs, ["out"]), many=many, **weights)
    yield (
        "Expand to batch x batch",
        network(
            node("Shape", ["image"], ["n"], start=0, end=1),
            node("Concat", ["n", "n", "kilo"], ["n2"], axis=0),
            node("Expand", ["one", "n2"], ["out"]),
            one=floats(1),
            kilo=integers(1000),
        ),
    )
    for edge in ((0, 0, 2**20, 0, 0, 0, 2**20, 0), (0, 0, 2**62, 0, 0, 0, -(2**62), 0)):
        yield (
            f"Pad by {max(edge)}",
            network(
                node("Pad", ["image", "edge", "zero"], ["out"]),
                edge=integers(*edge),
                zero=np.float32(0),
            ),
        )
    yield (
        "Pad along other axes",
        network(
            node("Pad", ["image", "edge", "zero", "axes"], ["out"]),
            zero=np.float32(0),
            edge=integers(0, 0, 0, 1, 0, 0, 0, 0),
            axes=integers(3, 2, 1, 0),
        ),
    )
    doubled = [node("Concat", [f"x{i}", f"x{i}"], [f"x{i + 1}"], axis=0) for i in range(40)]
    yield "doubled forty times", network(node("Relu", ["image"], ["x0"]), *doubled)
    yield "a shape doubled forty times", network(node("Shape", ["image"], ["x0"]), *doubled)
    column, line = integers(-1, 1), integers(1, -1)
    ways = [node("Reshape", ["image", "column"], ["c"]), node("Reshape", ["image", "line"], ["l"])]
    yield (
        "each pixel with each",
        network(*ways, node("Add", ["c", "l"], ["out"]), column=column, line=line),
    )
    yield (
        "each pixel times each",
        network(*ways, node("Gemm", ["c", "l"], ["out"]), column=column, line=line),
    )
    yield (
        "each pixel times each, turned",
        network(
            *ways, node("Gemm", ["l", "c"], ["out"], transA=1, transB=1), column=column, line=line
        ),
    )

    def window(
        operator: str = "Conv", pad: int = 0, stride: int = 1, spread: int = 1, **more
    ) -> ModelProto:
        settings = {
            "pads": [pad] * 4,
            "strides": [stride] * 2,
            "dilations": [spread] * 2,
            "auto_pad": "NOTSET",
        } | more
        return node(
            operator, ["image", "k"] if operator == "Conv" else ["image"], ["out"], **settings
        )

    yield "Conv with wide edges", network(window(pad=999), k=floats(1, 1, 3, 3))
    yield "Conv with endless edges", network(window(pad=2**40, stride=2**40), k=floats(1, 1, 3, 3))
    yield "Conv spread out", network(window(pad=2**40, spread=2**40), k=floats(1, 1, 3, 3))
    yield "Conv with 2,000 channels", network(window(pad=1), k=floats(2000, 1, 3, 3))
    yield "Conv with a huge kernel", network(window(pad=500), k=floats(1, 1, 1000, 1000))
    yield "MaxPool with a huge kernel", network(window("MaxPool", 999, kernel_shape=[1000, 1000]))
    yield (
        "MaxPool rounding up",
        network(window("MaxPool", kernel_shape=[2, 2], strides=[999, 999], ceil_mode=1)),
    )
    yield (
        "AveragePool, edges unknown",
        network(window("AveragePool", kernel_shape=[9, 9], auto_pad="SAME_UPPER")),
    )
    yield "strides of another type", network(window(strides=7), k=floats(64, 1, 3, 3))
    yield (
        "a layer of a million",
        network(
            node("Gemm", ["row", "one"], ["y"]),
            node("Gemm", ["y", "wide"], ["out"]),
            one=floats(784, 1),
            wide=floats(1, 2**20),
        ),
    )
    yield "a layer turned", network(node("Gemm", ["row", "k"], ["out"], transA=1), k=floats(2, 10))
    yield (
        "weights that make more",
        network(
            node("Relu", ["w"], ["y"]),
            node("Add", ["y", "tall"], ["out"]),
            tall=floats(10_000, 1, 1),
        ),
    )
    deep = [
        window(),
        *(
            node(
                "Conv",
                ["out" if i == 0 else f"y{i}", "k2"],
                [f"y{i + 1}"],
                pads=[1] * 4,
                strides=[1, 1],
                auto_pad="NOTSET",
            )
            for i in range(9)
        ),
    ]
    yield (
        "nine layers of 200 channels",
        network(*deep, k=floats(200, 1, 3, 3), k2=floats(200, 200, 3, 3)),
    )


def _lies() -> Iterator[tuple[str, ModelProto]]:
    """Weights and shapes that are not what they say."""
    yield (
        "tiles in a row",
        network(node("Reshape", ["image", "line"], ["out"]), line=integers(1, -1)),
    )
    yield (
        "no tile left",
        network(
            node("Pad", ["row", "edge", "zero"], ["out"]),
            edge=integers(0, -784, 0, 0),
            zero=np.float32(0),
        ),
    )
    yield (
        "a batch of two alone",
        network(node("Reshape", ["image", "two"], ["out"]), two=integers(2, 784)),
    )
    yield (
        "reshaped into more",
        network(node("Reshape", ["image", "more"], ["out"]), more=integers(-1, 785)),
    )
    yield (
        "a shape of a thousand sides",
        network(node("Reshape", ["image", "k"], ["out"]), k=np.ones(1000, np.int64)),
    )
    minus = [node("Shape", ["image"], ["n"], start=0, end=1), node("Sub", ["n", "two"], ["zero"])]
    yield (
        "divided by the batch less two",
        network(*minus, node("Div", ["two", "zero"], ["out"]), two=integers(2)),
    )
    for name in ("image", "w", "row"):
        yield f"another {name}", network(node("Relu", ["image"], [name]))
    for what, value in (("NaN", np.nan), ("infinite", -np.inf)):
        bias = np.array([value] * 10, np.float32)  # a ReLU hides it
        yield (
            f"a weight {what}",
            network(node("Gemm", ["row", "w", "k"], ["y"]), node("Relu", ["y"], ["out"]), k=bias),
        )
    yield (
        "edges of -2^63",
        network(
            node("Pad", ["row", "edge", "zero"], ["out"]),
            edge=integers(0, -(2**63), 0, -(2**63)),
            zero=np.float32(0),
        ),
    )
    yield "half precision", network(k=np.zeros(4, np.float16))
    yield "texts", network(k=np.array(["a", "b"], object))
    for what, change in {
        "2^40 weights told": {"dims": [2**20, 2**20]},
        "weights of negative size": {"dims": [-784, -10]},
        "a weight less": {"dims": [783, 10]},
    }.items():
        model = network()
        model.graph.initializer[1].dims[:] = change["dims"]
        yield what, model
    outside = network()
    outside.graph.initializer[1].ClearField("raw_data")
    outside.graph.initializer[1].data_location = TensorProto.EXTERNAL
    outside.graph.initializer[1].external_data.add(key="location", value="/etc/passwd")
    yield "weights in /etc/passwd", outside
    sparse = network()
    tensor = helper.make_tensor
    sparse.graph.sparse_initializer.add().CopyFrom(
        helper.make_sparse_tensor(
            tensor("s", FLOAT, [1], [1.0]), tensor("i", INT64, [1], [1]), [2**40]
        )
    )
    yield "2^40 sparse weights", sparse
    yield "a constant", network(node("Constant", [], ["out"], value=tensor("k", FLOAT, [1], [1.0])))
    yield (
        "a loss to train with",
        network(node("SoftmaxCrossEntropyLoss", ["logits", "flat"], ["out"])),
    )
    yield (
        "a second output",
        network(
            node(
                "MaxPool",
                ["image"],
                ["out", "places"],
                kernel_shape=[2, 2],
                pads=[0] * 4,
                strides=[1, 1],
                auto_pad="NOTSET",
            )
        ),
    )
    unsure = network(b=floats(10) * 1000)
    unsure.graph.node[2].op_type = "Relu"
    yield "answers above one", unsure
    trained = network()
    trained.training_info.add()
    yield "training inside", trained


def _damage() -> Iterator[tuple[str, bytes]]:
    """Bytes that no exporter writes, and far too many of them."""
    good = network().SerializeToString()
    yield "cut in half", good[: len(good) // 2]
    yield "a number without end", good + b"\xff" * 2**24
    yield "a number of a megabyte", good + b"\xff" * 2**20 + b"\x01"
    yield "a field of tomorrow", good + b"\xf2\x0f\x00"
    yield "a negative length", good + b"\x0a" + b"\xff" * 9 + b"\x01"
    yield "a length of 2^40", good + b"\x12" + b"\x80" * 5 + b"\x20"
    yield "a million producers", good + b"\x12\x00" * 10**6
    yield "ten million producers", good + b"\x12\x00" * 10**7
    yield (
        "100,000 layers",
        network(*(node("Relu", ["image"], [f"x{i}"]) for i in range(100_000))).SerializeToString(),
    )
    yield (
        "3,000 layers",
        network(*(node("Relu", ["image"], [f"x{i}"]) for i in range(3000))).SerializeToString(),
    )
    yield "30 MB of description", network(about="[" + "[]," * 10**7).SerializeToString()
    yield "a description too deep", network(about="[" * 200_000).SerializeToString()
    yield "no description", network(about="").SerializeToString()
    kind, innermost = TypeProto(), network()
    kind.tensor_type.elem_type = FLOAT
    for _ in range(90):
        outer = TypeProto()
        outer.sequence_type.elem_type.CopyFrom(kind)
        kind = outer
    innermost.graph.input.add(name="nest").type.CopyFrom(kind)
    yield "an input of lists of lists", innermost.SerializeToString()
    yield "8 million weights and one", network(k=floats(2**23 + 1)).SerializeToString()


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every attack as (what it is, a path to try)."""
    target = folder / "attack.onnx"
    graphs = (
        (what, model.SerializeToString())
        for group in (_loops, _swelling, _lies)
        for what, model in group()
    )
    for what, data in chain(graphs, _damage()):
        target.write_bytes(seal(data))  # who means harm signs it
        yield what, target


if __name__ == "__main__":
    import tempfile

    from qdigits import load_model
    from tests.attacks import tried

    with tempfile.TemporaryDirectory() as folder:
        for what, path in files(Path(folder)):
            print(f"{what:35} {tried(lambda path=path: load_model(path))}")
