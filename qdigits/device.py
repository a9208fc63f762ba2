"""Choose the device that a network runs on."""

from __future__ import annotations

import os

import torch

from qdigits.errors import ConfigError

CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # of x86 twice, of ARM twice


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


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16; others emulate it, far slower than float32."""
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in CPU_BFLOAT16)
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return True
