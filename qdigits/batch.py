"""Many pictures in, a row for each out: one bad file doesn't stop the rest, and memory stays flat."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qdigits.errors import ImageError
from qdigits.predictor import Model, Reading, read

PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
COLUMNS = "file", "text", "confidence", "accepted", "error"
MAX_IN_FLIGHT = 512  # files in work


class FileResult(NamedTuple):
    """What one file gave: a reading, or the reason why not."""

    file: str
    photo: Any
    reading: Reading | None
    error: str = ""

    def row(self) -> tuple[str, ...]:
        """For a table, in the order of COLUMNS; the confidence is that of the least sure digit."""
        if self.reading is None:
            return self.file, "", "", "", self.error
        digits = self.reading.digits
        least = min((digit.confidence for digit in digits), default=0.0)
        accepted = "yes" if digits and all(digit.accepted for digit in digits) else "no"
        return self.file, self.reading.text.replace("\n", " / "), f"{least:.4f}", accepted, ""

    def record(self) -> dict[str, Any]:
        """Everything but the tiles, for JSON."""
        if self.reading is None:
            return {"file": self.file, "error": self.error}
        fields = "digit", "confidence", "accepted", "box", "probabilities"
        digits = [
            {field: getattr(digit, field) for field in fields} for digit in self.reading.digits
        ]
        return {"file": self.file, "text": self.reading.text, "digits": digits}


def expand_paths(names: Sequence[str]) -> list[str]:
    """The files meant: a folder stands for all pictures in it, but hidden ones."""
    found: list[str] = []
    for name in names:
        if os.path.isdir(name):
            inside = sorted(Path(name).rglob("[!.]*"))
            found += [
                str(path)
                for path in inside
                if path.suffix.lower() in PICTURES and not path.is_dir()
            ]
        else:
            found.append(name)
    return found


def read_files(model: Model, names: Sequence[str]) -> Iterator[FileResult]:
    """A FileResult for each file, in order; - is a picture on standard input."""

    def answer(name: str) -> FileResult:
        photo = sys.stdin.buffer.read() if name == "-" else name
        try:
            return FileResult(name, photo, read(model, photo))
        except ImageError as error:
            return FileResult(name, photo, None, str(error).removeprefix(f"{name}: "))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(names), MAX_IN_FLIGHT):
            yield from pool.map(answer, names[first : first + MAX_IN_FLIGHT])


def terminal_art(tile: np.ndarray) -> str:
    """A tile in half-blocks, two rows of pixels to a line."""
    ink = (tile > 100).astype(int).reshape(14, 2, 28)
    return "\n".join(
        "".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in ink
    )
