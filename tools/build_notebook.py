"""Write examples/train.ipynb: the code of examples/train_plain.py, a piece a cell, with words.

python -m tools.build_notebook
"""

import ast
import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent / "examples"

INTRODUCTION = """# Train a digit reader, the plain way

The 784-128-64-10 network, trained with `loss.backward()` and nothing hidden. The chapters in
`docs/learn/` explain every step. Open this notebook from a clone of qdigits in an environment with
`pip install "qdigits[train]"`; the 5,000 digits of the sample need no download."""

SETTINGS = """SOURCE, DATA_DIR = "sample", None  # or "mnist" and the folder of MNIST's four files
EPOCHS = 15"""

TRAINING = """torch.manual_seed(0)
train, held_out = load_training(SOURCE, DATA_DIR)
images, held_out_images = pixels_of(train), pixels_of(held_out)
model = build_network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)

for epoch in range(EPOCHS):
    loss = train_epoch(model, optimizer, images, train.labels)
    right = accuracy(model, held_out_images, held_out.labels)
    print(f"epoch {epoch + 1:2}   loss {loss:.3f}   {right:.2%} of the held-out digits right")"""

TESTING = """test = load_test(SOURCE, DATA_DIR)
print(f"{accuracy(model, pixels_of(test), test.labels):.2%} of {len(test):,} test digits right")"""

PICTURES = """with torch.no_grad():
    answers = model(held_out_images).argmax(1)
wrong = (answers != held_out.labels).nonzero().flatten()[:3]
for index in wrong.tolist():
    print(f"label {held_out.labels[index]}, answer {answers[index]}")
    for row in held_out.images[index, 4:24]:
        print("".join(" .:*#"[value // 52] * 2 for value in row.tolist()).rstrip())"""


def read_pieces() -> dict[str, str]:
    """Return the source of each function of the plain script by its name."""
    source = (EXAMPLES / "train_plain.py").read_text()
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(source, node) or "" for node in functions}


def list_cells() -> list[tuple[str, str]]:
    """Return the kind and the text of every cell."""
    pieces = read_pieces()
    imports = (
        "import torch\nfrom torch import Tensor, nn\n\n"
        "from qdigits.data.loading import Split, load_test, load_training"
    )
    return [
        ("markdown", INTRODUCTION),
        ("code", imports),
        ("code", SETTINGS),
        ("markdown", "## Pixels\n\nInk is 1 on paper 0; then mean 0 and standard deviation 1."),
        ("code", pieces["pixels_of"]),
        ("markdown", "## The network"),
        ("code", pieces["build_network"]),
        ("code", pieces["accuracy"]),
        ("markdown", "## One epoch\n\nPredict, measure, and move each weight a little."),
        ("code", pieces["train_epoch"]),
        ("markdown", "## Training\n\nThe held-out digits tell how well it goes."),
        ("code", TRAINING),
        ("markdown", "## The test digits, once, at the end"),
        ("code", TESTING),
        ("markdown", "## What it gets wrong"),
        ("code", PICTURES),
    ]


def build_notebook() -> dict[str, Any]:
    """Return the notebook in Jupyter's format 4.5."""
    cells = []
    for number, (kind, text) in enumerate(list_cells()):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def main() -> None:
    """Write the notebook."""
    text = json.dumps(build_notebook(), indent=1, ensure_ascii=False)
    (EXAMPLES / "train.ipynb").write_text(text + "\n")


if __name__ == "__main__":
    main()
