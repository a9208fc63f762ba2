"""Pages of a PDF, drawn in a process of their own.

A PDF is a program of sorts: it can loop, ask for gigabytes and crash the library that draws it. So
pdf_child.py runs that library with bounds on time and memory, and what comes back is pixels.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdigits.errors import ImageError
from qdigits.imaging.pdf_child import HEADER, MAX_SECONDS

MAX_WALL_SECONDS = 60  # the child counts its own processor time; this clock stops one that waits
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
    # -I: neither the folder one stands in nor PYTHONPATH decides what this process imports
    command = [sys.executable, "-I", str(CHILD), str(number)]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=MAX_WALL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"this PDF takes longer than {MAX_WALL_SECONDS} s to draw") from error
    if child.returncode < 0:
        raise ImageError(
            f"this PDF takes longer than {MAX_SECONDS} s to draw, or crashes what draws it"
        )
    if child.returncode or len(child.stdout) < HEADER.size:
        lines = child.stderr.decode("utf-8", "replace").strip().splitlines()
        cause = lines[-1].rpartition("Error: ")[2] if lines else "nothing was drawn"
        raise ImageError(f"a PDF that cannot be drawn ({cause})")
    pages, width, height, stride = HEADER.unpack_from(child.stdout)
    if not width:
        return PdfPage(pages, None)
    rows = np.frombuffer(child.stdout, np.uint8, height * stride, HEADER.size)
    return PdfPage(pages, rows.reshape(height, stride)[:, : width * 3].reshape(height, width, 3))
