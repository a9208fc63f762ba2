"""Malicious model files: each must end in one ModelFileError, with little memory and nothing run.

python -m tests.attacks.model_files      tries each and prints what became of it
"""

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch

from qdigits.models.checkpoint import compute_digest, describe
from qdigits.models.registry import MODELS, build

CANARY = Path("/tmp/qdigits-canary")  # what a payload would leave behind


# ---- a small assembler of pickles, protocol 2


def plain(value) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def call(module: str, attribute: str, *given: bytes) -> bytes:
    return name(module, attribute) + b"(" + b"".join(given) + b"tR"


def tensor(size, stride=None, key="0", offset=0, kind="FloatStorage", numel=None) -> bytes:
    size = tuple(size)
    if stride is None:
        stride = tuple(torch.empty(size, device="meta").stride())
    count = 1
    for side in size:
        count *= side
    kept = (
        b"("
        + plain("storage")
        + name("torch", kind)
        + plain(key)
        + plain("cpu")
        + plain(numel or count)
        + b"tQ"
    )
    hooks = call("collections", "OrderedDict")
    return call(
        "torch._utils",
        "_rebuild_tensor_v2",
        kept,
        plain(offset),
        plain(size),
        plain(stride),
        b"\x89",
        hooks,
    )


def mapping(items: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(plain(key) + value for key, value in items.items()) + b"u"


def zipped(
    body: bytes, records: dict[str, bytes] | None = None, compress=zipfile.ZIP_STORED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compress) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + body + b".")
        archive.writestr("archive/byteorder", b"little")
        for key, data in (records or {}).items():
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


# ---- what an attacker would call


PAYLOADS = {
    f"{module}.{attribute}": call(module, attribute, *map(plain, given))
    for module, attribute, *given in [
        ("os", "system", f"touch {CANARY}"),
        ("posix", "system", f"touch {CANARY}"),
        ("builtins", "eval", f"open('{CANARY}','w')"),
        ("builtins", "exec", f"open('{CANARY}','w')"),
        ("__builtin__", "eval", f"open('{CANARY}','w')"),
        ("builtins", "open", str(CANARY), "w"),
        ("io", "open", str(CANARY), "w"),
        ("subprocess", "Popen", ["touch", str(CANARY)]),
        ("subprocess", "check_output", ["touch", str(CANARY)]),
        ("os", "mkdir", str(CANARY)),
        ("pathlib", "Path", "."),
        ("shutil", "copy", "/etc/hostname", str(CANARY)),
        ("runpy", "run_path", "x.py"),
        ("importlib", "import_module", "antigravity"),
        ("builtins", "__import__", "antigravity"),
        ("pickle", "loads", b"cos\nsystem\n."),
        ("torch", "load", "other.pth"),
        ("torch.hub", "load", "x", "y"),
        ("torch.jit", "load", "x"),
        ("torch._utils", "_rebuild_sparse_tensor", torch.sparse_coo.__repr__(), ()),
        ("torch.storage", "_load_from_bytes", b"x"),
        ("numpy", "load", "x"),
        ("builtins", "getattr", "x", "upper"),
        ("operator", "methodcaller", "x"),
        ("functools", "partial", "x"),
        ("types", "SimpleNamespace"),
        ("ctypes", "CDLL", "libc.so.6"),
        ("webbrowser", "open", "http://127.0.0.1"),
        ("socket", "socket"),
        ("collections", "Counter", "a" * 1000),
        ("builtins", "bytearray", 10**12),
        ("builtins", "print", "x"),
        ("numpy._core.multiarray", "_reconstruct", "x"),
        ("qdigits.models", "MLP"),
        ("qdigits.data", "load_test"),
    ]
}


def _code() -> Iterator[tuple[str, bytes]]:
    """Yield payloads: bare, in torch's zip, beside good weights, under every opcode that calls."""
    good = saved()
    for payload, body in PAYLOADS.items():
        yield f"bare pickle: {payload}", b"\x80\x02" + body + b"."
        yield f"zip: {payload}", zipped(body)
        yield f"a weight: {payload}", zipped(mapping({"0.weight": body}))
        yield f"beside weights: {payload}", patched(good, body)
    shell, given = name("os", "system"), plain(f"touch {CANARY}")
    yield "opcode INST", zipped(b"(" + given + b"ios\nsystem\n")
    yield "opcode OBJ", zipped(b"(" + shell + given + b"o")
    yield "opcode NEWOBJ", zipped(shell + b"(" + given + b"t\x81")
    yield "opcode NEWOBJ_EX", zipped(shell + b"(" + given + b"t}\x92")
    yield "opcode STACK_GLOBAL", zipped(plain("os") + plain("system") + b"\x93(" + given + b"tR")
    yield "opcode EXT1", zipped(b"\x82\x01")
    yield (
        "opcode BUILD",
        zipped(name("collections", "OrderedDict") + b")R" + mapping({"__class__": shell}) + b"b"),
    )
    yield "opcode PERSID", zipped(b"Pstorage\n")
    yield (
        "a dotted name",
        zipped(plain("torch._utils") + plain("os.system") + b"\x93(" + given + b"tR"),
    )


# ---- our own files, and one thing changed


def saved(about: dict | None = None, state: dict | None = None, sign: bool = True) -> bytes:
    """A file of the baseline's network, with changes; `sign` gives it a right checksum again."""
    model = build("mlp")
    weights = model.state_dict() | (state or {})
    texts = describe(model, {}) | (about or {})
    del texts["sha256"]
    texts = {key: value for key, value in texts.items() if value is not None}
    sha256 = compute_digest(texts, weights) if sign else "0" * 64
    buffer = io.BytesIO()
    torch.save(texts | {"sha256": sha256, "state": weights}, buffer)
    return buffer.getvalue()


def patched(data: bytes, body: bytes) -> bytes:
    """The same file, with one more entry in its pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for part in old.namelist():
            kept = old.read(part)
            if part.endswith("data.pkl"):
                kept = kept[:-1] + plain("extra") + body + b"s."
            new.writestr(part, kept)
    return buffer.getvalue()


def _descriptions() -> Iterator[tuple[str, bytes]]:
    """A right checksum over a lie: only what is compared with a fresh network helps here."""
    for what, told in {
        "unknown architecture": {"architecture": "resnet"},
        "architecture not a name": {"architecture": "__init__"},
        "another format": {"format": "qdigits 3"},
        "no format": {"format": None},
        "no dimensions": {"dimensions": None},
        "no card": {"card": None},
        "card not JSON": {"card": "{"},
        "card too deep": {"card": "[" * 10**5},
        "card a list": {"card": "[]"},
        "dimensions not JSON": {"dimensions": "("},
        "dimensions a list": {"dimensions": "[128, 64]"},
        "dimensions a number": {"dimensions": "7"},
        "dimensions deep": {"dimensions": "[" * 10**5},
        "another's weights": {"architecture": "cnn", "dimensions": '{"width": 32}'},
    }.items():
        yield what, saved(told)
    for value in (10**12, 10**6, 4096, 0, -1, 1.5, True, "128", None, [128], 127):
        yield (
            f"hidden1 = {value}",
            saved({"dimensions": json.dumps({"hidden1": value, "hidden2": 64})}),
        )
    for extra in ("backbone", "self", "__class__", "hidden3"):
        told = {"hidden1": 128, "hidden2": 64, extra: 1}
        yield f"a dimension named {extra}", saved({"dimensions": json.dumps(told)})
    yield "a dimension missing", saved({"dimensions": '{"hidden1": 128}'})
    yield "a wide CNN", saved({"architecture": "cnn", "dimensions": '{"width": 4096}'})
    yield "wrong checksum", saved(sign=False)


def _weights() -> Iterator[tuple[str, bytes]]:
    """Signed, and still not the weights of such a network."""
    first = "backbone.1.weight"
    for what, value in {
        "NaN": torch.full((128, 784), torch.nan),
        "infinite": torch.full((128, 784), torch.inf),
        "transposed": torch.zeros(784, 128),
        "of double precision": torch.zeros(128, 784).double(),
        "of half precision": torch.zeros(128, 784).half(),
        "integers": torch.zeros(128, 784).long(),
        "complex": torch.zeros(128, 784).cfloat(),
        "a scalar": torch.tensor(1.0),
        "empty": torch.zeros(0, 784),
        "not contiguous": torch.zeros(784, 128).T,
        "expanded": torch.zeros(1, 1).expand(128, 784),
        "a view": torch.zeros(129, 784)[1:],
    }.items():
        yield f"a weight {what}", saved(state={first: value})
    for buffer, value in (
        ("std", 0.0),
        ("temperature", 0.0),
        ("mean", torch.nan),
        ("threshold", torch.inf),
    ):
        yield f"{buffer} = {value}", saved(state={buffer: torch.tensor(value)})
    yield "a weight too many", saved(state={"backbone.7.weight": torch.zeros(1)})
    for what, made in {
        "sparse": torch.zeros(128, 784).to_sparse(),
        "meta": torch.zeros(128, 784, device="meta"),
    }.items():
        buffer = io.BytesIO()
        torch.save({"0.weight": made}, buffer)
        yield f"a {what} tensor", buffer.getvalue()
    four = {"0": bytes(4)}
    for what, body in {
        "declared terabytes": tensor((10**6, 10**6), (0, 0)),
        "declared 10^12 in storage": tensor((1,), numel=10**12),
        "declared 10^18": tensor((10**18,), (1,)),
        "negative size": tensor((-4,), (1,)),
        "stride of strings": tensor((1,), ("a",)),
        "offset past the end": tensor((1,), offset=99),
        "offset before": tensor((1,), offset=-1),
        "part missing": tensor((1,), key="7"),
        "part outside": tensor((1,), key="../data.pkl"),
        "part is the pickle": tensor((1,), key="/../../archive/data.pkl"),
        "unknown storage": tensor((1,), kind="QInt8Storage"),
        "no storage": call("torch._utils", "_rebuild_tensor_v2"),
        "no arguments": name("torch._utils", "_rebuild_tensor_v2"),
        "a parameter of nothing": call("torch._utils", "_rebuild_parameter"),
    }.items():
        yield f"tensor: {what}", zipped(mapping({"0.weight": body}), four)
    nest = (name("torch._utils", "_rebuild_parameter") + b"(") * 3000 + tensor((1,)) + b"tR" * 3000
    yield "3,000 parameters deep", zipped(mapping({"0.weight": nest}), four)
    big = {"0": bytes(30_000_000)}
    yield (
        "one part, 900 tensors",
        zipped(mapping({f"{i}": tensor((7_500_000,)) for i in range(900)}), big),
    )


def _bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that would be large, slow or deep."""
    laugh = (
        b"I1\n\x85q\x00" + b"0(h\x00h\x00tq\x00" * 100
    )  # ((x, x), (x, x)) and so on, a hundred deep
    yield "billion laughs", zipped(laugh)
    yield "billion laughs, a weight", zipped(mapping({"0.weight": laugh}))
    yield (
        "billion laughs, a size",
        zipped(mapping({"0.weight": tensor((1,)).replace(plain((1,)), laugh)})),
    )
    yield "billion laughs, to be hashed", zipped(b"}" + laugh + b"Ns")
    yield "billion laughs, to be hashed at once", zipped(b"}(" + laugh + b"Nu")
    yield "billion laughs, a dict", zipped(b"(" + laugh + b"Nd")
    yield "billion laughs, a set", zipped(b"\x8f(" + laugh + b"\x90")
    yield "billion laughs, a frozen set", zipped(b"(" + laugh + b"\x91")
    yield (
        "billion laughs, an ordered dict",
        zipped(call("collections", "OrderedDict", b"((" + laugh + b"Ntt")),
    )
    yield "100,000 lists deep", zipped(b"(" * 50_000 + b"l" * 50_000)
    yield "an endless pickle", zipped(b"N0" * 10**6)
    yield "20 MB of opcodes", zipped(b"N0" * 10**7)
    yield "BYTEARRAY8 of 2^40", zipped(b"\x96" + struct.pack("<Q", 2**40))
    yield "BINBYTES8 of 2^62", zipped(b"\x8e" + struct.pack("<Q", 2**62))
    yield "FRAME of 2^62", zipped(b"\x95" + struct.pack("<Q", 2**62))
    yield "LONG4 of 2^31", zipped(b"\x8b" + struct.pack("<i", 2**31 - 1))
    yield "an integer of 100,000 digits", zipped(b"I" + b"9" * 100_000 + b"\n")
    yield "memo of 2^32", zipped(b"Nr" + struct.pack("<I", 2**32 - 1))
    yield "protocol 250", zipped(b"\x80\xfa")
    yield "compressed gigabyte", zipped(plain({}), {"0": bytes(2**28)}, zipfile.ZIP_DEFLATED)
    yield "compressed pickle", zipped(plain({}) + b"0N" * 10**7, compress=zipfile.ZIP_DEFLATED)
    one = b"PK\x01\x02" + bytes(24) + b"\x01" + bytes(17) + b"a"  # a part with a name of one letter
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0, 0, 600_000 * len(one), 0, 0)
    yield "600,000 parts", b"PK" + one * 600_000 + end
    honest = zipped(mapping({"0.weight": tensor((4,))}), {"0": bytes(16)})
    end = honest.rindex(b"PK\x05\x06")
    yield "directory at 2^32", honest[: end + 16] + b"\xff\xff\xff\xff" + honest[end + 20 :]
    entry = honest.index(b"PK\x01\x02")
    lie = struct.pack("<II", 2**31, 2**31)
    yield "a part of 2 GB", honest[: entry + 20] + lie + honest[entry + 28 :]
    yield "encrypted", honest[: entry + 8] + b"\x01\x00" + honest[entry + 10 :]
    yield (
        "two pickles",
        zipped(plain({}), {"/data.pkl": b"\x80\x02" + PAYLOADS["os.system"] + b"."}),
    )
    yield "no pickle", zipped(b"")[:30] + b"PK\x05\x06" + bytes(18)
    yield "safetensors header of 2^60", struct.pack("<Q", 2**60) + b"{}"
    wide = b'{"__metadata__":[' + b"[]," * 10**7
    yield "safetensors header of 30 MB", struct.pack("<Q", len(wide)) + wide
    deep = b'{"__metadata__":' + b"[" * 200_000
    yield "safetensors header too deep", struct.pack("<Q", len(deep)) + deep
    head = json.dumps(
        {"a": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4]}}
    ).encode()
    yield "safetensors of 10^18", struct.pack("<Q", len(head)) + head + bytes(4)


def _strangers() -> Iterator[tuple[str, bytes]]:
    """Honest files of other kinds."""
    yield "empty", b""
    yield "one byte", b"P"
    yield "PK only", b"PK"
    yield "text", b"mnist_model.pth: not found\n" * 9
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(200)
    yield "HTML, as a failed download leaves it", b"<!DOCTYPE html><html>404</html>"
    yield "git-lfs pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for protocol in range(6):
        yield f"a pickled list, protocol {protocol}", pickle.dumps([1, 2], protocol)
    model = build("mlp")
    for what, keep in (
        ("a whole module", model),
        ("its weights and more", {"model": model.state_dict(), "epoch": 3}),
    ):
        buffer = io.BytesIO()
        torch.save(keep, buffer)
        yield what, buffer.getvalue()
        buffer = io.BytesIO()
        torch.save(keep, buffer, _use_new_zipfile_serialization=False)
        yield f"{what}, legacy", buffer.getvalue()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for part in ("pickle", "storages", "tensors", "sys_info"):
            tar.addfile(tarfile.TarInfo(part), io.BytesIO(b""))
    yield "tar, as torch 0.1 wrote", buffer.getvalue()
    state = build("mlp").backbone.state_dict()
    state["1.bias"][0] = -torch.inf  # a ReLU hides it
    buffer = io.BytesIO()
    torch.save(state, buffer)
    yield "a bare state_dict with -inf", buffer.getvalue()
    buffer = io.BytesIO()
    torch.save(MODELS["mlp"](100).backbone.state_dict(), buffer)
    yield "a bare state_dict of another network", buffer.getvalue()


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every attack as (what it is, a path to try)."""
    target = folder / "attack.pth"
    for group in (_code, _descriptions, _weights, _bombs, _strangers):
        for what, data in group():
            target.write_bytes(data)
            yield what, target
    target.unlink()
    os.mkfifo(folder / "pipe.pth")
    yield "a named pipe", folder / "pipe.pth"
    yield "a directory", folder
    for what, size in (("400 MB, sparse", 400 * 2**20), ("a terabyte, sparse", 2**40)):
        with open(folder / "huge.pth", "wb") as file:
            file.truncate(size)
        yield what, folder / "huge.pth"
    (folder / "huge.pth").unlink()
    (folder / "loop.pth").symlink_to(folder / "loop.pth")
    yield "a link to itself", folder / "loop.pth"
    for path in (
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/mem",
        "/proc/kmsg",
        "nowhere.pth",
        "a\0b",
        "x" * 5000,
        "~",
        "",
    ):
        yield f"the path {path[:20]!r}", Path(path)


if __name__ == "__main__":
    import tempfile

    from qdigits.models.checkpoint import load_model_file
    from tests.attacks import tried

    with tempfile.TemporaryDirectory() as folder:
        for what, path in files(Path(folder)):
            outcome = tried(lambda path=path: load_model_file(path))
            print(f"{what:45} {outcome}")
    print("a payload ran" if CANARY.exists() else "no payload ran")
