"""The named trainings: a result has a name and a diff. To add one: its RECIPES and PURPOSES."""

from __future__ import annotations

from typing import Any

from qdigits.errors import ConfigError
from qdigits.training.config import TrainConfig
from qdigits.training.page_config import PageConfig

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

# For the fewest seconds: the learning rate falls from the first fifth on.
SHORT_RUN: Any = {
    "optimizer": "adamw",
    "momentum": 0.7,
    "schedule": "linear",
    "warmup_fraction": 0.2,
    "batch_size": 128,
    "threads": 2,
    "val_fraction": 0.02,
}

# For the best of a small network on MNIST: averaged weights, a rate that falls slowly.
EMA_COSINE: Any = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "warmup_fraction": 0.05,
    "batch_size": 128,
    "ema_decay": 0.999,
}

# For photographs: how people write, photograph and scan, and what is no digit.
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
    # The 784-128-64-10 network and the training that this project began with.
    "baseline": TrainConfig(),
    # The network that ships, and its small sister, which answers five times as fast.
    "default": TrainConfig(
        model="cnn",
        epochs=64,
        lr=1.5e-3,
        weight_decay=0.05,
        warmup_fraction=0.01,
        **ROBUST,
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
    # The best that three networks reach: the baseline's, a larger one, one of 10,000 parameters.
    "mlp": TrainConfig(
        model="mlp",
        epochs=80,
        lr=2e-3,
        weight_decay=0.02,
        augment=("warp",),
        **EMA_COSINE,
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
        model="tiny",
        epochs=30,
        lr=5e-3,
        weight_decay=0.01,
        augment=("wobble",),
        **EMA_COSINE,
    ),
    # The fewest seconds until about 97, 98, 99 and 99.5 %.
    "fast97": TrainConfig(model="fast97", epochs=0.22, lr=0.05, **SHORT_RUN),
    "fast98": TrainConfig(
        model="fast97",
        epochs=0.41,
        lr=0.05,
        label_smoothing=0.1,
        **SHORT_RUN,
    ),
    "fast99": TrainConfig(
        model="fast99",
        epochs=0.87,
        lr=0.02,
        label_smoothing=0.1,
        **SHORT_RUN,
    ),
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


PAGE_RECIPES: dict[str, PageConfig] = {
    # the network that finds digits on a page; it learns from pages that the program composes
    "pages": PageConfig(),
}

# What each is for, as the help says it.
PURPOSES = {
    "baseline": "the textbook network, 784-128-64-10, as the project began with: 97 to 98 %",
    "default": "the network that ships: the most accurate on photographs, the slowest to train",
    "small": "its small sister, which answers five times as fast",
    "mlp": "the most that the textbook network can reach",
    "cnn": "as accurate as default on MNIST, after 20 minutes",
    "tiny": "the most that 10,000 parameters can reach",
    "fast97": "97 % in the fewest seconds",
    "fast98": "98 % in the fewest seconds",
    "fast99": "99 % in the fewest seconds",
    "fast995": "99.5 % in the fewest seconds",
    "pages": "the network that finds digits on a page; it learns from pages the program composes",
}


def get_recipe(name: str) -> TrainConfig:
    """Return the recipe of that name.

    Raises:
        ConfigError: There is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ConfigError(f"there is no recipe {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
