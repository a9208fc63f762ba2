"""Install the wheel of a tree into a clean environment, and try what a newcomer tries there."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MEGABYTE = 10**6
STARTS = 5  # of the command; the quickest counts, as the others waited for the machine
LONGEST_WAIT = 120  # seconds
OPEN_PAGE = """
from pathlib import Path
import qdigits
from streamlit.testing.v1 import AppTest
package = Path(qdigits.__file__).parent
script = next(path for path in (package / "app.py", package / "app" / "page.py") if path.exists())
page = AppTest.from_file(str(script), default_timeout=120).run()
print(len(page.tabs), "tabs,", len(page.exception), "errors")
"""


class Row(NamedTuple):
    """One thing that was tried, and what came of it."""

    what: str
    result: str


class Environment:
    """A virtual environment with nothing in it but pip, far from the clone.

    Pip reads no settings of this machine, so it brings what it would bring to anybody.
    """

    def __init__(self, folder: Path) -> None:
        """Make it in an empty folder."""
        self.folder = folder
        self.bin = folder / "bin"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self.variables = kept | {"PIP_CONFIG_FILE": os.devnull}
        for setting in ("PIP_FIND_LINKS", "PIP_CONSTRAINT", "PIP_EXTRA_INDEX_URL"):
            self.variables.pop(setting, None)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        self.empty = self.megabytes()

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess:
        """Run a program of the environment, in it."""
        return subprocess.run(
            [self.bin / program, *words],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
        )

    def install(self, wheel: Path, extra: str = "") -> str:
        """Install a wheel; return how much is installed now, besides pip, and the time it took."""
        started = time.monotonic()
        requirement = f"qdigits[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
        done = self.run("pip", "install", "--quiet", "--no-cache-dir", requirement)
        if done.returncode:
            return f"pip failed: {done.stderr.strip().splitlines()[-1]}"
        installed = self.megabytes() - self.empty
        return f"{installed:,.0f} MB, {time.monotonic() - started:.0f} s"

    def megabytes(self) -> float:
        """Return how much the environment holds."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sum(path.lstat().st_size for path in files if not path.is_symlink()) / MEGABYTE

    def measure_reading(self, picture: Path) -> str:
        """Read a picture with the command; return the answer and the processor time it took."""
        shutil.copy(picture, self.folder)
        seconds = []
        for _ in range(STARTS):
            before = os.times()
            done = self.run("qdigits", "read", picture.name)
            after = os.times()
            busy = after.children_user + after.children_system
            seconds.append(busy - before.children_user - before.children_system)
        answer = (done.stdout or done.stderr).strip().splitlines()[-1].replace("\t", " ")
        return f"{answer} after {min(seconds):.2f} s"

    def open_page(self) -> str:
        """Start the page as a newcomer does, run its script, and end it."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [self.bin / "qdigits", "app", "--port", str(port)],
            cwd=self.folder,
            env=self.variables | {"STREAMLIT_SERVER_HEADLESS": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            serves = is_served(port)
        finally:
            server.terminate()
            server.wait()
        ends = "ends" if not is_open(port) else "stays"
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # a server that stayed
        script = self.run("python", "-c", OPEN_PAGE)
        shown = (script.stdout or script.stderr).strip().splitlines()[-1]
        if not serves:
            return f"no answer within {LONGEST_WAIT} s; {shown}"
        return f"served; {shown}; its server {ends} with the command"


def is_served(port: int) -> bool:
    """Wait until Streamlit answers on a port of this machine."""
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def is_open(port: int) -> bool:
    """Say whether somebody listens on a port of this machine."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def build_wheel(tree: Path, folder: Path) -> Path:
    """Build the wheel of a tree as pip does, with the tools that the tree names."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*command, "--wheel-dir", folder, tree], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def count_dead_pictures(environment: Environment) -> int:
    """Count the links and pictures of the README that lead to no address."""
    (metadata,) = environment.folder.glob("lib/*/site-packages/qdigits-*.dist-info/METADATA")
    return len(re.findall(r"\]\((?!https?://|#)", metadata.read_text()))


def try_installation(tree: Path, folder: Path) -> Iterator[Row]:
    """Build the wheel of a tree, install it for reading and then for the page, and use both.

    Args:
        tree: A copy of the repository.
        folder: An empty folder.
    """
    wheel = build_wheel(tree, folder / "wheel")
    environment = Environment(folder / "environment")
    yield Row("`pip install qdigits`: size, time on the clock", environment.install(wheel))
    answer = environment.measure_reading(tree / "examples" / "seven.png")
    yield Row("`qdigits read seven.png` there: processor time, quickest of 5", answer)
    yield Row(
        "then `pip install qdigits[app]`: size in all, time on the clock",
        environment.install(wheel, "app"),
    )
    yield Row("`qdigits app` there, ended by SIGTERM", environment.open_page())
    yield Row("size of the wheel", f"{wheel.stat().st_size / MEGABYTE:.1f} MB")
    dead = count_dead_pictures(environment)
    yield Row("links and pictures of its README that lead nowhere", str(dead))
