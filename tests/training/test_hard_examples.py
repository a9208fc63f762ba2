"""The hardest digits are those with the highest losses within their batches."""

import torch

from qdigits.training.distributed import World
from qdigits.training.hard_examples import StepOutput, find_hardest

ALONE = World(0, 1, torch.device("cpu"))


def output_of(indices: list[int], certainty: list[float], extra_rows: int = 0) -> StepOutput:
    """An answer with so much certainty of the right digit, 0, for each; then drawn images."""
    logits = torch.zeros(len(indices) + extra_rows, 10)
    logits[: len(indices), 0] = torch.tensor(certainty)
    labels = torch.zeros(len(indices) + extra_rows, dtype=torch.long)
    return StepOutput(torch.tensor(indices), logits, labels)


def test_the_least_certain_half_of_each_batch_is_found():
    early = output_of([0, 1, 2, 3], [-4.0, -3.0, -2.0, -1.0])  # hard, every one of them
    late = output_of([4, 5, 6, 7], [9.0, 8.0, 7.0, 6.0])
    hardest = find_hardest([early, late], count=8, fraction=0.5, world=ALONE)
    assert sorted(hardest.tolist()) == [0, 1, 6, 7]


def test_drawn_images_at_the_end_of_a_batch_do_not_count():
    batch = output_of([1, 0], [5.0, -5.0], extra_rows=3)
    assert find_hardest([batch], count=2, fraction=0.5, world=ALONE).tolist() == [0]
