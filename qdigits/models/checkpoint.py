"""The model file and the training state: what is written, and what may be read.

A model file is what torch.save makes of five texts and the weights: {"format", "architecture", "dimensions", "card",
"sha256", "state"}; dimensions and card are JSON, sha256 covers all the rest. It is read without torch.load: as inert
data, every length counted, and compared with a network built from the description.
"""

import hashlib
import inspect
import io
import json
import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qdigits.device import pick_device
from qdigits.errors import ModelFileError
from qdigits.files import read_file, resolve, write_atomically
from qdigits.models.base import DigitModel
from qdigits.models.model_format import FORMAT, FORMAT_1, upgrade
from qdigits.models.page_net import PageNet
from qdigits.models.registry import MODELS, build
from qdigits.models.torch_file import MAX_FILE_BYTES, read_weights

MAX_DIMENSION = 4096  # of any dimension


def describe(model: DigitModel | PageNet, card: Mapping[str, Any]) -> dict[str, str]:
    """The texts that let a file of weights rebuild itself; .pth and .safetensors carry the same."""
    about = {"format": FORMAT, "architecture": model.architecture}
    about |= {"dimensions": json.dumps(model.dimensions), "card": json.dumps(card)}
    return about | {"sha256": _digest(about, model.state_dict())}


def save_model(model: DigitModel | PageNet, path: str | Path, card: Mapping[str, Any]) -> None:
    """Write a model file. Raises ModelFileError if a weight is not finite, QDigitsError if the disk refuses."""
    dense = torch.contiguous_format
    state = {
        name: value.detach().cpu().clone(memory_format=dense)
        for name, value in model.state_dict().items()
    }
    if not all(value.isfinite().all() for value in state.values()):
        raise ModelFileError(f"{path}: the weights are not finite; nothing was written")
    buffer = io.BytesIO()
    torch.save(describe(model, card) | {"state": state}, buffer)
    write_atomically(Path(path), buffer.getvalue())


def load_model_file(path: str | Path, device: str = "cpu") -> DigitModel:
    """A model from a file anybody may have made: ours, .safetensors, or a bare state_dict of the baseline's network.

    Gives   the model, ready to answer (eval mode), its card in `.card`.
    Raises  ModelFileError: absent, damaged, unknown or unsafe.
    """
    model, data = _load(path, MODELS, _baseline)
    if not np.isfinite(model.probabilities(np.eye(28, dtype=np.uint8)[None] * 255)).all():
        raise ModelFileError(f"{path}: its answers are not finite")
    model.source_digest = hashlib.sha256(data).hexdigest()
    return model.to(pick_device(device))


def load_page_net(path: str | Path, device: str = "cpu") -> PageNet:
    """Load the page network from a model file.

    Returns:
        The network in eval mode, its card in `.card`.

    Raises:
        ModelFileError: The file is absent, damaged, unsafe, or holds another network.
    """
    network, data = _load(path, {PageNet.architecture: PageNet})
    network.source_digest = hashlib.sha256(data).hexdigest()
    return network.to(pick_device(device))


def load_any(path: str | Path) -> DigitModel | PageNet:
    """Load whichever network a model file holds, as `qdigits export` does.

    Raises:
        ModelFileError: The file is absent, damaged or unsafe.
    """
    network, data = _load(path, {**MODELS, PageNet.architecture: PageNet}, _baseline)
    network.source_digest = hashlib.sha256(data).hexdigest()
    return network


def _load(
    path: str | Path,
    models: Mapping[str, Callable[..., Any]],
    undescribed: Callable[[dict[str, Tensor]], Any] | None = None,
) -> tuple[Any, bytes]:
    """Read a model of one of `models`, and the bytes of its file."""
    path = resolve(path)
    data = read_file(path, MAX_FILE_BYTES, ModelFileError)
    try:
        about, state = read_weights(data)
        if not all(value.isfinite().all() for value in state.values()):
            raise ModelFileError("its weights are not finite")
        if "architecture" not in about and undescribed:
            return undescribed(state).eval(), data
        return _rebuilt(about, state, models).eval(), data
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None
    except Exception as error:  # damage surfaces as ten kinds of exception, some of them blank
        raise ModelFileError(f"{path}: damaged, or not a model file") from error


def _rebuilt(
    about: dict[str, Any], state: dict[str, Tensor], models: Mapping[str, Callable[..., Any]]
) -> Any:
    """The model that the file describes, once the description and every weight fit."""
    told = about.pop("sha256", None)
    if about.get("format") not in (FORMAT, FORMAT_1) or told != _digest(about, state):
        raise ModelFileError("damaged: its checksum does not match")
    if about["format"] == FORMAT_1:
        about, state = upgrade(about, state)
    if about["architecture"] not in models:
        raise ModelFileError(
            f"unknown architecture {about['architecture'][:40]!r}; known are {', '.join(models)}"
        )
    make = models[about["architecture"]]
    dimensions, card = json.loads(about["dimensions"]), json.loads(about["card"])
    if not isinstance(card, dict):
        raise ModelFileError("its card is not a mapping")
    if dimensions.keys() != inspect.signature(make).parameters.keys() or not all(
        type(size) is int and 1 <= size <= MAX_DIMENSION for size in dimensions.values()
    ):
        raise ModelFileError(
            f"no {about['architecture']} has the dimensions {about['dimensions'][:80]!r}"
        )
    with torch.device("meta"):  # shapes without memory, whatever was declared
        model = make(**dimensions)
    expected = {name: (value.shape, value.dtype) for name, value in model.state_dict().items()}
    if expected != {name: (value.shape, value.dtype) for name, value in state.items()}:
        raise ModelFileError("its weights do not fit the network it describes")
    model.load_state_dict(state, assign=True)
    model.card = card
    return model


def _baseline(state: dict[str, Tensor]) -> DigitModel:
    """The baseline's network from weights alone, whatever their names: its six shapes differ. Normalisation is MNIST's."""
    model, found = build("mlp"), {value.shape: value for value in state.values()}
    names = {weight.shape: name for name, weight in model.named_parameters()}
    if len(state) != len(names) or found.keys() != names.keys():
        raise ModelFileError(
            "weights without a description, and not those of the baseline's 784-128-64-10 network"
        )
    model.load_state_dict(
        model.state_dict() | {names[shape]: value for shape, value in found.items()}
    )
    model.card = {"architecture": "mlp", "recipe": "unknown: a bare state_dict"}
    return model


def _digest(about: Mapping[str, str], state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, value in sorted(state.items()):
        digest.update(f"\0{name} {value.dtype} {tuple(value.shape)}\0".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a training state of tensors and plain types; the one before it is kept as .prev."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    if path.exists():
        write_atomically(path.with_suffix(".pt.prev"), path.read_bytes())
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """The newest whole training state. Raises ModelFileError if there is none.

    A state is the user's own work in the user's own folder: damage is looked for here, malice only as far as
    weights_only goes.
    """
    for candidate in (path, path.with_suffix(".pt.prev")):
        try:
            data = candidate.read_bytes()
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if archive.testzip():  # torch never looks at the checksums
                    raise zipfile.BadZipFile
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except FileNotFoundError:
            continue
        except Exception:
            logging.getLogger(__name__).warning(
                "%s is damaged; looking for the one before it", candidate
            )
    raise ModelFileError(f"{path}: no training state to go on from; choose another --run-dir")
