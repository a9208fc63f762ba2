"""The format of model files, and what the names in files of the first format are called today."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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


def upgrade(
    description: Mapping[str, str], state: Mapping[str, Tensor]
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Rename what a file of the first format holds; every value stays as it is."""
    architecture = description["architecture"]
    card = json.loads(description["card"])
    renamed = {
        "architecture": ARCHITECTURES.get(architecture, architecture),
        "card": json.dumps(upgrade_card(card)),
    }
    return {**description, **renamed}, {_weight(name): value for name, value in state.items()}


def upgrade_card(card: Any) -> Any:
    """Rename the settings and the architecture in a card's recipe."""
    recipe = card.get("recipe") if isinstance(card, dict) else None
    if not isinstance(recipe, dict):
        return card
    renamed = {SETTINGS.get(name, name): value for name, value in recipe.items()}
    model = renamed.get("model")
    if isinstance(model, str):
        renamed["model"] = ARCHITECTURES.get(model, model)
    return {**card, "recipe": renamed}


def _weight(name: str) -> str:
    if name.startswith("body."):
        return "backbone." + name.removeprefix("body.")
    return BUFFERS.get(name, name)
