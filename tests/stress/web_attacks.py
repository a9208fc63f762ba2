"""The page as strangers meet it: every malicious model file, curl from outside, a browser."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from tests.attacks import model_files, onnx_files, tried
from tests.stress.support import ROOT, Row
from tools.page_server import PageServer, serve_page

SECRETS = (
    "Traceback",
    "site-packages",
    str(ROOT),
    "root:x:",
    "qdigits/",
    '.py"',
    "object at 0x",
)
MODEL_FILES = 350  # about so many are tried in full
STOLEN_PATHS = (
    "../app.py",
    "../../../../etc/passwd",
    "static/..%2f..%2f..%2fetc/passwd",
    "media/../../app.py",
    "component/../../etc/passwd",
    "_stcore/../../../etc/passwd",
    "app/static/../../app.py",
    ".streamlit/config.toml",
    "bidi-components/../../../etc/passwd",
)
WEBSOCKET_HEADERS = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: c3RyYW5nZXIgc3RyYW5nZQ==",
    "Origin: http://elsewhere.example",
)


def shows_secrets(text: str) -> bool:
    """Return whether a text tells a stranger about the inside of the program or the machine."""
    return any(secret in text for secret in SECRETS)


def type_model_path(page: Any, path: Path) -> str:
    """Type a path into the page and return its error: one line, no folder, no traceback.

    Raises:
        AssertionError: The page says anything else.
    """
    page.text_input[0].set_value(str(path)).run()
    errors = [error.value for error in page.error]
    assert not page.exception, page.exception
    assert len(errors) == 1, errors
    message = errors[0]
    assert message.startswith("This model cannot be used"), message
    assert "\n" not in message, message
    shown = message.replace(f"{path}: no such model here", "")
    assert str(path.parent) + "/" not in shown, message
    assert not shows_secrets(message), message
    return message


def open_page() -> Any:
    """Return the page without a browser."""
    from streamlit.testing.v1 import AppTest

    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def page_models(folder: Path, count: int | None) -> Iterator[Row]:
    """Type the path of every malicious model file into the page."""
    model_files.CANARY.unlink(missing_ok=True)
    wrong: list[str] = []
    slowest = 0.0
    megabytes = 0.0
    tries = 0
    step = MODEL_FILES // count if count else 1
    with patch.dict(os.environ, QDIGITS_MODEL_ROOT=str(folder)):
        page = open_page()
        type_model_path(page, folder / "nowhere.pth")
        attacks = chain(model_files.files(folder), onnx_files.files(folder))
        for attack, path in islice(attacks, 0, None, step):
            if str(path) == ".":  # nothing typed: the bundled model
                continue
            outcome = tried(lambda path=path: type_model_path(page, path))
            tries += 1
            slowest = max(slowest, outcome.seconds)
            megabytes = max(megabytes, outcome.megabytes)
            if not isinstance(outcome.value, str):
                wrong.append(f"{attack}: {outcome.value!r}")
    if model_files.CANARY.exists():
        wrong.append("a payload ran")
    result = f"{tries}: one line each, no path, no traceback, no payload run; "
    result += f"worst {slowest:.2f} s, {megabytes:.0f} MB"
    yield Row("malicious model files, by the page", result, wrong)


def curl(*words: str) -> tuple[int, str]:
    """Return curl's exit code, and the status, headers and body that came."""
    command = ["curl", "-gsik", "--path-as-is", "-m", "20", *words]
    run = subprocess.run(command, capture_output=True)
    return run.returncode, run.stdout.decode(errors="replace")


class Stranger:
    """Visits a running page from outside and notes whatever it should not have allowed."""

    def __init__(self, server: PageServer, folder: Path) -> None:
        """Remember where the page is, and a folder for the files that will be uploaded."""
        self.server = server
        self.folder = folder
        self.wrong: list[str] = []

    def expect(self, is_right: object, trouble: str) -> None:
        """Note a trouble unless something is as it should be."""
        if not is_right:
            self.wrong.append(trouble[:500])

    def list_other_addresses(self) -> list[str]:
        """Return the addresses of this machine but 127.0.0.1."""
        interfaces = chain.from_iterable(psutil.net_if_addrs().values())
        addresses = {one.address for one in interfaces if one.family != psutil.AF_LINK}
        return sorted(addresses - {"127.0.0.1"})

    def try_other_addresses(self) -> None:
        """Ask at every address of the machine: only 127.0.0.1 answers."""
        port = self.server.port
        self.expect(curl(self.server.address)[1].startswith("HTTP/1.1 200"), "not served")
        for address in self.list_other_addresses():
            host = f"[{address}]" if ":" in address else address
            code, answer = curl(f"http://{host}:{port}/")
            self.expect(code == 7 and not answer, f"{address}: curl ended with {code}: {answer}")
        listening = {
            connection.laddr.ip
            for connection in psutil.net_connections("tcp")
            if connection.status == "LISTEN" and connection.laddr.port == port
        }
        self.expect(listening == {"127.0.0.1"}, f"listens on {listening}")

    def try_to_steal_files(self) -> None:
        """Ask for files that lie beside the page."""
        for path in STOLEN_PATHS:
            answer = curl(self.server.address + path)[1]
            is_kept = "import streamlit" not in answer and not shows_secrets(answer)
            self.expect(is_kept, f"{path}: {answer}")

    def try_another_origin(self) -> None:
        """Talk to the page as a script of another site would."""
        headers = [word for header in WEBSOCKET_HEADERS for word in ("-H", header)]
        answer = curl(self.server.address + "_stcore/stream", *headers)[1]
        self.expect(answer.startswith("HTTP/1.1 403"), f"another site's script may talk: {answer}")

    def try_model_paths(self, tab: Any) -> int:
        """Type paths outside the allowed folder: all are refused in the same words."""
        shutil.copy(ROOT / "mnist_model.pth", self.folder / "outside.pth")
        paths = [
            *(self.folder / "outside.pth", self.folder / "nowhere.pth", self.folder),
            *map(Path, ("/etc/passwd", "../outside.pth", "/proc/self/mem", "/dev/zero")),
        ]
        answers = set()
        for path in paths:
            field = tab.get_by_role("textbox", name="Model path")
            field.fill(str(path))
            field.press("Enter")
            error = tab.get_by_test_id("stAlert").filter(has_text=path.name).first
            error.wait_for()
            answers.add(error.inner_text().replace(path.name, "NAME"))
        self.expect(len(answers) == 1, f"missing and forbidden differ: {answers}")
        return len(paths)

    def try_uploads(self, tab: Any) -> None:
        """Upload what is broken and what is too large, in the browser and around it."""
        (self.folder / "large.png").write_bytes(os.urandom(30 * 2**20 + 1))
        (self.folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand then nothing")
        uploads: list[Any] = []

        def keep_upload(request: Any) -> None:
            if "upload_file" in request.url:
                uploads.append(request)

        tab.on("request", keep_upload)
        tab.get_by_role("tab", name="Photo").click()
        chooser = tab.locator("input[type=file]").first
        chooser.set_input_files(self.folder / "broken.png")
        tab.get_by_text("broken.png cannot be read").wait_for()
        chooser.set_input_files(self.folder / "large.png")
        tab.get_by_text("File must be 30.0MB or smaller").wait_for()
        words = tab.locator("body").inner_text() + tab.content()
        self.expect(not shows_secrets(words), "the page shows what is inside")
        self.repeat_upload(uploads[0])

    def repeat_upload(self, upload: Any) -> None:
        """Send the same upload by curl, with a small and with a large file."""
        headers = upload.all_headers()
        kept = [name for name in ("cookie", "x-xsrftoken", "origin") if name in headers]
        same = [word for name in kept for word in ("-H", f"{name}: {headers[name]}")]
        for name, status in (("broken.png", "204"), ("large.png", "413")):
            form = f"file=@{self.folder / name}"
            answer = curl(upload.url, "-X", upload.method, "-F", form, *same)[1]
            shown = answer[:400] + answer.splitlines()[-1]
            self.expect(f" {status} " in shown, f"{name} by curl: {answer[:200]}")

    def browse(self) -> int:
        """Visit with a real browser, and return the number of model paths tried."""
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright, contextlib.ExitStack() as stack:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            stack.callback(chromium.close)
            tab = chromium.new_page()
            tab.goto(self.server.address)
            tab.get_by_role("img", name="Drawing pad").wait_for()
            tried_paths = self.try_model_paths(tab)
            self.try_uploads(tab)
        return tried_paths


def page(folder: Path, count: int | None) -> Iterator[Row]:
    """Visit the page from outside: other addresses, other files, other origins, uploads."""
    with serve_page() as server:
        stranger = Stranger(server, folder)
        stranger.try_other_addresses()
        stranger.try_to_steal_files()
        stranger.try_another_origin()
        paths = stranger.browse()
    refused = ", ".join(stranger.list_other_addresses())
    result = (
        f"refused at {refused}; {paths} model paths outside the folder in the same words; "
        "uploads over 30 MB refused by browser and curl; no path, no traceback"
    )
    yield Row("page, from outside", result, stranger.wrong)


STRESS = (page_models, page)
