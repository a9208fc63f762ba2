"""Map a function over items in order, with several threads or forked processes.

Threads share the global interpreter lock. Where the work is many small steps of Python, processes
do more. A forked process starts in milliseconds with everything loaded, and shares memory.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

from qdigits.errors import QDigitsError

THREADS_AHEAD = 4  # items that each thread has, at work or waiting
PROCESSES_AHEAD = 2  # the same for each process
PR_SET_PDEATHSIG = 1  # prctl: which signal a process gets when its parent ends

Work = Callable[[Any], Any]


def map_in_threads(work: Work, items: Sequence[Any], count: int) -> Iterator[Any]:
    """Yield work(item) for each item, in order.

    Args:
        work: What threads do with each item.
        items: What there is to do.
        count: How many threads.
    """
    with ThreadPoolExecutor(count) as pool:
        waiting = (pool.submit(work, item) for item in items)
        in_work = deque(islice(waiting, THREADS_AHEAD * count))
        try:
            while in_work:
                result = in_work.popleft().result()
                in_work.extend(islice(waiting, 1))
                yield result
        finally:
            for future in in_work:
                future.cancel()


def map_in_processes(work: Work, items: Sequence[Any], count: int) -> Iterator[Any]:
    """Yield work(item) for each item, in order; forked processes do the work, on Linux.

    Threads are not forked, nor is what a GPU holds. The processes end with the generator.

    Args:
        work: What they do with each item. Only what it returns is pickled.
        items: What there is to do.
        count: How many processes.

    Raises:
        QDigitsError: A process was killed.
    """
    from multiprocessing import get_context  # 10 ms

    fork = get_context("fork")
    processes = []
    pipes = []
    try:
        with _interruptions_held():
            for _ in range(count):
                ours, theirs = fork.Pipe()
                process = fork.Process(target=_serve, args=(theirs, work, items, os.getpid()))
                process.daemon = True
                process.start()
                processes.append(process)
                theirs.close()  # so that ours ends with the process
                pipes.append(ours)
        yield from _collect(pipes, len(items))
    except (EOFError, ConnectionError) as error:
        raise QDigitsError(
            "a process that read pictures was killed, perhaps for want of memory; "
            "go on with --resume --jobs 1"
        ) from error
    finally:
        for process in processes:
            process.kill()
            process.join()


@contextmanager
def _interruptions_held() -> Iterator[None]:
    """Let Ctrl-C wait: Python loses one that comes within a fork."""
    if threading.current_thread() is not threading.main_thread():  # it hears of none
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        signal.raise_signal(signal.SIGINT)


def _collect(pipes: Sequence[Any], count: int) -> Iterator[Any]:
    """Hand out the numbers of the items, and yield what comes back in their order."""
    from multiprocessing.connection import wait

    left = iter(range(count))
    for pipe in [*pipes] * PROCESSES_AHEAD:
        for number in islice(left, 1):
            pipe.send(number)
    done: dict[int, Any] = {}
    for expected in range(count):
        while expected not in done:
            ready: list[Any] = wait(pipes)
            for pipe in ready:
                number, result, error = pipe.recv()
                if error:
                    raise error
                done[number] = result
                for following in islice(left, 1):
                    pipe.send(following)
        yield done.pop(expected)


def _serve(pipe: Any, work: Work, items: Sequence[Any], parent: int) -> None:
    """Do the items whose numbers come through a pipe, until the parent ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if os.getppid() != parent:  # it ended before this one could ask to end with it
        return
    while True:
        number = pipe.recv()
        try:
            pipe.send((number, work(items[number]), None))
        except Exception as error:
            pipe.send((number, None, error))


def end_with_parent() -> None:
    """Have Linux end this process when its parent is killed: no process stays behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
