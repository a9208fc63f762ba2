"""What is left wrong, to look at: for each set of `make real` a sheet of pictures, what they are and were read as.

    python -m bench.accuracy.error_sheets FOLDER [--model mnist_model.pth] [--data-dir ../shared/data]

The sheets stay on your disk: of most sets figures may be published, but no pictures.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from bench.accuracy.external_sets import ROOT, digit_sets, labels_of
from qdigits import load_model, predict_many, read
from qdigits.files import new_folder
from qdigits.imaging.annotate import annotate
from qdigits.imaging.decode import open_photo

CELL, ACROSS, MOST = 84, 12, 240  # pixels of a picture, pictures in a row, pictures on a sheet
SKIPPED = (
    "mnist,",
    "mnist on",
    "mnist_c",
)  # the same tiles again, pasted, turned to black on white or spoiled


def sheet(cells: list[tuple[Any, str]], path: Path) -> None:
    """Pictures in rows, words under each."""
    across, down = min(len(cells), ACROSS), -(-len(cells) // ACROSS)
    page = Image.new("RGB", (across * (CELL + 6), down * (CELL + 18)), "white")
    pen = ImageDraw.Draw(page)
    for number, (picture, words) in enumerate(cells):
        left, top = number % ACROSS * (CELL + 6), number // ACROSS * (CELL + 18)
        image = Image.fromarray(open_photo(picture)[0])
        page.paste(image.resize((CELL, CELL), Image.Resampling.NEAREST), (left, top))
        pen.text((left, top + CELL + 2), words, "black", font_size=11)
    page.save(path)


def mistakes(
    model: Any, pictures: Iterable[Any], digits: np.ndarray | None
) -> list[tuple[Any, str]]:
    """Pictures read as another digit; or, where none is a digit, accepted as any."""
    cells, pictures = [], list(pictures)
    for number, (picture, said) in enumerate(
        zip(pictures, predict_many(model, pictures), strict=True)
    ):
        if digits is None and said.accepted:
            cells.append((picture, f"{said.digit}, {said.confidence:.0%}"))
        elif digits is not None and said.digit != digits[number]:
            cells.append((picture, f"{digits[number]}: {said.digit}, {said.confidence:.0%}"))
    return cells


def lookalikes(model: Any, drawings: np.ndarray, names: np.ndarray) -> str:
    """Letters that are taken for digits from four hands of five: alone, they are digits to a reader, too."""
    letters, letter = np.unique([name.rpartition("/")[0] for name in names], return_inverse=True)
    accepted = np.bincount(letter, [said.accepted for said in predict_many(model, drawings)])
    alike = accepted >= 0.8 * np.bincount(letter)
    return (
        f"  {accepted[alike].sum():.0f} of these are drawings of {alike.sum()} of the {len(letters)} letters, "
        f"accepted from four hands of five: {', '.join(letters[alike])}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mnist_model.pth")
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    args = parser.parse_args()
    model, folder = load_model(args.model), new_folder(args.folder)
    sets = [one for one in digit_sets(args.data_dir, 10**9) if not one[0].startswith(SKIPPED)]
    dev = args.data_dir / "dev"
    others = [
        (name, np.load(dev / f"{name}.npz")["x"], None) for name in ("ood_omniglot", "ood_synth")
    ]
    for name, pictures, digits in [*sets, *others]:
        cells = mistakes(model, pictures, digits)
        print(f"{name}: {len(cells)}", flush=True)
        if cells:
            sheet(cells[:MOST], folder / f"{name}.png")
        if name == "ood_omniglot":
            print(lookalikes(model, pictures, np.load(dev / f"{name}.npz")["name"]))
    for path, label in labels_of(dev / "multi_photos"):
        reading = read(model, path)
        if reading.text.replace(" ", "").replace("\n", "/") != label:
            print(f"{path.name}: {label} read as {reading.text!r}")
            annotate(path, reading).save(folder / path.name)


if __name__ == "__main__":
    main()
