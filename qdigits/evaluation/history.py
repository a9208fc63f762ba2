"""What was measured after each epoch of one training."""

from __future__ import annotations

import json
from pathlib import Path


class History(list[dict[str, float]]):
    """One dict an epoch, as metrics.jsonl has: losses, accuracies, learning rate, seconds."""

    @classmethod
    def load(cls, run_dir: str | Path) -> History:
        """Read the history that a training left in its folder."""
        lines = (Path(run_dir) / "metrics.jsonl").read_text().splitlines()
        return cls(json.loads(line) for line in lines)

    def best(self) -> dict[str, float]:
        """Return the epoch with the highest validation accuracy; the first of equals."""
        return max(self, key=lambda epoch: epoch["validation_accuracy"])
