"""Every setting of a training, and the named recipes: a result has a name, a diff and a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

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


PHOTO_AUGMENTATIONS = (
    "warp",
    "place",
    "stretch",
    "stroke",
    "neighbours",
    "resolution",
    "outline",
    "blur",
    "light",
    "clutter",
    "noise",
)

SHORT_RUN: Any = {
    "optimizer": "adamw",
    "momentum": 0.7,
    "schedule": "linear",
    "warmup_fraction": 0.2,
    "batch_size": 128,
    "threads": 2,
    "val_fraction": 0.02,
}

EMA_COSINE: Any = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "warmup_fraction": 0.05,
    "batch_size": 128,
    "ema_decay": 0.999,
}

ROBUST: Any = {
    "optimizer": "adamw",
    "batch_size": 128,
    "ema_decay": 0.9995,
    "augment": PHOTO_AUGMENTATIONS,
    "negative_fraction": 0.3,
    "synthetic_fraction": 0.18,
    "hard_fraction": 0.5,
    "bf16": True,
}

RECIPES: dict[str, TrainConfig] = {
    # the network that the project began with, trained as its task said
    "baseline": TrainConfig(),
    # the network that ships has seen how people write, photograph and scan, and what is no digit;
    # so has its small sister, which answers five times as fast
    "default": TrainConfig(
        model="cnn", epochs=64, lr=1.5e-3, weight_decay=0.05, warmup_fraction=0.01, **ROBUST
    ),
    "small": TrainConfig(
        model="small",
        epochs=45,
        lr=4e-3,
        weight_decay=0.01,
        schedule="trapezoid",
        warmup_fraction=0.01,
        **ROBUST,
    ),
    # the most that the baseline's network, a larger one in 20 minutes, and one of 10,000 parameters can do
    "mlp": TrainConfig(
        model="mlp", epochs=80, lr=2e-3, weight_decay=0.02, augment=("warp",), **EMA_COSINE
    ),
    "cnn": TrainConfig(
        model="cnn",
        epochs=28,
        lr=3e-3,
        weight_decay=0.05,
        schedule="trapezoid",
        warmup_fraction=0.01,
        val_fraction=0.02,
        **ROBUST,
    ),
    "tiny": TrainConfig(
        model="tiny", epochs=30, lr=5e-3, weight_decay=0.01, augment=("wobble",), **EMA_COSINE
    ),
    # the fewest seconds until about 97, 99 and 99.5 %
    "fast97": TrainConfig(model="fast97", epochs=0.22, lr=0.05, **SHORT_RUN),
    "fast99": TrainConfig(model="fast99", epochs=0.87, lr=0.02, label_smoothing=0.1, **SHORT_RUN),
    "fast995": TrainConfig(
        model="fast995",
        epochs=2,
        lr=0.02,
        label_smoothing=0.2,
        augment=("shift",),
        hard_fraction=0.25,
        bf16=True,
        **SHORT_RUN,
    ),
}


def recipe(name: str) -> TrainConfig:
    """The recipe of that name. Raises ConfigError, listing the names, if there is none."""
    if name not in RECIPES:
        raise ConfigError(f"there is no recipe {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
