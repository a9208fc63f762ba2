"""Command lines that a tired person might type; none would train or serve for long."""

import contextlib
import os
import random
import shlex
from collections.abc import Iterator
from pathlib import Path

from qdigits import cli
from tests.stress.support import ROOT, Row, run_in_child

VERBS = ("read", "read", "evaluate", "data", "export", "train", "nonsense", "")
WORDS = [
    *(str(ROOT / "examples" / "seven.png"), str(ROOT / "mnist_model.pth"), "nowhere.png"),
    *("pictures", "", "-", "--", "0", "-1", "1e9", "nan", "*", "~", "é\u202e"),
    *("sample", "mnist", "folder", "writer", "baseline", "default"),
    *("out.json", "x/y/z", "m.onnx", "m.txt"),
    *("--json", "--csv", "--model", "--help", "--version", "--data", "--data-dir", "--out"),
    *("--split", "--epochs", "--lr", "--resume", "--run-dir", "--fetch=no"),
]


def draw_command(draw: random.Random) -> list[str]:
    """Return a verb, perhaps none, and up to four words after it."""
    verb = draw.choice(VERBS)
    words = draw.choices(WORDS, k=draw.randrange(5))
    if verb == "train":
        words.append("--data-dir=nowhere")
    return [verb, *words] if verb else words


def remove(paths: set[Path]) -> None:
    """Remove files and empty folders, the deepest first."""
    for path in sorted(paths, reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def commands(folder: Path, count: int | None) -> Iterator[Row]:
    """Run a thousand random command lines in a folder of their own."""
    draw = random.Random(0)
    wrong: list[str] = []
    count = count or 1000
    (folder / "pictures").mkdir()
    (folder / "pictures/broken.png").write_bytes(b"\x89PNG\r\n")
    os.environ["QDIGITS_CACHE"] = str(folder.with_suffix(".cache"))
    with contextlib.chdir(folder):
        for _ in range(count):
            words = draw_command(draw)
            before = set(folder.rglob("*"))
            ending = run_in_child(lambda words=words: cli.main(words), 20)
            if ending.code not in (0, 1, 2) or "Traceback" in ending.stderr:
                wrong.append(f"{shlex.join(words)}: {ending}")
            new = set(folder.rglob("*")) - before
            if ending.code and new:
                names = [path.name for path in new]
                wrong.append(f"{shlex.join(words)} failed and left {names}")
            remove(new)
    result = f"{count}: exit 0, 1 or 2, no traceback, no file left by a failure"
    yield Row("command lines", result, wrong)


STRESS = (commands,)
