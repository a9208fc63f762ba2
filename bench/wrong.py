"""What is left wrong, to look at: for each set of `make real` a sheet of pictures, what they are and were read as.

    python -m bench.wrong FOLDER [--model mnist_model.pth] [--data-dir ../shared/data]

The sheets stay on your disk: of most sets figures may be published, but no pictures.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from bench.real import ROOT, digit_sets, labels_of
from qdigits import load_model, predict, read
from qdigits.files import new_folder
from qdigits.image import annotate, open_reduced

CELL, ACROSS, MOST = 84, 12, 240  # pixels of a picture, pictures in a row, pictures on a sheet


def sheet(cells: list[tuple[Any, str]], path: Path) -> None:
    """Pictures in rows, words under each."""
    across, down = min(len(cells), ACROSS), -(-len(cells) // ACROSS)
    page = Image.new("RGB", (across * (CELL + 6), down * (CELL + 18)), "white")
    pen = ImageDraw.Draw(page)
    for number, (picture, words) in enumerate(cells):
        left, top = number % ACROSS * (CELL + 6), number // ACROSS * (CELL + 18)
        image = Image.fromarray(open_reduced(picture)[0])
        page.paste(image.resize((CELL, CELL), Image.Resampling.NEAREST), (left, top))
        pen.text((left, top + CELL + 2), words, "black", font_size=11)
    page.save(path)


def mistakes(model: Any, pictures: Iterable[Any], digits: np.ndarray) -> list[tuple[Any, str]]:
    """Pictures read as another digit, or, where the true one is -1, accepted as any."""
    cells = []
    for picture, digit in zip(pictures, digits, strict=True):
        said = predict(model, picture)
        if said.accepted if digit < 0 else said.digit != digit:
            true = f"{digit}: " if digit >= 0 else ""
            cells.append((picture, f"{true}{said.digit}, {said.confidence:.0%}"))
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mnist_model.pth")
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    args = parser.parse_args()
    model, folder = load_model(args.model), new_folder(args.folder)
    sets = [one for one in digit_sets(args.data_dir, 10**9) if not one[0].startswith(("mnist,", "mnist on", "mnist_c"))]
    for name in ("ood_omniglot", "ood_synth"):
        others = np.load(args.data_dir / "dev" / f"{name}.npz")["x"]
        sets.append((name, iter(others), np.full(len(others), -1)))
    for name, pictures, digits in sets:
        cells = mistakes(model, pictures, digits)
        print(f"{name}: {len(cells)} of {len(digits)}", flush=True)
        if cells:
            sheet(cells[:MOST], folder / f"{name}.png")
    for path, label in labels_of(args.data_dir / "dev" / "multi_photos"):
        reading = read(model, path)
        if reading.text.replace(" ", "").replace("\n", "/") != label:
            print(f"{path.name}: {label} read as {reading.text!r}")
            annotate(path, reading).save(folder / path.name)


if __name__ == "__main__":
    main()
