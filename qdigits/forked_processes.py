"""Processes that work side by side: copies of this one, which share its memory.

Threads share one lock of Python. Where the work is many small steps of Python, processes do twice
as much on two cores, and a copy starts in a few milliseconds with everything loaded.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from qdigits.errors import QDigitsError

PR_SET_PDEATHSIG = 1  # prctl: which signal a process gets when its parent ends

Work = Callable[[Any], Any]

_work: Work  # what a copy of this process does


@contextmanager
def fork_workers(count: int, work: Work) -> Iterator[Callable[[Any], Future]]:
    """Start copies of this process. Threads of this process are not in them.

    Args:
        count: How many.
        work: What they do with an item. It is copied as it is; items and results are pickled.

    Yields:
        A function that hands over an item and returns at once, as the submit of an executor does.

    Raises:
        QDigitsError: A copy was killed.
    """
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor  # 30 ms
    from multiprocessing import get_context

    try:
        with ProcessPoolExecutor(count, get_context("fork"), _start, (work,)) as pool:
            yield lambda item: pool.submit(_do, item)
    except BrokenProcessPool as error:
        raise QDigitsError(
            "a process that read pictures was killed, perhaps for want of memory; "
            "go on with --resume --jobs 1"
        ) from error


def _start(work: Work) -> None:
    global _work
    _work = work
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, too, and ends us


def _do(item: Any) -> Any:
    return _work(item)


def end_with_parent() -> None:
    """Have Linux end this process when its parent is killed: no process stays behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
