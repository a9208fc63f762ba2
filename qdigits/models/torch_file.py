"""Read the bytes of a .pth or .safetensors file as a description and tensors.

Anybody may have made the file: nothing in it is run, and every length is checked before memory
is taken.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from qdigits.errors import ModelFileError
from qdigits.models.foreign_file import SAVE_WEIGHTS, refuse_foreign_archive, refuse_foreign_bytes
from qdigits.models.model_format import FileContents
from qdigits.safe_pickle import PickledCall, read_pickle

MAX_FILE_BYTES = 32 * 2**20  # 8 million parameters
MAX_DESCRIPTION_BYTES = 2**18  # it is parsed in Python
MAX_PARTS = 1000  # of a zip archive

STORAGES = {
    "torch.FloatStorage": torch.float32,
    "torch.LongStorage": torch.int64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.DoubleStorage": torch.float64,
}
REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2"
REBUILD_PARAMETER = "torch._utils._rebuild_parameter"
NAMES = frozenset({"collections.OrderedDict", REBUILD_TENSOR, REBUILD_PARAMETER, *STORAGES})
WEIGHTS_KEYS = ("state", "model_state_dict", "state_dict", "model")  # ours, then of checkpoints


def read_weights(data: bytes) -> FileContents:
    """Read what torch.save or safetensors wrote.

    Args:
        data: The whole file. Weights alone, or inside a training checkpoint, have no description.

    Raises:
        ModelFileError: The file is unsafe, of another kind, or larger than it needs to be.
        Exception: Of any kind, where the file is damaged.
    """
    refuse_foreign_bytes(data)
    if data.startswith(b"PK"):
        return read_torch_zip(data)
    return read_safetensors(data)


def read_torch_zip(data: bytes) -> FileContents:
    """Read the zip archive that torch.save writes: a pickle, and a part for each tensor."""
    if data.count(b"PK\x01\x02") > MAX_PARTS:
        raise ModelFileError("more parts than any model file")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {part.filename: part for part in archive.infolist()}
        refuse_foreign_archive(list(parts))
        check_parts(list(parts.values()), len(data))
        pickled = next(part for name, part in parts.items() if name.endswith("/data.pkl"))
        tree = read_description(archive, pickled)
        tensors = TensorReader(archive, parts, folder=pickled.filename.removesuffix(".pkl"))
        description = {name: value for name, value in tree.items() if isinstance(value, str)}
        weights = {
            str(name): tensors.read(pickled_tensor)
            for name, pickled_tensor in find_weights(tree).items()
        }
    return FileContents(description if "architecture" in description else {}, weights)


def check_parts(parts: list[zipfile.ZipInfo], file_bytes: int) -> None:
    """Refuse an archive that would unpack to more than the file has."""
    if any(part.compress_type or part.compress_size != part.file_size for part in parts):
        raise ModelFileError("its parts are compressed; torch.save stores them plain")
    if sum(part.file_size for part in parts) > file_bytes:
        raise ModelFileError("its parts claim more bytes than the file has")


def read_description(archive: zipfile.ZipFile, pickled: zipfile.ZipInfo) -> dict[str, Any]:
    """Read the pickle as plain data; each tensor is a PickledCall yet."""
    if pickled.file_size > MAX_DESCRIPTION_BYTES:
        raise ModelFileError("its description is too long")
    try:
        return read_pickle(archive.read(pickled), NAMES)
    except pickle.UnpicklingError as error:
        raise ModelFileError(f"{error}; {SAVE_WEIGHTS}") from error


def find_weights(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the mapping that holds the weights: the whole tree, or one entry of a checkpoint."""
    for key in WEIGHTS_KEYS:
        if isinstance(tree.get(key), dict):
            return tree[key]
    return tree


class TensorReader:
    """Tensors of one archive. A part is read once, whole: no tensor exceeds its bytes there."""

    def __init__(
        self, archive: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo], folder: str
    ) -> None:
        self.archive = archive
        self.parts = dict(parts)
        self.folder = folder

    def read(self, pickled: Any) -> Tensor:
        """Return the tensor that a pickle describes.

        Raises:
            ModelFileError: It describes something else, or a tensor that is not stored densely.
        """
        match pickled:
            case PickledCall(name, (inner, *_)) if name == REBUILD_PARAMETER:
                return self.read(inner)
            case PickledCall(name, (storage, 0, size, stride, *_)) if name == REBUILD_TENSOR:
                dense = self.read_storage(storage).view(size)
                if dense.stride() == stride:
                    return dense
        raise ModelFileError("it holds something that is not a dense tensor")

    def read_storage(self, storage: Any) -> Tensor:
        """Return the numbers of one part, as a flat tensor."""
        match storage:
            case PickledCall("persistent", ("storage", PickledCall(kind), str(key), *_)):
                part = self.parts.pop(f"{self.folder}/{key}")
                return torch.frombuffer(bytearray(self.archive.read(part)), dtype=STORAGES[kind])
        raise ModelFileError("it holds something that is not a dense tensor")


def read_safetensors(data: bytes) -> FileContents:
    """Read the format of Hugging Face: the length of a JSON header, the header, the numbers."""
    length = int.from_bytes(data[:8], "little")
    if length > MAX_DESCRIPTION_BYTES:
        raise ModelFileError("damaged, or not a model file")
    header = json.loads(data[8 : 8 + length])
    description = header.get("__metadata__", {})
    weights = safetensors.torch.load(data)
    return FileContents(description if "architecture" in description else {}, weights)
