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

from tests.attacks import digit_tables
from tests.attacks.idx_files import idx
from tests.attacks.pictures import pdf, saved
from tools.fresh_environment import try_installation
from tools.markers import ROOT, format_table

PAGE = ROOT / "docs" / "newcomers.md"
ABOUT = """# What newcomers meet

Written by `python -m tools.build_newcomer_table`. It tries each row in the repository at {before}
and as it is now. Seconds are of processor time on a shared machine, unless they are of the clock.

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
    Probe("a 1 and a 0 beside each other on one tile, to `predict`", "print(answer(two))"),
    Probe("the same to `read`", "print(qdigits.read(model, two).text)"),
    Probe(
        "how much of a moving picture of 40 frames is decoded, in frames",
        """
from PIL import Image
from qdigits.batch import read_files
from qdigits.imaging import frames
count = []
decode = frames.decode_frame
frames.decode_frame = lambda *one: count.append(one) or decode(*one)
pictures = [Image.new("L", (60, 60), 5 * number) for number in range(40)]
pictures[0].save("forty.gif", save_all=True, append_images=pictures[1:])
print(len(list(read_files(model, ["forty.gif"]))), "answers,", len(count), "frames decoded")
""",
    ),
]
MODEL_FILES = {
    "a training checkpoint (`model_state_dict`)": "{'epoch': 5, 'model_state_dict': state}",
    "a checkpoint with `state_dict`": "{'state_dict': state}",
    "weights of DataParallel (`module.`)": "{'module.' + name: w for name, w in state.items()}",
    "half precision": "{name: weight.half() for name, weight in state.items()}",
    "double precision": "{name: weight.double() for name, weight in state.items()}",
    "a whole model": "network",
}
OTHER_FILES = {
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "a web page": b"<!DOCTYPE html><html>",
    "a Keras file": b"\x89HDF\r\n\x1a\n" + bytes(99),
}
LOAD = """
import torch
from torch import nn
layers = nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
network = nn.Sequential(*layers)
state = network.state_dict()
{make}
print("loaded", bool(qdigits.load_model("theirs.pth")))
"""
MODELS = [
    *(
        Probe(what, LOAD.replace("{make}", f"torch.save({code}, 'theirs.pth')"))
        for what, code in MODEL_FILES.items()
    ),
    Probe(
        "saved before torch 1.6",
        LOAD.replace(
            "{make}", "torch.save(state, 'theirs.pth', _use_new_zipfile_serialization=False)"
        ),
    ),
    Probe("TorchScript", LOAD.replace("{make}", "torch.jit.script(network).save('theirs.pth')")),
    *(
        Probe(what, LOAD.replace("{make}", f"open('theirs.pth', 'wb').write({data!r})"))
        for what, data in OTHER_FILES.items()
    ),
]
DATA_SETS = [
    Probe("MNIST's files as published", command="data mnist --data-dir sets/published"),
    Probe("`train-images.idx3-ubyte`", command="data mnist --data-dir sets/dotted"),
    Probe("Kaggle's nested folders", command="data mnist --data-dir sets/nested"),
    Probe("torchvision's `MNIST/raw`", command="data mnist --data-dir sets/torchvision"),
    Probe("Kaggle's `train.csv`", command="data mnist42k --data-dir sets/csv"),
    Probe("Keras' `mnist.npz`", command="data mnist --data-dir sets/npz"),
    Probe("Hugging Face's parquet", command="data mnist --data-dir sets/parquet"),
    Probe("none of these", command="data mnist --data-dir sets"),
    Probe("one's own pictures in 0 to 9", command="data folder --data-dir own"),
    Probe("the same below `training`", command="data folder --data-dir above"),
    Probe("with `Thumbs.db` and a text", command="data folder --data-dir strays"),
    Probe("with a blank sheet in 3", command="data folder --data-dir blank"),
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
CHAPTERS = {
    "Library": LIBRARY,
    "Command and files": COMMAND,
    "Model files": MODELS,
    "Data sets": DATA_SETS,
}
PRELUDE = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import qdigits
model = qdigits.load_model("mnist_model.onnx")
tiles = np.load("tiles.npy")
two = np.zeros((28, 28), np.uint8)
two[:, 2:7] = tiles[1][:, 11:16]
two[4:24, 10:26] = tiles[0][4:24, 6:22]
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


def draw_data_sets(folder: Path) -> None:
    """Lay 40 digits out as people have MNIST, and the same as pictures of one's own."""
    images, labels = digit_tables.digits(40)
    names = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}
    names |= {"t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": labels}
    files = {"csv/train.csv": digit_tables.csv(40), "npz/mnist.npz": digit_tables.keras(40)}
    table = digit_tables.parquet(digit_tables.pngs(40), labels.tolist())
    files |= {f"parquet/{part}-00000-of-00001.parquet": table for part in ("train", "test")}
    for name, array in names.items():
        data = idx(array)
        files |= {f"published/{name}": data, f"torchvision/MNIST/raw/{name}": data}
        files |= {f"nested/{name}/{name}": data, f"dotted/{name.replace('-idx', '.idx')}": data}
    for name, data in files.items():
        path = folder / "sets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    seven = (folder / "seven.png").read_bytes()
    for place in ("own", "above/training", "strays", "blank"):
        for digit in range(10):
            (folder / place / str(digit)).mkdir(parents=True)
            for number in range(6):
                (folder / place / str(digit) / f"{number}.png").write_bytes(seven)
    (folder / "strays/3/Thumbs.db").write_bytes(bytes(64))
    (folder / "strays/3/readme.txt").write_text("mine")
    Image.new("L", (80, 80), 240).save(folder / "blank/3/blank.png")


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
        if probe in DATA_SETS:
            draw_data_sets(folder)
        (folder / "tiles.npy").write_bytes((TILES / "tiles.npy").read_bytes())
        if probe.code:
            command = [
                sys.executable,
                "-c",
                PRELUDE.replace("{code}", textwrap.indent(probe.code, "    ")),
            ]
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
    if probe in DATA_SETS:
        lines = lines[1:]  # without the heads of its columns
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


def try_installations(old_tree: Path) -> str:
    """Install both wheels into clean environments, use them, and return the table."""
    columns = []
    for tree in (old_tree, ROOT):
        with tempfile.TemporaryDirectory() as temporary:
            columns.append(list(try_installation(tree, Path(temporary))))
            print(*columns[-1], sep="\n", flush=True)
    rows = [
        [old.what, old.result.replace("|", "\\|"), new.result.replace("|", "\\|")]
        for old, new in zip(*columns, strict=True)
    ]
    return format_table([["tried", "before", "after"], *rows])


def main() -> None:
    """Try every probe in both trees and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", default="e9079ae")
    before = parser.parse_args().before
    page = ABOUT.format(before=before)
    with tempfile.TemporaryDirectory() as temporary:
        old_tree = Path(temporary)
        unpack(before, old_tree)
        page += f"## Fresh environments\n\n{try_installations(old_tree)}\n\n"
        draw_tiles(TILES)
        for title, probes in CHAPTERS.items():
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
