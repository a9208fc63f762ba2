"""The format of model files, and how files of the first format are read.

The first format used other names for buffers, layers, architectures and settings. They are
renamed on reading; every value stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "qdigits 2"
FORMAT_1 = "qdigits 1"

ARCHITECTURES = {"swift": "small"}
BUFFERS = {"nothing": "reject_logit", "accept": "threshold"}
SETTINGS = {
    "hardest": "hard_fraction",
    "drawn": "synthetic_fraction",
    "negatives": "negative_fraction",
    "average": "ema_decay",
    "warmup": "warmup_fraction",
    "validation": "val_fraction",
}


class FileContents(NamedTuple):
    """What a file of weights holds."""

    description: dict[str, str]  # format, architecture, dimensions, card, sha256; {}: weights alone
    weights: dict[str, Tensor]


def upgrade_contents(contents: FileContents) -> FileContents:
    """Give what a file of the first format holds the names of today."""
    description = dict(contents.description)
    architecture = description["architecture"]
    description["architecture"] = ARCHITECTURES.get(architecture, architecture)
    description["card"] = json.dumps(upgrade_card(json.loads(description["card"])))
    weights = {upgrade_weight_name(name): value for name, value in contents.weights.items()}
    return FileContents(description, weights)


def upgrade_weight_name(name: str) -> str:
    """Return what a weight or buffer of the first format is called today."""
    if name.startswith("body."):
        return "backbone." + name.removeprefix("body.")
    return BUFFERS.get(name, name)


def upgrade_card(card: Any) -> Any:
    """Give the settings in a card's recipe the names of today; leave anything else alone."""
    if not isinstance(card, Mapping) or not isinstance(card.get("recipe"), Mapping):
        return card
    recipe = {SETTINGS.get(name, name): value for name, value in card["recipe"].items()}
    if isinstance(recipe.get("model"), str):
        recipe["model"] = ARCHITECTURES.get(recipe["model"], recipe["model"])
    return {**card, "recipe": recipe}
