"""Every setting of a training, and the named recipes: a result has a name, a diff and a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

from qdigits.errors import ConfigError

Optimizer = Literal["sgd", "nesterov", "adamw"]
Schedule = Literal["constant", "cosine", "linear", "trapezoid"]


@dataclass(frozen=True)
class TrainConfig:
    """One training, complete: the same settings give the same weights, bit for bit, on the same machine."""

    model: str = "mlp"
    """Architecture, a name in models.MODELS."""
    data: str = "qmnist"
    """Data source, a name in data.SOURCES."""
    data_dir: str | None = None
    """Folder that holds the data files already; otherwise they are fetched into the cache."""
    split: Literal["official", "writer", "random"] = "official"
    """official: MNIST's own test set; writer: no hand on two sides; random: digits, not writers, are drawn."""
    val_fraction: float = 0.1
    """Share of the training images (whole writers where they are known) held out to choose by."""
    epochs: float = 15
    """The last one is cut short where this is no whole number."""
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
    """Names in augment.AUGMENTATIONS, applied in this order."""
    negative_fraction: float = 0.0
    """Non-digits the program draws itself, as a share of each batch; they teach what to refuse."""
    synthetic_fraction: float = 0.0
    """Digits in European forms that the program draws itself, as a share of each batch."""
    hard_fraction: float = 1.0
    """Share of the digits that later epochs learn from, each several times: those the first epoch found hardest."""
    ema_decay: float = 0.0
    """Decay per step of the averaged weights that are validated and kept; 0 keeps the last ones."""
    label_smoothing: float = 0.0
    bf16: bool = False
    """Layers compute in bfloat16, weights stay float32: faster where the processor has it."""
    seed: int = 0
    threads: int = 1
    """Processor threads; part of the record, because sums in another order are other sums."""
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, least, most in (
            ("epochs", 0.001, 100_000),
            ("batch_size", 1, 65_536),
            ("lr", 1e-9, 10),
            ("threads", 1, 1024),
            ("momentum", 0, 0.9999),
            ("weight_decay", 0, 10),
            ("val_fraction", 0.001, 0.9),
            ("warmup_fraction", 0, 1),
            ("negative_fraction", 0, 1),
            ("synthetic_fraction", 0, 1),
            ("hard_fraction", 0.01, 1),
            ("ema_decay", 0, 0.99999),
            ("label_smoothing", 0, 0.9),
            ("seed", 0, 2**31),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigError(f"{name} is {value}; choose a value from {least} to {most}")
        for name in ("optimizer", "schedule", "split"):
            names = get_args(get_type_hints(TrainConfig)[name])
            if getattr(self, name) not in names:
                raise ConfigError(
                    f"{name} {getattr(self, name)!r} is unknown; choose one of {', '.join(names)}"
                )
