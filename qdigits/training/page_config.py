"""The settings of a training of the page network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qdigits.errors import ConfigError


@dataclass(frozen=True)
class PageConfig:
    """One training of the page network, complete: the same settings give the same weights."""

    data: str = "mnist"
    """Data source of the handwritten digits, a name in data.SOURCES."""
    data_dir: str | None = None
    """Folder that holds the data files already; otherwise they are fetched into the cache."""
    val_fraction: float = 0.1
    """Share of the digits, whole writers, that validation pages are made of."""
    validation_pages: int = 300
    start: str | None = None
    """Model file of a page network to go on from; otherwise the weights start at random."""
    epochs: int = 36
    steps: int = 250
    """Batches in an epoch; after each epoch everything is saved."""
    batch_size: int = 16
    lr: float = 2e-3
    """Learning rate at its highest."""
    weight_decay: float = 0.02
    schedule: Literal["constant", "cosine", "linear", "trapezoid"] = "trapezoid"
    warmup_fraction: float = 0.01
    """Share of all steps over which the learning rate climbs from zero."""
    momentum: float = 0.9
    ema_decay: float = 0.998
    """Decay per step of the averaged weights that are validated and kept."""
    max_gradient: float = 5.0
    """Longest gradient."""
    seed: int = 0
    threads: int = 1
    """Processor threads of the network."""
    workers: int = 1
    """Processes that draw pages; their number changes nothing but the time."""
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, least, most in (
            ("epochs", 1, 100_000),
            ("steps", 1, 100_000),
            ("batch_size", 1, 4096),
            ("lr", 1e-9, 10),
            ("val_fraction", 0.001, 0.9),
            ("validation_pages", 1, 100_000),
            ("warmup_fraction", 0, 1),
            ("momentum", 0, 0.9999),
            ("weight_decay", 0, 10),
            ("ema_decay", 0, 0.99999),
            ("max_gradient", 1e-3, 1e6),
            ("seed", 0, 2**31),
            ("threads", 1, 1024),
            ("workers", 0, 1024),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigError(f"{name} is {value}; choose a value from {least} to {most}")
