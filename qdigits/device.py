"""Which device a network runs on."""

from __future__ import annotations

import os

import torch

from qdigits.errors import ConfigError


def pick_device(name: str = "auto") -> torch.device:
    """cuda, else mps, else cpu, unless a name is given. Raises ConfigError: a device that isn't there."""
    name = (os.environ.get("QDIGITS_DEVICE") or name) if name == "auto" else name
    if name == "auto":
        name = (
            "cuda"
            if torch.cuda.is_available()
            else "mps"
            if torch.backends.mps.is_available()
            else "cpu"
        )
    try:
        torch.empty(0, device=name).cpu()
        return torch.device(name)
    except Exception as error:
        raise ConfigError(f"device {name!r} is not available here; try cpu") from error
