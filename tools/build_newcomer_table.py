"""Writes docs/newcomers.md: what newcomers trip over, before and after, each by trying it.

    python -m tools.build_newcomer_table [--before e9079ae]

Every probe runs twice: in the repository as it was at a commit, and as it is now. All pictures are
drawn here or lie in examples/.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.attacks.pictures import pdf, saved
from tools.markers import ROOT, format_table

PAGE = ROOT / "docs" / "newcomers.md"
ABOUT = """# What newcomers meet

Written by `python -m tools.build_newcomer_table`. It tries each row in the repository at {before}
and as it is now. Seconds are of processor time on a shared machine.

"""
LONGEST_SECONDS = 60  # of processor time and, times five, on the clock
WIDEST_CELL = 220  # letters


class Probe(NamedTuple):
    """Something to try: Python code that prints, or a command line after `qdigits`."""

    what: str
    code: str = ""
    command: str = ""
    stdin: str = ""


LIBRARY = [
    Probe("`read(photo)` without a model", 'print(qdigits.read("year.jpg").text)'),
    Probe("a path as the model", 'print(qdigits.read("mnist_model.onnx", "year.jpg").text)'),
    Probe(
        "model and photo swapped",
        'print(qdigits.read("year.jpg", qdigits.load_model("mnist_model.onnx")))',
    ),
    Probe(
        "lines that `print(reading)` takes, of four digits",
        "print(len(str(qdigits.read(model, 'year.jpg')).splitlines()))",
    ),
    Probe("`reading.to_dict()`", "print(qdigits.read(model, 'year.jpg').to_dict()['text'])"),
    Probe(
        "bytes of the picture that a notebook shows",
        "print(len(qdigits.read(model, 'year.jpg')._repr_png_()) > 1000)",
    ),
    Probe("`dir(qdigits)`", "print(*[n for n in dir(qdigits) if not n.startswith('__')])"),
    Probe("help on ImageError", "print(qdigits.ImageError.__doc__)"),
    Probe("three tiles handed to `predict`", "print(answer(tiles[1:4]))"),
    Probe("ten rows of 784 numbers handed to `predict`", "print(answer(tiles.reshape(10, 784)))"),
    Probe("one row of 784 numbers, a 1", "print(answer(tiles[1].reshape(1, 784)))"),
    Probe("ten 8x8 tiles from 0 to 16, as scikit-learn's", "print(*[answer(t) for t in small])"),
]
COMMAND = [
    Probe("seconds of `qdigits --help`", command="--help"),
    Probe("`--csv -`", command="read seven.png --csv -"),
    Probe("a table begun and interrupted", command="read folder --csv begun.csv --resume"),
    Probe("`--annotate` for a folder", command="read folder --annotate marked"),
    Probe("`-o`, `-m`, `-j`, `-q`", command="read seven.png -m mnist_model.onnx -o a.csv -j 2 -q"),
    Probe("a typing error", command="raed seven.png"),
    Probe("a folder of PDF, HEIC and a raw photo", command="read scans"),
    Probe("a PDF of two pages", command="read two.pdf"),
    Probe("a TIFF of two pages", command="read two.tif"),
    Probe("an animation whose first frame is blank", command="read moving.gif"),
    Probe("a zip archive of two pictures", command="read photos.zip"),
    Probe("a JPEG of 600 scans", command="read scans.jpg"),
    Probe("an endless standard input", command="read -", stdin="/dev/zero"),
    Probe("a file called =1+1.png in a table", command="read =1+1.png --csv formula.csv"),
]
PRELUDE = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import qdigits
model = qdigits.load_model("mnist_model.onnx")
tiles = np.load("tiles.npy")
small = [tile[2:26, 2:26].reshape(8, 3, 8, 3).mean((1, 3)) / 255 * 16 for tile in tiles]
def answer(array):
    one = qdigits.predict(model, array)
    return f"{one.digit}" + ("" if one.accepted else "?")
try:
    {code}
except Exception as error:
    print(type(error).__name__ + ":", error)
"""


def draw_inputs(folder: Path) -> None:
    """Put the pictures that the probes read into a folder."""
    for name in ("year.jpg", "seven.png"):
        (folder / name).write_bytes((ROOT / "examples" / name).read_bytes())
    seven = Image.open(folder / "seven.png").convert("L")
    blank = Image.new("L", seven.size, 255)
    for name in ("folder/a.png", "folder/b.png", "=1+1.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        seven.save(folder / name)
    (folder / "begun.csv").write_text("file,text,confidence,accepted,error\nfolder/a.png,7,0.9")
    seven.save(folder / "two.tif", save_all=True, append_images=[seven])
    blank.save(folder / "moving.gif", save_all=True, append_images=[seven])
    seven.save(folder / "two.pdf", save_all=True, append_images=[seven])
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for name in ("a.png", "b.png"):
            archive.write(folder / "folder" / name, name)
    (folder / "scans").mkdir()
    (folder / "scans/a.png").write_bytes((folder / "folder/a.png").read_bytes())
    (folder / "scans/sheet.pdf").write_bytes(pdf(b""))
    (folder / "scans/photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "scans/photo.cr2").write_bytes(b"raw")
    progressive = saved(seven.resize((3000, 3000)), "JPEG", progressive=True)
    last_scan = progressive[progressive.rfind(b"\xff\xda") : -2]
    (folder / "scans.jpg").write_bytes(progressive[:-2] + 600 * last_scan + b"\xff\xd9")


def draw_tiles(folder: Path) -> None:
    """Put one tile of each digit of the bundled sample into a folder."""
    from qdigits.data.loading import load_test

    digits = load_test("sample")
    first = [int((digits.labels == digit).nonzero()[3]) for digit in range(10)]
    np.save(folder / "tiles.npy", digits.images[first].numpy())


def try_probe(probe: Probe, tree: Path) -> str:
    """Run a probe with the code of a tree in a fresh folder, and tell what came of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw_inputs(folder)
        (folder / "tiles.npy").write_bytes((TILES / "tiles.npy").read_bytes())
        if probe.code:
            command = [sys.executable, "-c", PRELUDE.replace("{code}", probe.code)]
        else:
            command = [sys.executable, "-m", "qdigits", *probe.command.split()]
        started = os.times()
        with open(probe.stdin or os.devnull, "rb") as stdin:
            try:
                done = subprocess.run(
                    ["prlimit", f"--cpu={LONGEST_SECONDS}", f"--as={8 * 2**30}", *command],
                    cwd=folder,
                    stdin=stdin,
                    capture_output=True,
                    text=True,
                    timeout=5 * LONGEST_SECONDS,
                    env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"},
                )
            except subprocess.TimeoutExpired:
                return f"no end within {5 * LONGEST_SECONDS} s"
        ended = os.times()
        busy = ended.children_user + ended.children_system
        busy -= started.children_user + started.children_system
        return describe(probe, done, folder, busy).replace(f"{tree}/", "")


def describe(probe: Probe, done: subprocess.CompletedProcess, folder: Path, seconds: float) -> str:
    """Return what came of a probe as the cell of a table."""
    if probe.command == "--help":
        version = ", names --version" if "--version" in done.stdout else ""
        return f"{seconds:.2f} s{version}"
    written = [path for path in sorted(folder.rglob("*.csv")) if path.name in probe.command]
    tables = [" / ".join(path.read_text().splitlines()[1:]) for path in written]
    new = [f"wrote {path.relative_to(folder)}" for path in sorted(folder.glob("marked*/**/*.*"))]
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()[-4:]]
    lines += [*tables, *new]
    text = " / ".join(line.strip() for line in lines if line.strip(" │╭╮╰╯─"))
    text = text.replace(str(folder), "").replace("\t", " ").replace("|", "\\|")
    code = f"exit {done.returncode}: " if probe.command else ""
    time_taken = f" ({seconds:.1f} s)" if seconds > 5 else ""
    return code + textwrap.shorten(text, WIDEST_CELL) + time_taken


def unpack(commit: str, folder: Path) -> None:
    """Put the repository as it was at a commit into a folder."""
    command = ["git", "-C", str(ROOT), "archive", commit]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")


def main() -> None:
    """Try every probe in both trees and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", default="e9079ae")
    before = parser.parse_args().before
    page = ABOUT.format(before=before)
    with tempfile.TemporaryDirectory() as temporary:
        old_tree = Path(temporary)
        unpack(before, old_tree)
        draw_tiles(TILES)
        for title, probes in (("Library", LIBRARY), ("Command and files", COMMAND)):
            rows = [["tried", "before", "after"]]
            for probe in probes:
                started = time.monotonic()
                what = f"{probe.what}: `qdigits {probe.command}`" if probe.command else probe.what
                rows.append([what, try_probe(probe, old_tree), try_probe(probe, ROOT)])
                print(f"{time.monotonic() - started:5.1f} s", *rows[-1], sep=" | ", flush=True)
            page += f"## {title}\n\n{format_table(rows)}\n\n"
    PAGE.write_text(page.rstrip() + "\n")


TILES = Path(tempfile.mkdtemp())

if __name__ == "__main__":
    main()
