"""The page as strangers meet it: every malicious model file, curl from outside, a browser. Rows for torture.py."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from tests.attacks import model_files, onnx_files, tried

ROOT = Path(__file__).parents[2]
SECRETS = "Traceback", "site-packages", str(ROOT), "root:x:", "qdigits/", '.py"', "object at 0x"


def told(page: Any, path: Path) -> str:
    """What the page says about a model file, if that is as it should be: one line, no path, no traceback."""
    page.text_input[0].set_value(str(path)).run()
    said = [error.value for error in page.error]
    assert not page.exception, page.exception
    assert (
        len(said) == 1 and said[0].startswith("This model cannot be used") and "\n" not in said[0]
    ), said
    assert str(path.parent) + "/" not in said[0].replace(f"{path}: no such model here", ""), said
    assert not any(secret in said[0] for secret in SECRETS), said
    return said[0]


def opened() -> Any:
    """The page without a browser."""
    from streamlit.testing.v1 import AppTest

    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def page_models(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    """Every malicious model file, its path typed into the page."""
    model_files.CANARY.unlink(missing_ok=True)
    wrong, slowest, most, count = [], 0.0, 0.0, 0
    with patch.dict(os.environ, QDIGITS_MODEL_ROOT=str(folder)):
        page, attacks = opened(), chain(model_files.files(folder), onnx_files.files(folder))
        told(page, folder / "nowhere.pth")
        for what, path in islice(attacks, 0, None, 350 // n if n else 1):
            if str(path) == ".":  # nothing typed: the bundled model
                continue
            outcome, count = tried(lambda path=path: told(page, path)), count + 1
            slowest, most = max(slowest, outcome.seconds), max(most, outcome.megabytes)
            if not isinstance(outcome.value, str):
                wrong.append(f"{what}: {outcome.value!r}")
    ran = f"payloads run: {model_files.CANARY.exists():d}"
    right = f"{count}: one line each, no path, no traceback; worst {slowest:.2f} s, {most:.0f} MB; {ran}"
    yield (
        "malicious model files, by the page",
        right + (f"; WRONG {len(wrong)}: {wrong[0]}" if wrong else ""),
    )


@contextlib.contextmanager
def served() -> Iterator[int]:
    """The page as `streamlit run app.py` serves it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.headless=true",
        f"--server.port={port}",
    ]
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def curl(*words: str) -> tuple[int, str]:
    """(curl's exit code, the status and all that came)."""
    run = subprocess.run(["curl", "-gsik", "--path-as-is", "-m", "20", *words], capture_output=True)
    return run.returncode, run.stdout.decode(errors="replace")


def page(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    wrong: list[str] = []

    def must(fine: object, what: str) -> None:
        if not fine:
            wrong.append(what)

    with served() as port:
        home = f"http://127.0.0.1:{port}"
        must(curl(home)[1].startswith("HTTP/1.1 200"), "not served")
        ours = {
            one.address
            for each in psutil.net_if_addrs().values()
            for one in each
            if one.family != psutil.AF_LINK
        }
        others = sorted(ours - {"127.0.0.1"})
        for address in others:
            code, came = curl(
                f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
            )
            must(code == 7 and not came, f"{address}: curl ended with {code}: {came[:80]}")
        listening = {
            c.laddr.ip
            for c in psutil.net_connections("tcp")
            if c.status == "LISTEN" and c.laddr.port == port
        }
        must(listening == {"127.0.0.1"}, f"listens on {listening}")
        for steal in (
            "../app.py",
            "../../../../etc/passwd",
            "static/..%2f..%2f..%2fetc/passwd",
            "media/../../app.py",
            "component/../../etc/passwd",
            "_stcore/../../../etc/passwd",
            "app/static/../../app.py",
            ".streamlit/config.toml",
            "bidi-components/../../../etc/passwd",
        ):
            came = curl(f"{home}/{steal}")[1]
            must(
                "import streamlit" not in came and not any(secret in came for secret in SECRETS),
                f"{steal}: {came}",
            )
        knock = [
            "-H",
            "Connection: Upgrade",
            "-H",
            "Upgrade: websocket",
            "-H",
            "Sec-WebSocket-Version: 13",
            "-H",
            "Sec-WebSocket-Key: c3RyYW5nZXIgc3RyYW5nZQ==",
        ]
        came = curl(f"{home}/_stcore/stream", *knock, "-H", "Origin: http://elsewhere.example")[1]
        must(came.startswith("HTTP/1.1 403"), f"another site's script may talk to it: {came[:80]}")
        asked = _browsed(home, folder, must)
    right = f"refused at {', '.join(others)}; {asked} by browser and curl; no path, no traceback"
    yield "page, from outside", right if not wrong else f"WRONG {len(wrong)}: {wrong[0][:500]}"


def _browsed(home: str, folder: Path, must: Any) -> str:
    """With a real browser: uploads and model paths."""
    from playwright.sync_api import sync_playwright

    (folder / "large.png").write_bytes(os.urandom(10 * 2**20 + 1))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand then nothing")
    shutil.copy(ROOT / "mnist_mlp.pth", folder / "outside.pth")
    uploads: list[Any] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        tab = chromium.new_page()
        tab.on("request", lambda request: "upload_file" in request.url and uploads.append(request))
        tab.goto(home)
        tab.get_by_role("img", name="Drawing pad").wait_for()
        said = set()
        paths = [
            folder / "outside.pth",
            folder / "nowhere.pth",
            Path("/etc/passwd"),
            Path("../outside.pth"),
            folder,
            Path("/proc/self/mem"),
            Path("/dev/zero"),
        ]
        for path in paths:
            field = tab.get_by_role("textbox", name="Model path")
            field.fill(str(path))
            field.press("Enter")
            error = tab.get_by_test_id("stAlert").filter(has_text=path.name).first
            error.wait_for()
            said.add(error.inner_text().replace(path.name, "NAME"))
        must(len(said) == 1, f"missing and forbidden differ: {said}")
        tab.get_by_role("tab", name="Photo").click()
        tab.locator("input[type=file]").set_input_files(folder / "broken.png")
        tab.get_by_text("broken.png cannot be read").wait_for()
        tab.locator("input[type=file]").set_input_files(folder / "large.png")
        tab.get_by_text("File must be 10.0MB or smaller").wait_for()
        words = tab.locator("body").inner_text() + tab.content()
        must(not any(secret in words for secret in SECRETS), "the page shows what is inside")
        small, headers = uploads[0], uploads[0].all_headers()
        same = [
            part
            for name in ("cookie", "x-xsrftoken", "origin")
            if name in headers
            for part in ("-H", f"{name}: {headers[name]}")
        ]
        for name, status in (("broken.png", "204"), ("large.png", "413")):
            came = curl(small.url, "-X", small.method, "-F", f"file=@{folder / name}", *same)[1]
            must(
                f" {status} " in came.splitlines()[-1] + came[:400], f"{name} by curl: {came[:200]}"
            )
        chromium.close()
    return f"{len(paths)} model paths, uploads over 10 MB refused"


ROWS = {row.__name__: row for row in (page_models, page)}
