"""Show how far a training is: a bar on a terminal, a line for each epoch everywhere."""

from __future__ import annotations

import math
import sys

from tqdm import tqdm


class Progress:
    """What a person sees of a training, on standard error."""

    def __init__(self, total_steps: int, epochs: float, enabled: bool) -> None:
        """Start the bar.

        Args:
            total_steps: Of the whole training.
            epochs: Of the whole training.
            enabled: False shows nothing.
        """
        self.epochs = math.ceil(epochs)
        self.enabled = enabled
        only_on_a_terminal = None  # what tqdm calls it
        disable = only_on_a_terminal if enabled else True
        self.bar = tqdm(total=total_steps, disable=disable, unit="step", leave=False)

    def skip(self, steps: int) -> None:
        """Begin after the steps that were done before."""
        self.bar.initial = steps
        self.bar.update(steps)

    def end_step(self) -> None:
        self.bar.update()

    def end_epoch(self, metrics: dict[str, float]) -> None:
        """Print a line about an epoch that has ended."""
        if self.enabled:
            line = (
                f"epoch {metrics['epoch']:.0f} of {self.epochs}"
                f"  loss {metrics['train_loss']:.4f}"
                f"  training digits {metrics['train_accuracy']:.2%}"
                f"  held-out digits {metrics['validation_accuracy']:.2%}"
                f"  {metrics['seconds']:.1f} s"
            )
            tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        self.bar.close()
