"""Choose the device that a network runs on."""

from __future__ import annotations

import os

import torch

from qdigits.errors import ConfigError


def pick_device(name: str = "auto") -> torch.device:
    """Return a device that works here.

    Args:
        name: cpu, cuda or mps; auto takes what QDIGITS_DEVICE names, else the fastest.

    Raises:
        ConfigError: The device is not there.
    """
    if name == "auto":
        name = os.environ.get("QDIGITS_DEVICE") or "auto"
    if name == "auto":
        name = fastest_device()
    try:
        torch.empty(0, device=name).cpu()
        return torch.device(name)
    except Exception as error:
        raise ConfigError(f"device {name!r} is not available here; try cpu") from error


def fastest_device() -> str:
    """Return cuda where it is there, else mps, else cpu."""
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"
