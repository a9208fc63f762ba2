"""Save and load model files and training states.

A model file is what torch.save writes of five texts and the weights: {"format", "architecture",
"dimensions", "card", "sha256", "state"}. Dimensions and card are JSON; sha256 covers all the rest.
It is read without torch.load: as data that nothing runs, each length checked, and compared with a
network that is built from the description.
"""

from __future__ import annotations

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
from qdigits.models.model_format import FORMAT, FORMAT_1, FileContents, upgrade_contents
from qdigits.models.page_net import PageNet
from qdigits.models.registry import MODELS, build
from qdigits.models.torch_file import MAX_FILE_BYTES, read_weights

MAX_DIMENSION = 4096
PAGE_NETS = {PageNet.architecture: PageNet}

Network = DigitModel | PageNet
Architectures = Mapping[str, Callable[..., Any]]


def describe(model: Network, card: Mapping[str, Any]) -> dict[str, str]:
    """Write the texts from which a file of weights can rebuild its model.

    Args:
        model: The network whose weights lie in the file.
        card: Where it comes from, in plain types: recipe, metrics, versions, commit.

    Returns:
        Format, architecture, dimensions, card and sha256, as .pth and .safetensors carry them.
    """
    description = {
        "format": FORMAT,
        "architecture": model.architecture,
        "dimensions": json.dumps(model.dimensions),
        "card": json.dumps(card),
    }
    return description | {"sha256": compute_digest(description, model.state_dict())}


def compute_digest(description: Mapping[str, str], weights: Mapping[str, Tensor]) -> str:
    """Compute the SHA-256 of a description and of every weight with its name, type and shape."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name, value in sorted(weights.items()):
        digest.update(f"\0{name} {value.dtype} {tuple(value.shape)}\0".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_model(model: Network, path: str | Path, card: Mapping[str, Any]) -> None:
    """Write a model file; the same model and card give the same bytes.

    Raises:
        ModelFileError: A weight is not finite.
        QDigitsError: The file cannot be written.
    """
    weights = {name: copy_densely(value) for name, value in model.state_dict().items()}
    if not all_finite(weights):
        raise ModelFileError(f"{path}: the weights are not finite; nothing was written")
    buffer = io.BytesIO()
    torch.save(describe(model, card) | {"state": weights}, buffer)
    write_atomically(Path(path), buffer.getvalue())


def copy_densely(value: Tensor) -> Tensor:
    """Copy a tensor to the processor, in the plain layout."""
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)


def all_finite(weights: Mapping[str, Tensor]) -> bool:
    return all(bool(value.isfinite().all()) for value in weights.values())


def load_model_file(path: str | Path, device: str = "cpu") -> DigitModel:
    """Load a model from a file that anybody may have made.

    Args:
        path: A file of ours, .safetensors, or the weights alone of a network that qdigits knows.
        device: auto, cpu, cuda or mps.

    Returns:
        The model, ready to answer (eval mode), with its card in `.card`.

    Raises:
        ModelFileError: The file is absent, damaged, unknown or unsafe.
    """
    model = load_network(path, MODELS)
    diagonal = np.eye(28, dtype=np.uint8)[None] * 255
    if not np.isfinite(model.probabilities(diagonal)).all():  # finite weights may divide by zero
        raise ModelFileError(f"{path}: its answers are not finite")
    return model.to(pick_device(device))


def load_page_net(path: str | Path, device: str = "cpu") -> PageNet:
    """Load the page network from a model file.

    Returns:
        The network, ready to answer (eval mode), with its card in `.card`.

    Raises:
        ModelFileError: The file is absent, damaged, unsafe, or holds another network.
    """
    return load_network(path, PAGE_NETS).to(pick_device(device))


def load_any(path: str | Path) -> Network:
    """Load whichever network a model file holds, as `qdigits export` does.

    Raises:
        ModelFileError: The file is absent, damaged, unknown or unsafe.
    """
    return load_network(path, {**MODELS, **PAGE_NETS})


def load_network(path: str | Path, architectures: Architectures) -> Any:
    """Load a network of one of the architectures, in eval mode."""
    path = resolve(path)
    data = read_file(path, MAX_FILE_BYTES, ModelFileError)
    try:
        network = rebuild_network(read_weights(data), architectures).eval()
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None
    except Exception as error:  # damage surfaces as ten kinds of exception, some of them blank
        raise ModelFileError(f"{path}: damaged, or not a model file") from error
    network.source_digest = hashlib.sha256(data).hexdigest()
    return network


def rebuild_network(contents: FileContents, architectures: Architectures) -> Network:
    """Build the network that a file describes, or the one that its weights fit."""
    if not all_finite(contents.weights):
        raise ModelFileError("its weights are not finite")
    if contents.description:
        return network_from_description(contents, architectures)
    return model_from_weights(contents.weights)


def network_from_description(contents: FileContents, architectures: Architectures) -> Network:
    """Build the network that the file describes, once the description and every weight fit."""
    contents = check_digest(contents)
    description = contents.description
    name = description["architecture"]
    if name not in architectures:
        known = ", ".join(architectures)
        raise ModelFileError(f"unknown architecture {name[:40]!r}; known are {known}")
    make = architectures[name]
    dimensions = check_dimensions(make, description)
    card = json.loads(description["card"])
    if not isinstance(card, dict):
        raise ModelFileError("its card is not a mapping")
    with torch.device("meta"):  # shapes without memory, whatever was declared
        network = make(**dimensions)
    if shapes_of(contents.weights) != shapes_of(network.state_dict()):
        raise ModelFileError("its weights do not fit the network it describes")
    network.load_state_dict(contents.weights, assign=True)
    network.card = card
    return network


def check_digest(contents: FileContents) -> FileContents:
    """Return the contents in today's names, once their checksum matches."""
    description = dict(contents.description)
    sha256 = description.pop("sha256", None)
    known = description.get("format") in (FORMAT, FORMAT_1)
    if not known or sha256 != compute_digest(description, contents.weights):
        raise ModelFileError("damaged: its checksum does not match")
    checked = FileContents(description, contents.weights)
    return upgrade_contents(checked) if description["format"] == FORMAT_1 else checked


def check_dimensions(
    make: Callable[..., DigitModel], description: Mapping[str, str]
) -> dict[str, int]:
    """Return the arguments for `make`, once each is there and is a sensible size."""
    dimensions = json.loads(description["dimensions"])
    expected = inspect.signature(make).parameters.keys()
    if dimensions.keys() != expected or not all(map(is_dimension, dimensions.values())):
        raise ModelFileError(
            f"no {description['architecture']} has the dimensions "
            f"{description['dimensions'][:80]!r}"
        )
    return dimensions


def is_dimension(size: Any) -> bool:
    return type(size) is int and 1 <= size <= MAX_DIMENSION  # True is an int, too


def shapes_of(weights: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in weights.items()}


def model_from_weights(weights: Mapping[str, Tensor]) -> DigitModel:
    """Build the baseline's network from weights alone, whatever their names.

    Its six weights have six shapes. The normalisation is MNIST's; half and double precision
    become single.
    """
    model = build("mlp")
    found = {value.shape: value.float() for value in weights.values()}
    names = {weight.shape: name for name, weight in model.named_parameters()}
    if len(weights) != len(names) or found.keys() != names.keys():
        raise ModelFileError(
            "weights without a description, and not those of the baseline's 784-128-64-10 network"
        )
    named = {names[shape]: value for shape, value in found.items()}
    model.load_state_dict(model.state_dict() | named)
    model.card = {"architecture": "mlp", "recipe": "unknown: weights without a description"}
    return model


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a training state of tensors and plain types; the one before it is kept as .prev."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    if path.exists():
        write_atomically(path.with_suffix(".pt.prev"), path.read_bytes())
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Load the newest whole training state.

    A state is the user's own work in the user's own folder: damage is looked for here, malice
    only as far as torch's weights_only goes.

    Raises:
        ModelFileError: There is none.
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
