"""Downloads from a server on this machine: every way to fail, two at once, killed midway."""

import hashlib
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from unittest.mock import patch

from qdigits.data import download
from tests.attacks import mirrors
from tests.stress.process_faults import run_train_command
from tests.stress.support import NEVER, Ending, Row, run_in_child

NAME = "train-images-idx3-ubyte"


class Downloader:
    """Downloads one file again and again and watches that it is whole or absent."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Start the server and point the program to it, until the stack is left."""
        self.content = os.urandom(200_000)
        self.folder = folder
        self.path = folder / "cache" / f"{NAME}.gz"
        self.wrong: list[str] = []
        self.root = stack.enter_context(mirrors.mirror(self.content)).root
        checksum = hashlib.md5(self.content).hexdigest()
        for change in (
            patch.dict(os.environ, QDIGITS_CACHE=str(self.path.parent)),
            patch.dict(download.PUBLISHED, {NAME: download.Published(checksum, None)}),
            patch.multiple(download, TIMEOUT=0.5, DEADLINE=1, MAX_FILE_BYTES=2**20),
            patch.dict(download.MIRRORS),
        ):
            stack.enter_context(change)

    def start(self, behaviour: str, after: float = NEVER) -> Ending:
        """Download from a server that behaves so, and be killed after some seconds."""
        download.MIRRORS["mnist"] = (f"{self.root}{behaviour}/",)
        command = partial(run_train_command, self.folder / "run", "--data", "mnist")
        ending = run_in_child(command, after)
        if self.path.exists() and self.path.read_bytes() != self.content:
            self.wrong.append(f"{behaviour}: another file")
        return ending

    def expect_refusal(self, behaviour: str) -> None:
        """Download from a bad server: one line, and no file."""
        ending = self.start(behaviour)
        if ending.code != 1 or not ending.is_one_line_refusal or self.path.exists():
            self.wrong.append(f"{behaviour}: {ending}")

    def start_two_at_once(self) -> None:
        """Download in two threads of this process; the file must be whole."""
        self.path.unlink(missing_ok=True)
        download.MIRRORS["mnist"] = (f"{self.root}good/",)
        threads = [threading.Thread(target=download.fetch, args=[NAME]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.path.read_bytes() != self.content:
            self.wrong.append("two at once")


def downloads(folder: Path, count: int | None) -> Iterator[Row]:
    """Meet every bad server, and be killed midway a hundred times."""
    draw = random.Random(0)
    count = count or 100
    killed = 0
    with ExitStack() as stack:
        downloader = Downloader(folder, stack)
        for behaviour in mirrors.BAD:
            downloader.expect_refusal(behaviour)
        for index in range(count):
            code = downloader.start("dripping", draw.uniform(0, 0.5)).code
            killed += code == -signal.SIGKILL
            if index % 2:  # half of them go on from what the kill before left
                downloader.path.unlink(missing_ok=True)
        downloader.start_two_at_once()
    result = (
        f"{count + len(mirrors.BAD)}: {len(mirrors.BAD)} bad servers: one line, no file; "
        f"{killed} killed midway: the whole file or none"
    )
    yield Row("downloads", result, downloader.wrong)


STRESS = (downloads,)
