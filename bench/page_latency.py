"""The page under use: from the end of a stroke to the answer, ten visitors at once, and memory after 200 readings.

python -m bench.page_latency
"""

import asyncio
import base64
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import ClientConnection, connect

from tools import draw_examples as shapes

ROOT = Path(__file__).parent.parent
WARM, VISITORS, ROUNDS, READINGS, DIGITS = 30, 10, 10, 230, "3720"
# In the browser: from pointerup until the large answer is the one that is wanted, in milliseconds.
WATCH = """
  window.took = [];
  addEventListener('pointerup', e => {
    if (e.composedPath()[0].tagName === 'CANVAS') window.began = performance.now();
  }, true);
  (function look() {
    const said = document.querySelector('.answer')?.innerText;
    if (window.began && said === window.wanted) { took.push(performance.now() - began); window.began = 0; }
    requestAnimationFrame(look);
  })()"""


def draw(page: Page, digit: str) -> None:
    """All of a digit but the last lift of the pen."""
    box = page.get_by_role("img", name="Drawing pad").bounding_box()
    assert box
    page.evaluate(f"window.wanted = '{digit}'")
    points = np.array([pair.split(",") for pair in shapes.STROKES[digit][0].split()], float) / 100
    line = [(box["x"] + 60 + 110 * x, box["y"] + 30 + 180 * y) for x, y in shapes.smooth(points, 3)]
    page.mouse.move(*line[0])
    page.mouse.down()
    for point in line[1:]:
        page.mouse.move(*point)


def answered(page: Page, count: int) -> None:
    page.wait_for_function(f"window.took.length >= {count}", timeout=20_000)
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit").wait_for()


def drawn(digit: str, seed: int) -> str:
    """What the pad sends; each time another drawing, for the page remembers what it has read."""
    ink = np.zeros((302, 352), np.uint8)
    shapes.write(ink, digit, 100, 50, 180, 16, np.random.default_rng(seed))
    return (
        "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", ink)[1].tobytes()).decode()
    )


async def run(socket: ClientConnection, request: BackMsg) -> tuple[str, str, str]:
    """One rerun of the script: the pad's id, its fragment's, and all HTML."""
    await socket.send(request.SerializeToString())
    pad = fragment = html = ""
    while True:
        message = ForwardMsg.FromString(await socket.recv())
        element = message.delta.new_element
        if element.WhichOneof("type") == "bidi_component":
            pad, fragment = element.bidi_component.id, message.delta.fragment_id
        html += element.html.body
        if message.WhichOneof("type") == "script_finished":
            return pad, fragment, html


async def visitor(number: int, port: int, gate: asyncio.Barrier, times: list[float]) -> None:
    """A visitor without a browser: ten of those would be measured instead of the page."""
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with connect(
        address, origin=f"http://127.0.0.1:{port}", subprotocols=["streamlit"], max_size=None
    ) as socket:
        request = BackMsg()
        request.rerun_script.SetInParent()
        pad, fragment, _ = await run(socket, request)
        for turn in range(ROUNDS):
            digit = DIGITS[(number + turn) % 4]
            picture = drawn(digit, number * ROUNDS + turn)
            request = BackMsg()
            request.rerun_script.fragment_id = fragment
            request.rerun_script.widget_states.widgets.add(
                id=pad, json_value=json.dumps({"png": picture})
            )
            await gate.wait()
            began = time.perf_counter()
            _, _, html = await run(socket, request)
            times.append(time.perf_counter() - began)
            assert f">{digit}<" in html


async def together(port: int, times: list[float]) -> None:
    gate = asyncio.Barrier(VISITORS)
    await asyncio.gather(*(visitor(number, port, gate, times) for number in range(VISITORS)))


def told(what: str, figure: str, wanted: str) -> None:
    print(f"| {what} | {figure} | {wanted} |", flush=True)


def told_times(what: str, milliseconds: list[float], wanted: str) -> None:
    middle, high = np.percentile(milliseconds, [50, 95]) / 1000
    told(
        f"{what}, {len(milliseconds)} answers, all right",
        f"median {middle:.2f} s, p95 {high:.2f} s",
        wanted,
    )


@contextmanager
def served() -> Iterator[tuple[int, int]]:
    """The page on a free port, and the server's process."""
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
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, server.pid
    finally:
        server.terminate()


def main() -> None:
    told("what", "measured", "wanted")
    told("---", "---", "---")
    with served() as (port, process):
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = chromium.new_page()
            page.add_init_script(WATCH)
            page.goto(f"http://127.0.0.1:{port}/")
            page.get_by_role("img", name="Drawing pad").wait_for()
            serving = psutil.Process(process)
            for number in range(READINGS):
                if number == WARM:
                    before, spent = serving.memory_info().rss, sum(serving.cpu_times()[:2])
                draw(page, DIGITS[number % 4])
                page.mouse.up()
                answered(page, number + 1)
            stroke_to_answer = page.evaluate("window.took.slice(1)")
            told_times(
                "stroke to answer, one visitor", stroke_to_answer, "median 0.5 s, p95 1 s at most"
            )
            spent = (sum(serving.cpu_times()[:2]) - spent) / (READINGS - WARM)
            grown = (serving.memory_info().rss - before) / 2**20
            told(f"memory over {READINGS - WARM} readings", f"{grown:+.1f} MB", "below +30 MB")
            told("processor of the server for each of these", f"{spent:.3f} s", "")
        times: list[float] = []
        asyncio.run(together(port, times))
        told_times(
            f"{VISITORS} visitors in the same instant",
            [1000 * one for one in times],
            "p95 1 s at most",
        )


if __name__ == "__main__":
    main()
