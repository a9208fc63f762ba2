"""What several benchmarks need: the data, the clock, and a sentence about the machine."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from qdigits.data.loading import load_training
from qdigits.errors import DataError
from tools.recipe_results import ROOT, describe_commit, describe_versions

DATA_DIR = Path(os.environ.get("DATA_DIR", ROOT.parent / "shared" / "data"))
MNIST_DIR = DATA_DIR / "mnist"
# The command in a process that prints its peak memory in kilobytes as the last line of stderr.
MEASURED_COMMAND = """
import sys
from qdigits.cli import main
code = main()
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
sys.exit(code)
"""


class Digits(NamedTuple):
    """Where the training digits come from, as TrainConfig names it."""

    data: str
    data_dir: str | None

    @property
    def options(self) -> list[str]:
        """The same as options of the command."""
        folder = [] if self.data_dir is None else ["--data-dir", self.data_dir]
        return ["--data", self.data, *folder]


def choose_digits(data_dir: Path | None = None) -> Digits:
    """Return QMNIST or MNIST, wherever they lie, or else the bundled sample, and say so.

    Args:
        data_dir: A folder that holds their files, or a folder mnist with them.
    """
    folders = [MNIST_DIR] if data_dir is None else [data_dir, data_dir / "mnist"]
    choices = [Digits(data, str(folder)) for folder in folders for data in ("qmnist", "mnist")]
    if data_dir is None:
        choices.append(Digits("qmnist", None))  # from the cache, or fetched
    for digits in choices:
        try:
            load_training(digits.data, digits.data_dir)
        except DataError:
            continue
        return digits
    print("No MNIST here or to be fetched: the bundled sample serves; DATA_DIR=... names a folder.")
    return Digits("sample", None)


class Row(NamedTuple):
    """One row of the table."""

    work: str
    ours: str
    rival: str
    times_as_fast: str
    goal: str


class Process(NamedTuple):
    """What a whole process took."""

    seconds: float
    megabytes: float  # at most


def make_row(work: str, show: Callable[[float], str], times: dict[str, float], goal: str) -> Row:
    """Return a row.

    Args:
        work: What was done, and by which rival.
        show: Turns seconds into the figure that is shown.
        times: The seconds of `ours` and of `rival`.
        goal: What is wanted, and what limits it.
    """
    ratio = times["rival"] / times["ours"]
    return Row(work, show(times["ours"]), show(times["rival"]), f"{ratio:.2f}", goal)


def run_command(*words: str) -> Process:
    """Run the command in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, "-c", MEASURED_COMMAND, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Process(time.perf_counter() - start, int(done.stderr.split()[-1]) / 1024)


def measure_memory(*words: str) -> float:
    """Run the command, and return the most memory (MB) of it and the processes that it starts.

    Memory that several of them share counts once.
    """
    process = psutil.Popen(
        [sys.executable, "-m", "qdigits", *words], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    most = 0
    while process.poll() is None:
        with suppress(psutil.Error):  # one of them may end while it is looked at
            family = [process, *process.children(recursive=True)]
            most = max(most, sum(member.memory_full_info().pss for member in family))
        time.sleep(0.1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return most / 2**20


def measure_seconds(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(repeats: int, **contestants: Callable[[], float]) -> dict[str, float]:
    """Return the median of what each contestant returns, all of them taking turns.

    A busy minute then hits all of them alike.
    """
    results: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            results[name].append(contestant())
    return {name: float(np.median(values)) for name, values in results.items()}


def name_processor() -> str:
    """Return the name of the processor, as Linux tells it, or its kind."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def describe_machine(load_before: float) -> str:
    """Return the machine, the versions, the commit and the day, in one sentence."""
    versions = describe_versions()
    return (
        f"{os.cpu_count()} cores, {name_processor()}; load {load_before:.1f} before; "
        f"Python {versions['python']}, torch {versions['torch']}, numpy {versions['numpy']}; "
        f"commit {describe_commit()}; {time.strftime('%Y-%m-%d')}."
    )
