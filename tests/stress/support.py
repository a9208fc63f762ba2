"""What every stress test needs: a row of the table, a tally, and an action in a child process."""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.attacks import Outcome

ROOT = Path(__file__).parents[2]
NEVER = 1e9  # seconds: the child ends by itself


class Row(NamedTuple):
    """One row of the table in the documentation: a fault, and what came of it."""

    fault: str
    result: str
    wrong: list[str]

    def __str__(self) -> str:
        trouble = f"; WRONG {len(self.wrong)}: {self.wrong[0].strip()[-300:]}" if self.wrong else ""
        return f"| {self.fault} | {self.result}{trouble} |"


Stress = Callable[[Path, int | None], Iterator[Row]]  # (a folder, how many of each) → rows


class Ending(NamedTuple):
    """How a child process ended."""

    code: int
    stderr: str
    seconds: float  # from the signal to the end

    @property
    def is_one_line_refusal(self) -> bool:
        """Whether it ended with one line for the user, and without a traceback."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("qdigits: ")]
        return self.code in (1, 2) and len(lines) == 1 and "Traceback" not in self.stderr


def run_in_child(
    action: Callable[[], object],
    after: float = NEVER,
    number: int = signal.SIGKILL,
    once_there_is: Path | None = None,
) -> Ending:
    """Run an action in a forked process.

    Args:
        action: Its return value is the exit code; nothing is 0.
        after: Seconds after which the child gets a signal, if it still runs.
        number: The signal.
        once_there_is: A file whose appearance brings the signal earlier.
    """
    with tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            _act_as_child(action, stderr.fileno())
        deadline = time.monotonic() + after
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while time.monotonic() < deadline and os.waitid(os.P_PID, child, look) is None:
            if once_there_is is not None and once_there_is.exists():
                break
            time.sleep(0.002)
        signalled = time.monotonic()
        os.kill(child, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stderr.seek(0)
        text = stderr.read().decode(errors="replace")
        return Ending(code, text, time.monotonic() - signalled)


def _act_as_child(action: Callable[[], object], stderr: int) -> None:
    """Run the action with its own stderr and a shell's signal handlers, and leave the process."""
    os.setpgid(0, 0)
    os.dup2(stderr, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)  # pytest had put its own there
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    code = 70
    try:
        code = int(action() or 0)  # type: ignore[call-overload]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class Tally:
    """The outcomes of many attacks: how many, the worst, and every one that was wrong."""

    def __init__(self) -> None:
        """Begin with no outcome."""
        self.count = 0
        self.refused = 0
        self.seconds = 0.0
        self.megabytes = 0.0
        self.wrong: list[str] = []

    def add(
        self,
        attack: str,
        outcome: Outcome,
        error: type[Exception],
        is_right: Callable[[object], bool] = lambda value: False,
    ) -> None:
        """Count an outcome.

        Args:
            attack: What was tried.
            outcome: What came of it.
            error: The error that refuses such an attack, in one line.
            is_right: Whether a returned value is right; without it, nothing returned is.
        """
        value = outcome.value
        is_refused = isinstance(value, error) and len(str(value).splitlines()) == 1
        self.count += 1
        self.refused += is_refused
        self.seconds = max(self.seconds, outcome.seconds)
        self.megabytes = max(self.megabytes, outcome.megabytes)
        if not is_refused and (isinstance(value, Exception) or not is_right(value)):
            self.wrong.append(f"{attack}: {outcome}")

    def make_row(self, fault: str, note: str = "") -> Row:
        """Return the row of the table for everything that was counted."""
        right = self.count - self.refused
        worst = f"worst {self.seconds:.2f} s"
        if self.megabytes:
            worst += f", {self.megabytes:.0f} MB"
        result = f"{self.count:,}: {self.refused:,} refused, {right:,} right; {worst}{note}"
        return Row(fault, result, self.wrong)
