"""Every setting of a training, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

from qdigits.errors import ConfigError

Optimizer = Literal["sgd", "nesterov", "adamw"]
Schedule = Literal["constant", "cosine", "linear", "trapezoid"]
SplitName = Literal["official", "writer", "random"]

LIMITS: dict[str, tuple[float, float]] = {
    "val_fraction": (0.001, 0.9),
    "epochs": (0.001, 100_000),
    "batch_size": (1, 65_536),
    "lr": (1e-9, 10),
    "momentum": (0, 0.9999),
    "weight_decay": (0, 10),
    "warmup_fraction": (0, 1),
    "negative_fraction": (0, 1),
    "synthetic_fraction": (0, 1),
    "hard_fraction": (0.01, 1),
    "ema_decay": (0, 0.99999),
    "label_smoothing": (0, 0.9),
    "seed": (0, 2**31),
    "threads": (1, 1024),
}
CHOICES = ("split", "optimizer", "schedule")


@dataclass(frozen=True)
class TrainConfig:
    """One training, complete.

    The same settings give the same weights, bit for bit, on the same machine.
    """

    model: str = "mlp"
    """Architecture: a name in models/registry.py."""
    data: str = "qmnist"
    """Data source; `qdigits data` lists them."""
    data_dir: str | None = None
    """Folder that holds the data files already; otherwise they are fetched into the cache."""
    split: SplitName = "official"
    """official: MNIST's own test set; writer: no writer on two sides; random: digits at random."""
    val_fraction: float = 0.1
    """Share of the training digits, in whole writers where known, held out for validation."""
    epochs: float = 15
    """The last epoch is cut short where this is no whole number."""
    batch_size: int = 32
    lr: float = 1e-3
    """Learning rate at its highest."""
    optimizer: Optimizer = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    warmup_fraction: float = 0.0
    """Share of all steps over which the learning rate climbs from zero."""
    augment: tuple[str, ...] = ()
    """Names of augmentations, applied in this order."""
    negative_fraction: float = 0.0
    """Drawn non-digits, as a share of each batch: they teach the network what to refuse."""
    synthetic_fraction: float = 0.0
    """Drawn digits in European forms, as a share of each batch."""
    hard_fraction: float = 1.0
    """Share of the digits that later epochs repeat: those that the first epoch found hardest."""
    ema_decay: float = 0.0
    """Decay per step of the averaged weights that are validated and saved; 0: no average."""
    label_smoothing: float = 0.0
    bf16: bool = False
    """Layers compute in bfloat16 where the processor has it; weights stay float32."""
    seed: int = 0
    threads: int = 1
    """Processor threads. They belong to the record: sums in another order are other sums."""
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigError(f"{name} is {value}; choose a value from {least} to {most}")
        for name in CHOICES:
            value = getattr(self, name)
            choices = get_args(get_type_hints(TrainConfig)[name])
            if value not in choices:
                raise ConfigError(
                    f"{name} {value!r} is unknown; choose one of {', '.join(choices)}"
                )
