"""Draw what is read wrong: a sheet of pictures for each set of `make real`, to look at.

    python -m bench.accuracy.error_sheets FOLDER [--model mnist_model.pth] [--data-dir FOLDER]

The sheets stay on your disk: of most sets figures may be published, but no pictures.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from bench.accuracy.external_sets import ALL, list_digit_sets, read_labels
from bench.support import DATA_DIR
from qdigits import load_model, predict_many, read
from qdigits.files import new_folder
from qdigits.imaging.annotate import annotate
from qdigits.imaging.decode import open_photo

CELL = 84  # pixels of a picture on the sheet
COLUMNS = 12
MAX_PICTURES = 240  # on a sheet
CAPTION = 18  # pixels
GAP = 6
# The same tiles again: pasted, black on white, or corrupted.
SKIPPED = ("mnist,", "mnist on", "mnist_c")
LOOKALIKE_SHARE = 0.8  # of the writers whose letter is accepted as a digit


class Mistake(NamedTuple):
    """A picture, and what it was read as."""

    picture: Any
    caption: str


def draw_sheet(mistakes: list[Mistake], path: Path) -> None:
    """Write a sheet of pictures in rows, each with its caption."""
    columns = min(len(mistakes), COLUMNS)
    rows = -(-len(mistakes) // COLUMNS)
    sheet = Image.new("RGB", (columns * (CELL + GAP), rows * (CELL + CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, mistake in enumerate(mistakes):
        left = number % COLUMNS * (CELL + GAP)
        top = number // COLUMNS * (CELL + CAPTION)
        image = Image.fromarray(open_photo(mistake.picture)[0])
        sheet.paste(image.resize((CELL, CELL), Image.Resampling.NEAREST), (left, top))
        pen.text((left, top + CELL + 2), mistake.caption, "black", font_size=11)
    sheet.save(path)


def find_misread(model: Any, pictures: list[Any], digits: np.ndarray) -> list[Mistake]:
    """Return the pictures that are read as another digit."""
    answers = predict_many(model, pictures)
    return [
        Mistake(picture, f"{digit}: {answer.digit}, {answer.confidence:.0%}")
        for picture, answer, digit in zip(pictures, answers, digits, strict=True)
        if answer.digit != digit
    ]


def find_accepted(model: Any, pictures: Iterable[Any]) -> list[Mistake]:
    """Return the pictures that are accepted as a digit, where none shows one."""
    pictures = list(pictures)
    return [
        Mistake(picture, f"{answer.digit}, {answer.confidence:.0%}")
        for picture, answer in zip(pictures, predict_many(model, pictures), strict=True)
        if answer.accepted
    ]


def describe_lookalikes(model: Any, drawings: np.ndarray, names: np.ndarray) -> str:
    """Return which letters are accepted as digits from at least four writers of five."""
    writers_letter = [name.rpartition("/")[0] for name in names]
    letters, letter = np.unique(writers_letter, return_inverse=True)
    is_accepted = [answer.accepted for answer in predict_many(model, drawings)]
    accepted = np.bincount(letter, is_accepted)
    is_lookalike = accepted >= LOOKALIKE_SHARE * np.bincount(letter)
    return (
        f"  {accepted[is_lookalike].sum():.0f} of these are drawings of {is_lookalike.sum()} of "
        f"the {len(letters)} letters, accepted from at least four writers of five: "
        f"{', '.join(letters[is_lookalike])}"
    )


def draw_pages(model: Any, folder: Path, data: Path) -> None:
    """Write every photographed page that is read wrong, with its boxes."""
    for path, label in read_labels(data / "dev" / "multi_photos"):
        reading = read(model, path)
        if reading.text.replace(" ", "").replace("\n", "/") != label:
            print(f"{path.name}: {label} read as {reading.text!r}")
            annotate(path, reading).save(folder / path.name)


def main() -> None:
    """Draw a sheet for each set, and every page that is read wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mnist_model.pth")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR)
    options = parser.parse_args()
    model = load_model(options.model)
    folder = new_folder(options.folder)
    sheets = {}
    for name, pictures, digits in list_digit_sets(options.data_dir, ALL):
        if not name.startswith(SKIPPED):
            sheets[name] = find_misread(model, list(pictures), digits)
    for name in ("ood_omniglot", "ood_synth"):
        arrays = np.load(options.data_dir / "dev" / f"{name}.npz")
        sheets[name] = find_accepted(model, arrays["x"])
        if name == "ood_omniglot":
            print(describe_lookalikes(model, arrays["x"], arrays["name"]))
    for name, mistakes in sheets.items():
        print(f"{name}: {len(mistakes)}", flush=True)
        if mistakes:
            draw_sheet(mistakes[:MAX_PICTURES], folder / f"{name}.png")
    draw_pages(model, folder, options.data_dir)


if __name__ == "__main__":
    main()
