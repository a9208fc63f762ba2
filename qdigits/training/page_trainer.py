"""From the page recipe to the weights of the page network.

Pages and learning rate are functions of (seed, epoch, step), so a resumed training needs only
weights, optimiser, averaged weights and the history, and ends in the same bits.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from qdigits.augment.synthetic_pages import Page, draw_page
from qdigits.data.loading import load_training
from qdigits.device import pick_device
from qdigits.errors import QDigitsError
from qdigits.evaluation.history import History
from qdigits.files import write_atomically
from qdigits.models.checkpoint import load_page_net, load_state, save_model, save_state
from qdigits.models.page_net import PageNet
from qdigits.training.distributed import World
from qdigits.training.optim import lr_at
from qdigits.training.page_config import PageConfig
from qdigits.training.page_data import page_batches, supplies_from
from qdigits.training.page_loss import page_loss
from qdigits.training.page_score import PageScore, score
from qdigits.training.page_targets import PageTarget
from qdigits.training.run_dir import claim, make_card, settings_json

VALIDATION_KEY = 1_000_003
"""Sets the pages of validation apart from those of training."""


@dataclass
class PageRun:
    """What a training changes from step to step."""

    network: PageNet
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    history: History
    device: torch.device

    @property
    def averaged(self) -> PageNet:
        """The network with averaged weights: what is measured and kept."""
        return cast(PageNet, self.average.module)

    def state(self) -> dict[str, Any]:
        """Return everything that going on needs."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": list(self.history),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = History(state["history"])


def fit_pages(
    config: PageConfig, run_dir: str | Path, resume: bool = False, progress: bool = True
) -> History:
    """Train the page network.

    Writes config.json, metrics.jsonl, last.pth, best.pth (by F1 on validation pages) and state.pt
    into `run_dir` after every epoch.

    Raises:
        ConfigError: A run directory in use or of other settings.
        DataError: The digits are not to be had.
    """
    torch.set_num_threads(config.threads)
    run_dir = Path(run_dir)
    train, held_out = load_training(
        config.data, config.data_dir, "official", config.val_fraction, config.seed
    )
    with claim(run_dir, World(0, 1, pick_device(config.device)), config, resume):
        pages = draw_validation(config, held_out)
        run = start_run(config)
        if (run_dir / "state.pt").exists():
            run.restore(load_state(run_dir / "state.pt"))
        card = make_card(config)
        bar = tqdm(
            total=config.epochs * config.steps,
            initial=len(run.history) * config.steps,
            disable=None if progress else True,
            unit="step",
        )
        batches = iter(page_batches(train, config, first_epoch=len(run.history)))
        for epoch in range(len(run.history), config.epochs):
            metrics = train_epoch(run, batches, config, epoch, bar)
            metrics |= validation_metrics(score(run.averaged, pages))
            run.history.append({"epoch": epoch + 1} | metrics)
            bar.set_postfix(loss=f"{metrics['train_loss']:.3f}", f1=f"{metrics['f1']:.2%}")
            save_epoch(run, run_dir, config, card)
        bar.close()
    return run.history


def start_run(config: PageConfig) -> PageRun:
    """Build the network, its averaged copy and its optimiser."""
    torch.manual_seed(config.seed)
    device = pick_device(config.device)
    network = load_page_net(config.start) if config.start else PageNet()
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(
        network, multi_avg_fn=partial(move_average, config.ema_decay), use_buffers=True
    )
    optimizer = torch.optim.AdamW(
        network.parameters(),
        config.lr,
        betas=(config.momentum, 0.999),
        weight_decay=config.weight_decay,
        fused=True,
    )
    return PageRun(network, average, optimizer, History(), device)


@torch.no_grad()
def move_average(
    decay: float, averages: list[Tensor], values: list[Tensor], count: Tensor | int
) -> None:
    """Move averages towards values; the first steps, far from the goal, are soon forgotten."""
    decay = min(decay, (1 + int(count)) / (10 + int(count)))
    if averages[0].is_floating_point():
        torch._foreach_lerp_(averages, values, 1 - decay)
    else:
        torch._foreach_copy_(averages, values)


def draw_validation(config: PageConfig, held_out) -> list[Page]:
    """Draw the pages to choose by, of writers that training never shows."""
    supplies = supplies_from(held_out, config.seed + VALIDATION_KEY)
    return [
        draw_page(supplies, config.seed, VALIDATION_KEY, number)
        for number in range(config.validation_pages)
    ]


def train_epoch(
    run: PageRun, batches: Iterator, config: PageConfig, epoch: int, bar: tqdm
) -> dict[str, float]:
    """Train for one epoch; return its losses, learning rate and seconds."""
    began = time.perf_counter()
    run.network.train()
    total_steps = config.epochs * config.steps
    losses = []
    rate = config.lr
    for step, batch in enumerate(islice(batches, config.steps)):
        rate = lr_at(epoch * config.steps + step, total_steps, config)
        run.optimizer.param_groups[0]["lr"] = rate
        pictures, turns, *target = (part.to(run.device) for part in batch)
        answer = run.network(pictures.float() / 255)
        loss = page_loss(answer, PageTarget(*(part.float() for part in target)), turns)
        run.optimizer.zero_grad()
        loss.total.backward()
        torch.nn.utils.clip_grad_norm_(run.network.parameters(), config.max_gradient)
        run.optimizer.step()
        run.average.update_parameters(run.network)
        losses.append(torch.stack([loss.total, *loss]).detach())
        bar.update()
    names = "train_loss", "heat_loss", "box_loss", "printed_loss", "turn_loss"
    means = torch.stack(losses).mean(0).tolist()
    if not math.isfinite(means[0]):
        raise QDigitsError(f"the loss is no longer finite in epoch {epoch + 1}; try a smaller --lr")
    seconds = time.perf_counter() - began
    return dict(zip(names, means, strict=True)) | {"lr": rate, "seconds": seconds}


def validation_metrics(result: PageScore) -> dict[str, float]:
    """Return the figures of validation that are written down."""
    return {
        "f1": result.f1,
        "recall": result.right / max(result.truth, 1),
        "false_per_page": result.false_per_page,
        "turns_right": result.turns_right,
    }


def save_epoch(run: PageRun, run_dir: Path, config: PageConfig, card: dict[str, Any]) -> None:
    """Write the models first and the state last: after a kill, the epoch is done again."""
    card = card | {"metrics": dict(run.history[-1])}
    write_atomically(run_dir / "config.json", settings_json(config).encode())
    final = run.averaged
    save_model(final, run_dir / "last.pth", card)
    if run.history[-1]["f1"] >= max(epoch["f1"] for epoch in run.history):
        save_model(final, run_dir / "best.pth", card)
    lines = "".join(json.dumps(epoch) + "\n" for epoch in run.history)
    write_atomically(run_dir / "metrics.jsonl", lines.encode())
    save_state(run_dir / "state.pt", run.state())
