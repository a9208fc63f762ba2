"""The networks by name. To add one: a subclass of DigitModel, and its class in MODELS."""

from __future__ import annotations

from collections.abc import Callable

from qdigits.errors import ConfigError
from qdigits.models.base import DigitModel
from qdigits.models.cnn import CNN, Small, Tiny
from qdigits.models.fast import Fast97, Fast99, Fast995
from qdigits.models.mlp import MLP

MODELS: dict[str, Callable[..., DigitModel]] = {
    network.architecture: network for network in (MLP, CNN, Tiny, Small, Fast97, Fast99, Fast995)
}


def build(name: str) -> DigitModel:
    """Build a freshly initialised model.

    Raises:
        ConfigError: No model has that name; the message lists those there are.
    """
    if name not in MODELS:
        raise ConfigError(f"there is no model {name!r}; choose one of {', '.join(MODELS)}")
    return MODELS[name]()
