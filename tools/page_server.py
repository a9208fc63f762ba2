"""Serve the page as `streamlit run app.py` does, for tests, benchmarks and screenshots."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LONGEST_START = 60  # seconds


class PageServer(NamedTuple):
    """Where a running page is to be found."""

    address: str
    port: int
    process_id: int


def find_free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until_healthy(server: subprocess.Popen, port: int) -> None:
    """Return as soon as the page answers.

    Raises:
        RuntimeError: The server ended, or did not answer within LONGEST_START.
    """
    health = f"http://127.0.0.1:{port}/_stcore/health"
    deadline = time.monotonic() + LONGEST_START
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(health, timeout=1).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the page did not start on port {port}")


@contextlib.contextmanager
def serve_page() -> Iterator[PageServer]:
    """Run the page on a free port, on one thread, until the block is left."""
    port = find_free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", "app.py"),
        *("--server.headless=true", f"--server.port={port}"),
    ]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(server, port)
        yield PageServer(f"http://127.0.0.1:{port}/", port, server.pid)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:  # on a busy machine
            server.kill()
            server.wait()
