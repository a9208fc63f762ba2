"""Optimisers and schedules. To add one: a line here, and its name in config.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

from qdigits.training.config import TrainConfig
from qdigits.training.page_config import PageConfig

Parameters = Iterable[nn.Parameter]


def make_sgd(parameters: Parameters, config: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=config.optimizer == "nesterov",
        fused=True,
    )


def make_adamw(parameters: Parameters, config: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        parameters,
        lr=config.lr,
        betas=(config.momentum, 0.999),
        weight_decay=config.weight_decay,
        fused=True,
    )


OPTIMIZERS: dict[str, Callable[[Parameters, TrainConfig], torch.optim.Optimizer]] = {
    "sgd": make_sgd,
    "nesterov": make_sgd,
    "adamw": make_adamw,
}

# The share of the highest learning rate that is left, by the share of training done (0 to 1).
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "trapezoid": lambda done: min(1, 3 * (1 - done)),
}


def lr_at(step: int, total_steps: int, config: TrainConfig | PageConfig) -> float:
    """Return the learning rate of a step: arithmetic on the step, so there is no state to save."""
    warmup_steps = config.warmup_fraction * total_steps
    if step < warmup_steps:
        return config.lr * (step + 1) / (warmup_steps + 1)
    done = (step - warmup_steps) / (total_steps - warmup_steps)
    return config.lr * SCHEDULES[config.schedule](done)
