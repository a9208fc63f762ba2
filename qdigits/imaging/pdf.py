"""Pages of a PDF, drawn in a process of their own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdigits.bounded_process import BoundedProcessError, Bounds, run_bounded
from qdigits.errors import ImageError
from qdigits.imaging.pdf_child import HEADER

BOUNDS = Bounds(seconds=5, clock_seconds=60, memory=2**30)
CHILD = Path(__file__).with_name("pdf_child.py")


class PdfPage(NamedTuple):
    """A drawn page, and how many the file has."""

    pages: int
    pixels: np.ndarray | None  # uint8 (H, W, 3); None: no page was asked for, and there are several


def draw_page(data: bytes, number: int = 0) -> PdfPage:
    """Draw one page of a PDF.

    Args:
        data: The file.
        number: The page, from 1; 0 stands for the only page.

    Raises:
        ImageError: No such page, a damaged or locked file, or too much work for the bounds.
    """
    try:
        drawn = run_bounded(CHILD, number, data, BOUNDS)
    except BoundedProcessError as error:
        raise ImageError(f"a PDF that cannot be drawn ({error})") from error
    pages, width, height, stride = HEADER.unpack_from(drawn)
    if not width:
        return PdfPage(pages, None)
    rows = np.frombuffer(drawn, np.uint8, height * stride, HEADER.size)
    return PdfPage(pages, rows.reshape(height, stride)[:, : width * 3].reshape(height, width, 3))
