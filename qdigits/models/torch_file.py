"""Bytes of a model file -> texts and tensors. Anybody may have made them: nothing runs, every length is counted."""

import io
import json
import pickle
import zipfile
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from qdigits.errors import ModelFileError
from qdigits.safe_pickle import PickledCall, read_pickle

MAX_FILE_BYTES = 32 * 2**20  # bytes of a model file: 8 million parameters
MAX_DESCRIPTION_BYTES = 2**18  # bytes of its description, which is parsed in Python
NAMES = frozenset(
    {
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.FloatStorage",
        "torch.LongStorage",
    }
)
STORAGES = {"torch.FloatStorage": torch.float32, "torch.LongStorage": torch.int64}


def read_weights(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(description, weights) from what torch.save or safetensors wrote; a bare state_dict has no description.

    Raises  ModelFileError: unsafe, or larger than it needs to be. Damage may raise anything.
    """
    return _from_zip(data) if data.startswith(b"PK") else _from_safetensors(data)


def _from_zip(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if data.count(b"PK\x01\x02") > 1000:
        raise ModelFileError("more parts than any model file")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {part.filename: part for part in archive.infolist()}
        sizes = [part.file_size for part in parts.values()]
        if any(
            part.compress_type or part.compress_size != part.file_size for part in parts.values()
        ):
            raise ModelFileError("its parts are compressed; torch.save stores them plain")
        if sum(sizes) > len(data):
            raise ModelFileError("its parts claim more bytes than the file has")
        pickled = next(part for name, part in parts.items() if name.endswith("/data.pkl"))
        if pickled.file_size > MAX_DESCRIPTION_BYTES:
            raise ModelFileError("its description is too long")
        try:
            tree = read_pickle(archive.read(pickled), NAMES)
        except pickle.UnpicklingError as error:
            raise ModelFileError(
                f"{error}; save the weights alone: torch.save(model.state_dict(), path)"
            ) from error
        folder = pickled.filename.removesuffix(".pkl")

        def tensor(told: Any) -> Tensor:
            match told:
                case PickledCall("torch._utils._rebuild_parameter", (inner, *_)):
                    return tensor(inner)
                case PickledCall(
                    "torch._utils._rebuild_tensor_v2",
                    (
                        PickledCall("persistent", ("storage", PickledCall(kind), str(key), *_)),
                        0,
                        size,
                        stride,
                        *_,
                    ),
                ):  # a part is read once, whole: no tensor can be larger than its bytes in the file
                    raw = archive.read(parts.pop(f"{folder}/{key}"))
                    dense = torch.frombuffer(bytearray(raw), dtype=STORAGES[kind]).view(size)
                    if dense.stride() == stride:
                        return dense
            raise ModelFileError("it holds something that is not a dense tensor")

        about = {name: value for name, value in tree.items() if isinstance(value, str)}
        told = tree["state"] if about else tree
        return about, {str(name): tensor(value) for name, value in told.items()}


def _from_safetensors(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    length = int.from_bytes(data[:8], "little")
    if length > MAX_DESCRIPTION_BYTES:
        raise ModelFileError("damaged, or not a model file")
    about = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return about, safetensors.torch.load(data)
