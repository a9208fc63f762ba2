"""Pickles that only look like Kaggle's MNIST-120k: each must end in one DataError, nothing run.

python -m tests.attacks.kaggle_pickles      tries each and prints what became of it
"""

import pickle
import struct
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np

from .model_files import PAYLOADS, call, mapping, name, plain

ROWS = 30


def digits(rows: int = ROWS) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {
        "data": draw.integers(0, 256, (rows, 28, 28), dtype=np.uint8),
        "labels": draw.integers(0, 10, (rows, 1)),
    }


def genuine(content: object, protocol: int, numpy: int) -> bytes:
    """As numpy 1 or numpy 2 pickled it: their modules bear other names."""
    root = {1: "numpy.core", 2: "numpy._core"}[numpy]
    makers = {
        "multiarray": np._core.multiarray._reconstruct,
        "numeric": np._core.numeric._frombuffer,
    }
    with (
        patch.object(makers["multiarray"], "__module__", f"{root}.multiarray"),
        patch.object(makers["numeric"], "__module__", f"{root}.numeric"),
    ):
        return pickle.dumps(content, protocol)


def _dtype(code: str = "u1", order: str = "|") -> bytes:
    state = plain((3, order, None, None, None, -1, -1, 0))
    return call("numpy", "dtype", plain(code), b"\x89", b"\x88") + state + b"b"


def _array(
    shape, raw: bytes, dtype: bytes | None = None, *, root: str = "numpy.core.multiarray"
) -> bytes:
    made = call(root, "_reconstruct", name("numpy", "ndarray"), plain((0,)), plain(b"b"))
    return made + b"(" + plain(1) + plain(shape) + (dtype or _dtype()) + b"\x89" + raw + b"tb"


def _bytes(count: int, value: bytes = b"\0") -> bytes:
    return b"B" + struct.pack("<I", count) + value * count


def files() -> Iterator[tuple[str, bytes]]:
    """Every attack as (what it is, the bytes of the file)."""
    labels = _array((ROWS, 1), _bytes(ROWS))
    images = _array((ROWS, 28, 28), _bytes(ROWS * 784))

    def file(data: bytes = images, labels: bytes = labels) -> bytes:
        return b"\x80\x03" + mapping({"data": data, "labels": labels}) + b"."

    for payload, body in PAYLOADS.items():
        yield f"alone: {payload}", b"\x80\x02" + body + b"."
        yield f"as data: {payload}", file(body)
    for what, data in {
        "declared terabytes": _array((10**6, 10**3, 10**3), _bytes(9)),
        "shape too small": _array((1, 28, 28), _bytes(ROWS * 784)),
        "shape negative": _array((-1, 28, 28), _bytes(ROWS * 784)),
        "shape a list": _array([ROWS, 28, 28], _bytes(784)),
        "shape of bombs": _array((), _bytes(1)).replace(
            plain(()), b"I1\n\x85q\x00" + b"0(h\x00h\x00tq\x00" * 90
        ),
        "32x32": _array((ROWS, 32, 32), _bytes(ROWS * 1024)),
        "flat": _array((ROWS, 784), _bytes(ROWS * 784)),
        "objects": _array((ROWS, 28, 28), _bytes(ROWS * 784 * 8), _dtype("O8")),
        "no rows": _array((0, 28, 28), _bytes(0)),
        "records": _array((ROWS, 28, 28), _bytes(ROWS * 784), _dtype("V1")),
        "floats": _array((ROWS, 28, 28), _bytes(ROWS * 784 * 4), _dtype("f4")),
        "dtype a lie": _array((ROWS, 28, 28), _bytes(ROWS * 784), _dtype("u8")),
        "dtype huge": _array((1,), _bytes(1), _dtype("V" + "9" * 30)),
        "byte order a lie": _array((ROWS, 28, 28), _bytes(ROWS * 784), _dtype("u1", "O")),
        "no state": call("numpy.core.multiarray", "_reconstruct"),
        "bytes a number": _array((ROWS, 28, 28), plain(10**9)),
        "bytes a text": _array((ROWS, 28, 28), plain("x" * ROWS * 784)),
        "encoded otherwise": _array(
            (1, 28, 28), call("_codecs", "encode", plain("x" * 784), plain("utf-16"))
        ),
        "encoded by a bomb": _array(
            (1, 28, 28), call("_codecs", "encode", plain("x" * 784), plain("zlib"))
        ),
        "out of its range": _array((ROWS, 28, 28), _bytes(ROWS * 1568, b"\xff"), _dtype("i2", "<")),
        "ndarray called": call("numpy", "ndarray", plain((10**9,))),
        "ndarray itself": name("numpy", "ndarray"),
        "ndarray made": name("numpy", "ndarray") + plain((10**9,)) + b"\x81",
        "nothing": b"N",
        "a text": plain("data"),
        "nested": mapping({"data": images}),
        "buffer out of band": b"\x97",
        "memo never set": b"j\xff\xff\xff\xff",
    }.items():
        yield f"data: {what}", file(data)
    yield "labels missing", b"\x80\x03" + mapping({"data": images}) + b"."
    yield "data missing", b"\x80\x03" + mapping({"labels": labels}) + b"."
    yield "not a mapping", b"\x80\x03]."
    yield "a tuple as key", b"\x80\x03}I1\n\x85q\x00" + b"0(h\x00h\x00tq\x00" * 90 + b"Ns."
    yield "fewer labels", file(labels=_array((ROWS - 1, 1), _bytes(ROWS - 1)))
    yield "labels of 10", file(labels=_array((ROWS, 1), _bytes(ROWS, b"\x0a")))
    yield "BYTEARRAY8 of 2^40", b"\x80\x05\x96" + struct.pack("<Q", 2**40)
    yield "BYTEARRAY8 of 400 MB", b"\x80\x05\x96" + struct.pack("<Q", 400 * 2**20)
    yield "BINUNICODE8 of 2^62", b"\x80\x04\x8d" + struct.pack("<Q", 2**62)
    yield "FRAME of 2^62", b"\x80\x04\x95" + struct.pack("<Q", 2**62)
    yield "LONG4 of 2^31", b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1)
    yield "100,000 lists deep", b"\x80\x02" + b"(" * 10**5 + b"l" * 10**5 + b"."
    for data in (
        b"",
        b"\x80",
        b"\x80\x05.",
        b".",
        b"\xff" * 99,
        b"\x80\x02}",
        pickle.dumps([digits()]),
        b"PK\x03\x04",
    ):
        yield f"{data[:6]!r}", data


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    from qdigits.data.loading import load_test
    from tests.attacks import tried

    with tempfile.TemporaryDirectory() as folder:
        for what, data in files():
            Path(folder, "MNIST-120k").write_bytes(data)
            print(f"{what:40} {tried(lambda: load_test('mnist120k', folder))}")
