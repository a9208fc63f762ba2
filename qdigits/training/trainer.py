"""From a recipe to weights. Shuffle, augmentation and learning rate are functions of (seed, epoch, step), so a resumed
training needs only weights, optimiser, averaged weights and the epoch number, and is bit-identical."""

from __future__ import annotations

import json
import math
import platform
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.loading import load_training
from qdigits.data.split import Split
from qdigits.errors import ConfigError, QDigitsError
from qdigits.evaluation.history import History
from qdigits.files import locked, write_atomically
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import load_state, save_model, save_state
from qdigits.models.mlp import MLP
from qdigits.models.registry import build
from qdigits.training.batches import batches, generator
from qdigits.training.calibration import calibrate, logits_of
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import World, init_distributed
from qdigits.training.optim import OPTIMIZERS, lr_at


def validate(model: DigitModel, held_out: Split, world: World) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy over the held-out digits, each rank judging its share."""
    images, labels = world.shard(held_out.images), world.shard(held_out.labels)
    logits = logits_of(model.eval(), images[:, None].float() / 255)
    loss, right = (
        F.cross_entropy(logits, labels, reduction="sum"),
        (logits.argmax(1) == labels).sum(),
    )
    loss, right, count = world.all_reduce(
        torch.tensor([loss, right, len(labels)], dtype=torch.float64)
    )
    return (loss / count).item(), (right / count).item()


def fit(
    config: TrainConfig, run_dir: str | Path, resume: bool = False, progress: bool = True
) -> History:
    """Train; write config.json, metrics.jsonl, last.pth, best.pth (by validation accuracy) and state.pt into run_dir.

    Gives   the history: a dict an epoch.
    Raises  ConfigError: unknown names, a run directory in use or of other settings; DataError: data not to be had.
    """
    for name in config.augment:
        if name not in AUGMENTATIONS:
            raise ConfigError(
                f"there is no augmentation {name!r}; choose from {', '.join(AUGMENTATIONS)}"
            )
    torch.set_num_threads(config.threads)
    digits = load_training(
        config.data,
        config.data_dir,
        config.split,
        config.val_fraction,
        config.seed,
    )
    run_dir = Path(run_dir)
    with init_distributed(config.device) as world, _claimed(run_dir, world, config, resume):
        if config.batch_size < world.size:
            raise ConfigError(
                f"{world.size} processes cannot share a batch of {config.batch_size}; start fewer"
            )
        return _fit(config, run_dir, digits, world, progress and world.is_main)


def _fit(
    config: TrainConfig, run_dir: Path, digits: Iterable[Split], world: World, progress: bool
) -> History:
    train, held_out = digits
    torch.manual_seed(config.seed)
    model = build(config.model)
    model.mean, model.std = (value.float() for value in _mean_std(train.images))
    model.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    train, held_out = train.to(world.device), held_out.to(world.device)
    if config.negative_fraction:
        model.reject_logit.zero_()
    parallel = (
        DistributedDataParallel(model, forward_sync_buffers=False) if world.size > 1 else model
    )
    average = None
    if config.ema_decay:
        average = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True
        )
    optimizer = OPTIMIZERS[config.optimizer](model.parameters(), config)
    criterion = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    kept: dict[str, Any] = {"model": model, "optimizer": optimizer} | (
        {"average": average} if average else {}
    )
    plain = world.size == 1 and not (
        config.bf16 or config.negative_fraction or config.label_smoothing
    )
    by_hand = model if plain and isinstance(model, MLP) else None
    history, steps_per_epoch = History(), math.ceil(len(train) / config.batch_size)
    total_steps = math.ceil(config.epochs * steps_per_epoch)
    hard = torch.arange(len(train))  # the digits to learn from

    if (run_dir / "state.pt").exists():
        state = load_state(run_dir / "state.pt")
        for name, part in kept.items():
            part.load_state_dict(state[name])
        history, hard = History(state["history"]), state["hard"]

    card = card_of(config)
    quiet = None if progress else True  # None: unless this is a terminal
    bar = tqdm(
        total=total_steps, initial=len(history) * steps_per_epoch, disable=quiet, unit="step"
    )
    for epoch in range(len(history), math.ceil(config.epochs)):
        began = time.perf_counter()
        order = torch.randperm(
            len(train), generator=generator(torch.device("cpu"), config.seed, epoch)
        )
        order = order[: (total_steps - epoch * steps_per_epoch) * config.batch_size]
        order = hard[order % len(hard)].to(
            world.device
        )  # fewer digits than places: each comes several times
        seen = []
        model.train()
        for step, (chosen, images, labels, weight) in enumerate(
            batches(train, order, config, epoch, world)
        ):
            rate = lr_at(epoch * steps_per_epoch + step, total_steps, config)
            optimizer.param_groups[0]["lr"] = rate
            if by_hand:  # the same gradients in two thirds of the time
                logits = by_hand.backpropagate(images, labels)
            else:
                optimizer.zero_grad()
                with torch.autocast(images.device.type, torch.bfloat16, enabled=config.bf16):
                    logits = parallel(images).float()
                if config.negative_fraction:
                    logits = F.pad(logits, (0, 1))  # the constant eleventh logit of "not a digit"
                loss = criterion(logits, labels)
                if world.size > 1:
                    loss = loss * weight
                loss.backward()
            optimizer.step()
            if average is not None:
                average.update_parameters(model)
            seen.append(
                (chosen, logits.detach(), labels)
            )  # to be counted together: each call costs
            bar.update()
        if config.hard_fraction < 1 and not epoch:
            hard = _hardest(config.hard_fraction, len(train), seen, world)
        _, logits, labels = (torch.cat(column) for column in zip(*seen, strict=True))
        count = labels.new_tensor(len(labels))
        sums = torch.stack(
            [criterion(logits, labels) * count, (logits.argmax(1) == labels).sum(), count]
        )
        train_loss, train_accuracy = (world.all_reduce(sums)[:2] / sums[2]).tolist()
        if not math.isfinite(
            train_loss
        ):  # one step that is not finite is enough, and nothing is saved yet
            raise QDigitsError(
                f"the loss is no longer finite in epoch {epoch + 1}; try a smaller --lr"
            )
        seconds = time.perf_counter() - began
        final: Any = average.module if average is not None else model
        for buffer in final.buffers():  # BatchNorm's running statistics
            world.broadcast(0, buffer)
        validation_loss, validation_accuracy = validate(final, held_out, world)
        history.append(
            {
                "epoch": epoch + 1,
                "train_loss": train_loss,
                "train_accuracy": train_accuracy,
                "validation_loss": validation_loss,
                "validation_accuracy": validation_accuracy,
                "lr": rate,
                "seconds": seconds,
            }
        )
        bar.set_postfix(loss=f"{train_loss:.4f}", validation=f"{validation_accuracy:.2%}")
        if world.is_main:
            calibrate(final, held_out, config.negative_fraction > 0)
            write_atomically(run_dir / "config.json", _settings(config).encode())
            _save(run_dir, card | {"metrics": dict(history[-1])}, final, history, kept, hard)
    bar.close()
    return history


def _hardest(
    share: float, count: int, seen: list[tuple[Tensor, Tensor, Tensor]], world: World
) -> Tensor:
    """The share of `count` digits with the highest losses of their batches: to an early batch everything is hard."""
    losses = torch.zeros(count, device=world.device)
    for chosen, logits, labels in seen:
        mine = world.shard(chosen)
        losses[mine] = F.cross_entropy(
            logits[: len(mine)], labels[: len(mine)], reduction="none"
        )  # drawn ones follow
    hardness = world.all_reduce(losses)
    for chosen, *_ in seen:
        hardness[chosen] = hardness[chosen].argsort().argsort() / len(
            chosen
        )  # the rank in its batch
    return hardness.topk(math.ceil(share * count)).indices.cpu()


def _save(
    run_dir: Path,
    card: dict[str, Any],
    model: DigitModel,
    history: History,
    kept: dict[str, Any],
    hard: Tensor,
) -> None:
    """The models first, the state last: whatever is killed in between is done again from the state before."""
    save_model(model, run_dir / "last.pth", card)
    if history.best() is history[-1]:
        save_model(model, run_dir / "best.pth", card)
    state = {name: part.state_dict() for name, part in kept.items()}
    lines = "".join(json.dumps(epoch) + "\n" for epoch in history)
    write_atomically(run_dir / "metrics.jsonl", lines.encode())
    save_state(run_dir / "state.pt", state | {"history": list(history), "hard": hard})


def card_of(config: TrainConfig) -> dict[str, Any]:
    """What a model file tells of its making, in plain types; taken at the start, when the code is what it is."""
    return {
        "recipe": json.loads(_settings(config)),
        "versions": {"torch": str(torch.__version__), "python": platform.python_version()},
        "commit": _commit(),
    }


def _commit() -> str:
    """Of a clone; nothing for an installed package, whose surroundings may be another project's, or without git."""
    root, git = Path(__file__).parents[2], shutil.which("git")
    if not git or not (root / ".git").exists():
        return ""
    describe = [git, "-C", str(root), "describe", "--always", "--dirty"]
    return subprocess.run(describe, capture_output=True, text=True).stdout.strip()


def _mean_std(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of pixels 0..1, counted rather than summed: exact, and without a float copy of the data."""
    count = images.flatten().bincount(minlength=256).double()
    value = torch.arange(256) / 255
    mean = (count * value).sum() / count.sum()
    return mean, ((count * (value - mean) ** 2).sum() / count.sum()).sqrt()


def _settings(config: TrainConfig) -> str:
    return json.dumps(asdict(config), indent=1)


@contextmanager
def _claimed(run_dir: Path, world: World, config: TrainConfig, resume: bool) -> Iterator[None]:
    """One trainer per run directory, and never another training's results overwritten."""
    if not world.is_main:
        yield
        return
    with locked(run_dir):
        begun = (run_dir / "config.json").exists()
        if begun and not resume:
            raise ConfigError(
                f"{run_dir} holds a training already; add --resume, or choose another --run-dir"
            )
        if begun and json.loads((run_dir / "config.json").read_text()) != json.loads(
            _settings(config)
        ):
            raise ConfigError(
                f"{run_dir} was begun with other settings (config.json there): choose another --run-dir"
            )
        yield
