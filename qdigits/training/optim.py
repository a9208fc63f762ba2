"""Optimisers and schedules. To add one: a line here, and its name among config's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

from qdigits.training.config import TrainConfig
from qdigits.training.page_config import PageConfig


def _sgd(parameters: Iterable[nn.Parameter], c: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters, c.lr, c.momentum, 0, c.weight_decay, c.optimizer == "nesterov", fused=True
    )


def _adamw(parameters: Iterable[nn.Parameter], c: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        parameters, c.lr, (c.momentum, 0.999), weight_decay=c.weight_decay, fused=True
    )


OPTIMIZERS: dict[str, Callable[[Iterable[nn.Parameter], TrainConfig], torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "nesterov": _sgd,
    "adamw": _adamw,
}

SCHEDULES: dict[str, Callable[[float], float]] = {  # of the share of training done, 0 to 1
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "trapezoid": lambda done: min(1, 3 * (1 - done)),
}


def lr_at(step: int, steps: int, config: TrainConfig | PageConfig) -> float:
    """The learning rate of a step: arithmetic on the step, so there is nothing to save."""
    warm = config.warmup_fraction * steps
    if step < warm:
        return config.lr * (step + 1) / (warm + 1)
    return config.lr * SCHEDULES[config.schedule]((step - warm) / (steps - warm))
