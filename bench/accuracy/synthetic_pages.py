"""Measure what `read` gets wrong on pages of held-out writers' digits, and invents on words.

    python -m bench.accuracy.synthetic_pages [MODEL] [--pages 12] [--data-dir FOLDER] [--fonts FILE]

A page of digits has rows apart, tight or touching, leaning, on ruled or squared paper, under a
shadow, each behind a word, underlined, or in a form's boxes or combs; its figure is edits (wrong,
missing, invented) a digit. A page of words is printed (in the fonts given: try handwriting, `npm
pack @fontsource/caveat` has a .woff) or scripted, and its figure is digits a letter.
"""

import argparse
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.support import MNIST_DIR
from qdigits import load_model, read
from qdigits.data.loading import load_training
from qdigits.evaluation.metrics import edit_distance

SIDE = 900  # pixels of a page
EDGE = 30  # pixels of its margin
GAPS = {
    "apart": (3, 8),
    "tight": (0.5, 3),
    "touching": (-3, 1.5),
}  # pixels of MNIST between two digits
FORMS = {"boxes": 5, "comb": 0, "leaning boxes": 5, "leaning comb": 0}  # between two boxes
PAPERS = "leaning", "ruled", "squared", "shadow", "behind words", "underlined"
WORDS = (
    "invoice date total amount street name price customer the quick brown fox jumps over lazy dog "
    "please sign here phone number address school teacher mathematics exercise"
)
SCRIPTS = cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
PRINTS = [
    Path(matplotlib.get_data_path()) / f"fonts/ttf/DejaVu{name}.ttf"
    for name in ("Sans", "SansMono", "Serif")
]


def draw_numbers(
    kind: str,
    tiles: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    fonts: list[Path] = PRINTS,
) -> tuple[np.ndarray, list[str]]:
    """A page of rows of digits, uint8 (900, 900), and what stands in each row."""
    scale, top, ink, rows = rng.uniform(1.2, 2.2), EDGE, np.zeros((SIDE, SIDE), np.float32), []
    box, printed = (int(25 * scale), int(32 * scale)), np.zeros_like(ink)
    while top < SIDE - EDGE - 30 * scale and len(rows) < 6:
        left, row = EDGE + int(rng.integers(60)), ""
        if kind == "behind words":
            font = ImageFont.truetype(str(fonts[rng.integers(len(fonts))]), 18 * scale)
            strip = Image.new("L", (SIDE, 60))
            ImageDraw.Draw(strip).text((left, 0), word := str(rng.choice(WORDS.split())), 255, font)
            ink[top : top + 60] += np.asarray(strip) / np.float32(255)
            left += int(font.getlength(word) + 24 * scale)
        for _ in range(rng.integers(3, 9)):
            which = rng.integers(len(labels))
            x, y, w, h = cv2.boundingRect((tiles[which] > 25).astype(np.uint8))
            digit = tiles[which][y : y + h, x : x + w].astype(np.float32) / 255
            size = scale * rng.uniform(0.9, 1.1)
            digit = cv2.resize(digit, None, fx=size, fy=size, interpolation=cv2.INTER_CUBIC).clip(
                0, 1
            )
            height, width = digit.shape
            line = int(top + (26 * scale - height) / 2 + rng.uniform(-2, 2) * scale)
            if left + max(width, box[0] * (kind in FORMS)) > SIDE - EDGE:
                break
            if kind in FORMS:
                corner = left, int(top - 3 * scale)
                cv2.rectangle(
                    printed, (*corner, box[0] + 1, box[1]), 1, 1 + int(scale > 1.5), cv2.LINE_AA
                )
                left += int((box[0] - width) * rng.uniform(0.2, 0.8))
            place = ink[line : line + height, left : left + width]
            np.maximum(place, digit, out=place)
            row += str(labels[which])
            left += max(int(width + scale * rng.uniform(*GAPS.get(kind, (1, 6)))), 2)
            if kind in FORMS:
                left = corner[0] + box[0] + int(scale * FORMS[kind])
        rows.append(row)
        if kind == "underlined":
            cv2.line(
                printed,
                (EDGE, int(top + 27 * scale)),
                (left, int(top + 27 * scale)),
                1,
                2,
                cv2.LINE_AA,
            )
        top += int(scale * rng.uniform(28, 36)) + box[1] // 4 * (kind in (*FORMS, "underlined"))
    ink = np.maximum(ink, printed)
    if kind.startswith("leaning"):
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-6, 6), 1)
        ink = cv2.warpAffine(ink, turn, (SIDE, SIDE))
    paper, step = np.ones((SIDE, SIDE)), int(scale * rng.uniform(14, 30))
    if kind in ("ruled", "squared"):
        paper[::step] *= 0.82
    if kind == "squared":
        paper[:, ::step] *= 0.82
    if kind == "shadow":
        way, axis = rng.uniform(0, 2 * np.pi), np.linspace(-1, 1, SIDE)
        paper *= 0.7 + 0.2 * (axis * np.cos(way) + axis[:, None] * np.sin(way))
    page = paper * (1 - ink * rng.uniform(0.55, 0.9)) * rng.uniform(0.75, 1) + rng.normal(
        0, 0.015, paper.shape
    )
    return (page.clip(0, 1) * 255).astype(np.uint8), rows


def draw_words(
    kind: str, rng: np.random.Generator, fonts: list[Path] = PRINTS
) -> tuple[np.ndarray, int]:
    """A page of words, uint8 (900, 900), and its number of letters."""
    page, top, letters, grey = Image.new("L", (SIDE, SIDE), 255), EDGE, 0, int(rng.uniform(0, 90))
    font, size = str(fonts[rng.integers(len(fonts))]), rng.uniform(24, 60)
    script, pen = SCRIPTS[rng.integers(len(SCRIPTS))], int(rng.integers(2, 5))
    while top < SIDE - 3 * size:
        line = " ".join(rng.choice(WORDS.split(), 2))
        if kind == "printed":
            ImageDraw.Draw(page).text((EDGE, top), line, grey, ImageFont.truetype(font, size))
        else:
            place = EDGE, int(top + size)
            page = Image.fromarray(
                cv2.putText(np.array(page), line, place, script, size / 28, grey, pen, cv2.LINE_AA)
            )
        letters += len(line) - 1
        top += int(1.6 * size)
    return np.asarray(page), letters


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="mnist_model.pth")
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--data-dir", type=Path, default=MNIST_DIR)
    parser.add_argument("--fonts", type=Path, nargs="+", default=PRINTS)
    args = parser.parse_args()
    model, (_, held_out) = load_model(args.model), load_training("mnist", args.data_dir)
    tiles, labels = held_out.images.numpy(), held_out.labels.numpy()
    print("| page | wrong | of |\n| --- | ---: | ---: |")
    for kind in (*GAPS, *PAPERS, *FORMS):
        pages = [
            draw_numbers(kind, tiles, labels, np.random.default_rng(seed), args.fonts)
            for seed in range(args.pages)
        ]
        wrong = sum(
            edit_distance("\n".join(rows), read(model, page).text.replace(" ", ""))
            for page, rows in pages
        )
        count = sum(len(row) for _, rows in pages for row in rows)
        print(f"| digits, {kind} | {wrong / count:.1%} | {count} |", flush=True)
    for kind in ("printed", "scripted"):
        texts = [
            draw_words(kind, np.random.default_rng(seed), args.fonts) for seed in range(args.pages)
        ]
        found = sum(len(read(model, page).digits) for page, _ in texts)
        count = sum(letters for _, letters in texts)
        print(f"| words, {kind} | {found / count:.1%} | {count} |", flush=True)


if __name__ == "__main__":
    main()
