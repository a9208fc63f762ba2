"""Train a network by a recipe.

Shuffle, augmentation and learning rate are functions of (seed, epoch, step). A resumed training
needs only the weights, the optimiser, the averaged weights and the number of epochs done, and ends
in the same bits.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.loading import load_training
from qdigits.data.split import Split
from qdigits.device import has_bfloat16
from qdigits.errors import ConfigError, QDigitsError
from qdigits.evaluation.history import History
from qdigits.models.base import DigitModel
from qdigits.models.checkpoint import load_state
from qdigits.models.mlp import MLP
from qdigits.models.registry import build
from qdigits.training.batches import Batch, batches, epoch_order
from qdigits.training.calibration import calibrate, compute_logits
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import World, init_distributed
from qdigits.training.hard_examples import StepOutput, find_hardest
from qdigits.training.optim import OPTIMIZERS, lr_at
from qdigits.training.progress import Progress
from qdigits.training.run_dir import claim, make_card, save_run


def fit(
    config: TrainConfig, run_dir: str | Path, resume: bool = False, progress: bool = True
) -> History:
    """Train a network and keep it.

    Args:
        config: The settings; recipes.py has named ones.
        run_dir: Gets config.json, metrics.jsonl, last.pth, best.pth (by validation accuracy) and
            state.pt.
        resume: Go on with the training that is there.
        progress: Show how far it is.

    Returns:
        The history: a dict for each epoch.

    Raises:
        ConfigError: Unknown names, or a run directory in use or of other settings.
        DataError: The data cannot be had.
        QDigitsError: The loss is no longer finite.
    """
    check_augmentations(config.augment)
    torch.set_num_threads(config.threads)
    train, held_out = load_digits(config)
    run_dir = Path(run_dir)
    with init_distributed(config.device) as world:
        check_batch_size(config.batch_size, world)
        config = without_emulation(config, world.device)
        with claim(run_dir, world, config, resume):
            trainer = Trainer(config, train, held_out, world, progress)
            trainer.resume(run_dir)  # nothing to do in a new run
            for epoch in range(trainer.epochs_done, math.ceil(config.epochs)):
                metrics = trainer.train_epoch(epoch)
                metrics |= trainer.validate()
                trainer.history.append(metrics)
                trainer.progress.end_epoch(metrics)
                if world.is_main:
                    trainer.save(run_dir)
            trainer.progress.close()
            return trainer.history


def without_emulation(config: TrainConfig, device: torch.device) -> TrainConfig:
    """Compute in float32 where the device would only emulate bfloat16.

    The settings themselves change: config.json and the card record what was computed.
    """
    return replace(config, bf16=config.bf16 and has_bfloat16(device))


def check_augmentations(names: tuple[str, ...]) -> None:
    for name in names:
        if name not in AUGMENTATIONS:
            raise ConfigError(
                f"there is no augmentation {name!r}; choose from {', '.join(AUGMENTATIONS)}"
            )


def check_batch_size(batch_size: int, world: World) -> None:
    if batch_size < world.size:
        raise ConfigError(
            f"{world.size} processes cannot share a batch of {batch_size}; start fewer"
        )


def load_digits(config: TrainConfig) -> tuple[Split, Split]:
    """Load the digits to train on, and those held out for validation."""
    return load_training(
        config.data,
        config.data_dir,
        config.split,
        config.val_fraction,
        config.seed,
    )


class Trainer:
    """One training: the network, what makes it learn, and how far it has come.

    Attributes:
        model: The network that learns.
        ema: Its averaged weights, where the recipe asks for them.
        indices: The training digits to learn from: all of them, later perhaps the hardest.
        history: The metrics of each epoch so far.
    """

    def __init__(
        self,
        config: TrainConfig,
        train: Split,
        held_out: Split,
        world: World,
        progress: bool = True,
    ) -> None:
        self.config = config
        self.world = world
        self.train = train.to(world.device)
        self.held_out = held_out.to(world.device)
        self.indices = torch.arange(len(train))
        self.steps_per_epoch = math.ceil(len(train) / config.batch_size)
        self.total_steps = math.ceil(config.epochs * self.steps_per_epoch)
        self.history = History()
        self.card = make_card(config)
        self.progress = Progress(self.total_steps, config.epochs, progress and world.is_main)

        torch.manual_seed(config.seed)
        self.model = make_model(config, train, world)
        self.parallel_model: nn.Module = self.model
        if world.size > 1:
            self.parallel_model = DistributedDataParallel(self.model, forward_sync_buffers=False)
        self.ema = make_ema(self.model, config.ema_decay) if config.ema_decay else None
        self.optimizer = OPTIMIZERS[config.optimizer](self.model.parameters(), config)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)

    @property
    def epochs_done(self) -> int:
        return len(self.history)

    @property
    def eval_model(self) -> DigitModel:
        """The network that is validated and saved: the averaged one, where there is one."""
        model: Any = self.ema.module if self.ema is not None else self.model
        return model

    @property
    def has_plain_loss(self) -> bool:
        """Whether the loss is the plain mean cross-entropy of real digits in one process."""
        config = self.config
        special = config.bf16 or config.negative_fraction or config.label_smoothing
        return self.world.size == 1 and not special

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Show the network each batch of an epoch once.

        Args:
            epoch: From 0.

        Returns:
            The epoch's number, mean loss, accuracy, last learning rate, and seconds.

        Raises:
            QDigitsError: The loss is no longer finite.
        """
        began = time.perf_counter()
        self.model.train()
        outputs = []
        first_step = epoch * self.steps_per_epoch
        order = epoch_order(self.indices, len(self.train), self.config.seed, epoch)
        order = order[: (self.total_steps - first_step) * self.config.batch_size]
        order = order.to(self.world.device)
        for step, batch in enumerate(batches(self.train, order, self.config, epoch, self.world)):
            lr = lr_at(first_step + step, self.total_steps, self.config)
            self.optimizer.param_groups[0]["lr"] = lr
            logits = self.step(batch)
            outputs.append(StepOutput(batch.indices, logits, batch.labels))
            self.progress.end_step()
        if epoch == 0 and self.config.hard_fraction < 1:
            self.indices = find_hardest(
                outputs, len(self.train), self.config.hard_fraction, self.world
            )
        metrics = {"epoch": epoch + 1, "lr": lr} | self.summarise(outputs)
        if not math.isfinite(metrics["train_loss"]):  # one bad step is enough; nothing is saved yet
            raise QDigitsError(
                f"the loss is no longer finite in epoch {epoch + 1}; try a smaller --lr"
            )
        return metrics | {"seconds": time.perf_counter() - began}

    def step(self, batch: Batch) -> Tensor:
        """Learn from one batch: gradients, then weights, then their average. Returns the logits."""
        if isinstance(self.model, MLP) and self.has_plain_loss:  # the same gradients, faster
            logits = self.model.backpropagate(batch.images, batch.labels)
        else:
            logits = self.backpropagate(batch)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update_parameters(self.model)
        return logits

    def backpropagate(self, batch: Batch) -> Tensor:
        """Compute the gradients of the loss with autograd. Returns the logits."""
        self.optimizer.zero_grad()
        with torch.autocast(batch.images.device.type, torch.bfloat16, enabled=self.config.bf16):
            logits = self.parallel_model(batch.images).float()
        if self.config.negative_fraction:
            logits = F.pad(logits, (0, 1))  # the constant eleventh logit of "not a digit"
        loss = self.criterion(logits, batch.labels)
        if self.world.size > 1:
            loss = loss * batch.loss_weight
        loss.backward()
        return logits.detach()

    def summarise(self, outputs: list[StepOutput]) -> dict[str, float]:
        """Return mean loss and accuracy over an epoch's outputs, of all processes.

        Counted once an epoch: to look at the loss in each step costs 15 of 440 us.
        """
        logits = torch.cat([output.logits for output in outputs])
        labels = torch.cat([output.labels for output in outputs])
        count = labels.new_tensor(len(labels))
        loss_sum = self.criterion(logits, labels) * count
        right = (logits.argmax(1) == labels).sum()
        totals = self.world.all_reduce(torch.stack([loss_sum, right, count]))
        loss, accuracy = (totals[:2] / totals[2]).tolist()
        return {"train_loss": loss, "train_accuracy": accuracy}

    def validate(self) -> dict[str, float]:
        """Return mean loss and accuracy over the held-out digits."""
        for buffer in self.eval_model.buffers():  # BatchNorm's running statistics
            self.world.broadcast(0, buffer)
        loss, accuracy = loss_and_accuracy(self.eval_model, self.held_out, self.world)
        return {"validation_loss": loss, "validation_accuracy": accuracy}

    def save(self, run_dir: Path) -> None:
        """Calibrate the network and save the epoch."""
        calibrate(self.eval_model, self.held_out, self.config.negative_fraction > 0)
        state = {name: part.state_dict() for name, part in self.stateful_parts().items()}
        state |= {"history": list(self.history), "indices": self.indices}
        save_run(run_dir, self.config, self.eval_model, self.card, self.history, state)

    def resume(self, run_dir: Path) -> None:
        """Go on from the state in a run directory, if it has one."""
        if not (run_dir / "state.pt").exists():
            return
        state = load_state(run_dir / "state.pt")
        for name, part in self.stateful_parts().items():
            part.load_state_dict(state[name])
        self.history = History(state["history"])
        self.indices = state["indices"]
        self.progress.skip(self.epochs_done * self.steps_per_epoch)

    def stateful_parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"model": self.model, "optimizer": self.optimizer}
        if self.ema is not None:
            parts["ema"] = self.ema
        return parts


def make_model(config: TrainConfig, train: Split, world: World) -> DigitModel:
    """Build the network with the training digits' normalisation, on this process's device."""
    model = build(config.model)
    statistics = pixel_statistics(train.images)
    model.mean = statistics.mean
    model.std = statistics.std
    if config.negative_fraction:
        model.reject_logit.zero_()
    return model.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def make_ema(model: DigitModel, decay: float) -> AveragedModel:
    """Keep an exponential moving average of weights and buffers.

    Args:
        model: The network that learns.
        decay: What remains of the average at each step.
    """
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


class PixelStatistics(NamedTuple):
    """Mean and standard deviation of pixels, ink 1.0 on paper 0.0: float32 scalars."""

    mean: Tensor
    std: Tensor


def pixel_statistics(images: Tensor) -> PixelStatistics:
    """Count the pixels of uint8 images (N, 28, 28): exact, and without a float copy of them."""
    count = images.flatten().bincount(minlength=256).double()
    value = torch.arange(256) / 255
    mean = (count * value).sum() / count.sum()
    variance = (count * (value - mean) ** 2).sum() / count.sum()
    return PixelStatistics(mean.float(), variance.sqrt().float())


def loss_and_accuracy(model: DigitModel, held_out: Split, world: World) -> tuple[float, float]:
    """Return mean cross-entropy (nats) and accuracy; each process looks at its share."""
    labels = world.shard(held_out.labels)
    images = world.shard(held_out.images)[:, None].float() / 255  # (n, 1, 28, 28)
    logits = compute_logits(model.eval(), images)
    loss_sum = F.cross_entropy(logits, labels, reduction="sum")
    right = (logits.argmax(1) == labels).sum()
    sums = torch.tensor([loss_sum, right, len(labels)], dtype=torch.float64)
    loss_sum, right, count = world.all_reduce(sums)
    return (loss_sum / count).item(), (right / count).item()
