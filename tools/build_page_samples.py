"""Draw docs/synthetic_pages.png: one page of each kind, with the truth of its marks.

Run from the root of a clone: python tools/build_page_samples.py [DATA_DIR]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from qdigits.augment.pages.marks import OTHER
from qdigits.augment.synthetic_pages import KINDS, Page, draw_page
from qdigits.data.loading import load_training
from qdigits.training.page_data import supplies_from

OUT = Path(__file__).parents[1] / "docs/synthetic_pages.png"
COLUMNS = 6
SIDE = 192
COLOURS = 48
DIGIT, PRINTED, SIGN, OTHER_MARK = (0, 150, 0), (0, 140, 220), (220, 0, 0), (200, 0, 200)


def colour_of(kind: int, printed: bool) -> tuple[int, int, int]:
    """Return the colour of a mark's box."""
    if kind < 10:
        return PRINTED if printed else DIGIT
    return SIGN if kind < OTHER else OTHER_MARK


def draw_truth(page: Page, title: str) -> np.ndarray:
    """Draw a page with the boxes of its marks, RGB uint8 (SIDE, SIDE, 3)."""
    picture = cv2.cvtColor(page.picture, cv2.COLOR_GRAY2RGB)
    for mark in page.marks:
        left, top, right, bottom = (int(edge) for edge in mark.box)
        cv2.rectangle(picture, (left, top), (right, bottom), colour_of(mark.kind, mark.printed), 1)
    picture = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    cv2.rectangle(picture, (0, 0), (SIDE, 14), (255, 255, 255), -1)
    cv2.putText(picture, title, (3, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def main() -> None:
    """Draw every kind and write the picture."""
    data_dir = sys.argv[1] if len(sys.argv) > 1 else None
    digits, _ = load_training("mnist" if data_dir else "sample", data_dir)
    supplies = supplies_from(digits, seed=0)
    pages = [
        draw_truth(draw_page(supplies, 2, i, kind=kind, turned=0), kind)
        for i, kind in enumerate(KINDS)
    ]
    pages += [np.full_like(pages[0], 255)] * (-len(pages) % COLUMNS)
    rows = [np.hstack(pages[start : start + COLUMNS]) for start in range(0, len(pages), COLUMNS)]
    picture = Image.fromarray(np.vstack(rows)).quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
