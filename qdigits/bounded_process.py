"""Strangers' files that a library reads in a process of its own.

A PDF is a program of sorts, and a parquet table swells like an archive: they can loop, ask for
gigabytes, and crash what reads them. So a script reads them with bounds on its time and memory, and
what comes back is plain numbers.

    python -I bounded_process.py SECONDS BYTES SCRIPT NUMBER

runs such a script. This file imports nothing of qdigits, for a process of that kind can't.
"""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

MAX_CAUSE = 100  # letters of a library's words that a message repeats
# Each further thread of these libraries reserves memory that would count.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Bounds(NamedTuple):
    """What a script may take."""

    seconds: int  # of processor time
    clock_seconds: int  # stops one that waits, and where the system counts no processor time
    memory: int  # bytes


class BoundedProcessError(Exception):
    """Raised when a script refuses its input, crashes, or takes more than its bounds.

    The message tells the cause in a few words.
    """


def run_bounded(script: Path, number: int, data: bytes, bounds: Bounds) -> bytes:
    """Run a script on the bytes of a file.

    Args:
        script: Python that reads standard input and writes standard output. It imports nothing of
            qdigits, and refuses its input with sys.exit and the cause.
        number: Its argument.
        data: The file.
        bounds: What it may take.

    Returns:
        What it wrote.

    Raises:
        BoundedProcessError: It failed.
    """
    # -I: neither the folder one stands in nor PYTHONPATH decides what this process imports
    command = [sys.executable, "-I", __file__, bounds.seconds, bounds.memory, script, number]
    try:
        child = subprocess.run(
            [str(word) for word in command],
            input=data,
            capture_output=True,
            env=os.environ | ONE_THREAD,
            timeout=bounds.clock_seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise BoundedProcessError(f"takes longer than {bounds.clock_seconds} s") from error
    if child.returncode < 0:
        raise BoundedProcessError(
            f"takes longer than {bounds.seconds} s, or crashes the library that reads it"
        )
    if child.returncode:
        raise BoundedProcessError(find_cause(child.stderr.decode("utf-8", "replace"), bounds))
    return child.stdout


def find_cause(stderr: str, bounds: Bounds) -> str:
    """Return why a script failed, in the words of its last line."""
    lines = stderr.strip().splitlines()
    last = lines[-1] if lines else "without a word"
    if "MemoryError" in last:
        return f"takes more than {bounds.memory // 2**20:,} MB of memory"
    without_class = re.sub(r"^[\w.]+: ", "", last)
    return without_class[:MAX_CAUSE]


def limit_this_process(seconds: int, memory: int) -> None:
    """Bound processor time and memory (bytes), where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the clock of the parent is the only bound
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


if __name__ == "__main__":
    seconds, memory, *sys.argv = sys.argv[1:]
    limit_this_process(int(seconds), int(memory))
    runpy.run_path(sys.argv[0], run_name="__main__")
