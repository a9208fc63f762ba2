"""A disk that is full, read-only or under a quota, and folders that aren't there."""

import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

from qdigits import cli
from qdigits.data import download
from tests.attacks import mirrors
from tests.stress.process_faults import RUN_FILES, read_result, run_train_command
from tests.stress.support import Row, run_in_child


def train_under_a_quota(run_dir: Path) -> int:
    """Resume a training in a process whose files may not grow beyond 64 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))
    return run_train_command(run_dir, "--resume")


def read_kept_files(run_dir: Path) -> dict[Path, bytes]:
    """Return the files that no fault may change."""
    kept = RUN_FILES - {"lock", "metrics.jsonl"}
    return {path: path.read_bytes() for path in run_dir.iterdir() if path.name in kept}


def fill(folder: Path) -> None:
    """Fill the disk to its last block, with a file named ballast."""
    with contextlib.suppress(OSError), open(folder / "ballast", "wb") as ballast:
        while True:
            ballast.write(bytes(4096))
            ballast.flush()


def train_two_epochs(run_dir: Path) -> None:
    """Train until two states were kept, and stop there by force."""
    seconds = 1.0
    while not (run_dir / "state.pt.prev").exists():
        run_in_child(partial(run_train_command, run_dir, "--resume"), seconds)
        seconds *= 1.5


class Witness:
    """Tries actions that must fail in one line and leave the good files alone."""

    def __init__(self, run_dir: Path) -> None:
        """Remember the files of a training as they are now."""
        self.files = read_kept_files(run_dir)
        self.count = 0
        self.wrong: list[str] = []

    def expect_refusal(self, fault: str, action: Callable[[], int], path: Path) -> None:
        """Run an action that must end with exit 1 and one line which names the path."""
        self.count += 1
        ending = run_in_child(action)
        if ending.code != 1 or not ending.is_one_line_refusal or str(path) not in ending.stderr:
            self.wrong.append(f"{fault}: {ending}")
        changed = [path.name for path, data in self.files.items() if path.read_bytes() != data]
        if changed:
            self.wrong.append(f"{fault}: changed {changed}")


def meet_a_full_disk(witness: Witness, disk: Path, folder: Path, model: str) -> None:
    """Try everything that writes while the disk has no block left."""
    for _ in range(3):
        resume = partial(run_train_command, disk / "run", "--resume")
        witness.expect_refusal("full, resumed", resume, disk)
    witness.expect_refusal("full, a new run", partial(run_train_command, disk / "new"), disk)
    for out in (f"{disk}/m.safetensors", f"{disk}/m.onnx"):
        export = partial(cli.main, ["export", model, out])
        witness.expect_refusal(f"full, {out}", export, disk)
    with (
        mirrors.mirror(os.urandom(50_000)) as server,
        patch.dict(os.environ, QDIGITS_CACHE=str(disk / "cache")),
        patch.dict(download.MIRRORS, mnist=(f"{server.root}good/",)),
    ):
        fetch = partial(run_train_command, folder / "run", "--data", "mnist")
        witness.expect_refusal("full, a download", fetch, disk)


def meet_a_read_only_disk(witness: Witness, disk: Path, model: str) -> None:
    """Try to resume and to export while nothing may be written."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    resume = partial(run_train_command, disk / "run", "--resume")
    witness.expect_refusal("read-only, resumed", resume, disk)
    export = partial(cli.main, ["export", model, f"{disk}/m.safetensors"])
    witness.expect_refusal("read-only, export", export, disk)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


def disk(folder: Path, count: int | None) -> Iterator[Row]:
    """Train, export and download onto a disk of 6 MB that runs full or turns read-only."""
    small = folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small]).returncode:
        yield Row("disk full, read-only", "not tried: mounting a small disk needs root", [])
        return
    with contextlib.ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "-l", small])
        train_two_epochs(small / "run")
        witness = Witness(small / "run")
        model = str(next(path for path in witness.files if path.suffix == ".pth"))
        resume = partial(train_under_a_quota, small / "run")
        witness.expect_refusal("over a quota, resumed", resume, small)
        fill(small)
        meet_a_full_disk(witness, small, folder, model)
        (small / "ballast").unlink()
        meet_a_read_only_disk(witness, small, model)
        nowhere = folder / "nowhere"
        export = partial(cli.main, ["export", model, f"{nowhere}/m.safetensors"])
        witness.expect_refusal("no such folder", export, nowhere)
        train_into_file = partial(run_train_command, Path(model) / "run")
        witness.expect_refusal("a file as folder", train_into_file, Path(model))
        run_in_child(partial(run_train_command, small / "run", "--resume"))
        run_in_child(partial(run_train_command, folder / "whole"))
        if read_result(small / "run") != read_result(folder / "whole"):
            witness.wrong.append("the run that met a full disk ended with other weights")
        left = [path.name for path in small.rglob("*.tmp")]
        if left:
            witness.wrong.append(f"left behind: {left}")
    result = f"{witness.count}: exit 1, one line, good files untouched"
    yield Row("disk full, over a quota, read-only, folder missing", result, witness.wrong)


STRESS = (disk,)
