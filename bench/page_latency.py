"""Measure the page in use: stroke to answer, a class of visitors at once, memory over 500 readings.

python -m bench.page_latency
"""

import asyncio
import base64
import itertools
import json
import os
import shutil
import time
from typing import NamedTuple

import cv2
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import ClientConnection, connect

from bench.support import name_processor
from tools import draw_examples
from tools.page_server import PageServer, serve_page

STROKES = 100  # answers timed in a browser
WARM_UP = 30  # readings before memory and processor are looked at
READINGS = 500  # readings over which memory has to stay flat
CLASSES = (10, 30)  # visitors at once
ROUNDS = 10  # digits that each of them draws
DIGITS = "3720"
SEEDS = itertools.count()  # no drawing comes twice: the page keeps its answers
# In the browser: milliseconds from pointerup until the large answer is the one that is wanted.
WATCH = """
  window.took = [];
  addEventListener('pointerup', event => {
    if (event.composedPath()[0].tagName === 'CANVAS') window.began = performance.now();
  }, true);
  (function look() {
    const answer = document.querySelector('.answer')?.innerText;
    if (window.began && answer === window.wanted) {
      took.push(performance.now() - began);
      window.began = 0;
    }
    requestAnimationFrame(look);
  })()"""


class Rerun(NamedTuple):
    """What one rerun of the page's script sent."""

    pad_id: str
    fragment_id: str
    html: str


class Answer(NamedTuple):
    """One answer of the page."""

    seconds: float
    is_right: bool


class Usage(NamedTuple):
    """What the server has used so far."""

    megabytes: float
    processor_seconds: float


def draw_on_pad(page: Page, digit: str) -> None:
    """Draw a digit with the mouse, all but the last lift of the pen."""
    box = page.get_by_role("img", name="Drawing pad").bounding_box()
    assert box
    page.evaluate(f"window.wanted = '{digit}'")
    stroke = draw_examples.STROKES[digit][0]
    points = np.array([pair.split(",") for pair in stroke.split()], float) / 100
    path = [
        (box["x"] + 60 + 110 * x, box["y"] + 30 + 180 * y)
        for x, y in draw_examples.smooth(points, 3)
    ]
    page.mouse.move(*path[0])
    page.mouse.down()
    for point in path[1:]:
        page.mouse.move(*point)


def wait_for_answer(page: Page, count: int) -> None:
    """Wait until so many answers have been timed, and clear the pad."""
    page.wait_for_function(f"window.took.length >= {count}", timeout=60_000)
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit").wait_for()


def encode_drawing(digit: str, seed: int) -> str:
    """Return what the pad sends; another drawing for each seed."""
    ink = np.zeros((302, 352), np.uint8)
    draw_examples.write(ink, digit, 100, 50, 180, 16, np.random.default_rng(seed))
    png = cv2.imencode(".png", ink)[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode()


async def rerun_script(socket: ClientConnection, request: BackMsg) -> Rerun:
    """Let the page's script run once, and collect what it sends."""
    await socket.send(request.SerializeToString())
    pad_id = ""
    fragment_id = ""
    html = ""
    while True:
        message = ForwardMsg.FromString(await socket.recv())
        element = message.delta.new_element
        if "digit_pad" in element.bidi_component.component_name:
            pad_id = element.bidi_component.id
            fragment_id = message.delta.fragment_id
        html += element.html.body
        if message.WhichOneof("type") == "script_finished":
            return Rerun(pad_id, fragment_id, html)


async def visit(
    number: int, server: PageServer, rounds: int, gate: asyncio.Barrier
) -> list[Answer]:
    """Draw digits at the same instants as the other visitors, and return the answers.

    It speaks the page's protocol: thirty browsers would be measured instead of the page.

    Args:
        number: Which visitor this is.
        server: The page.
        rounds: How many digits to draw.
        gate: Where the visitors wait for each other.
    """
    answers = []
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    origin = server.address.rstrip("/")
    async with connect(address, origin=origin, subprotocols=["streamlit"], max_size=None) as socket:
        request = BackMsg()
        request.rerun_script.SetInParent()
        page = await rerun_script(socket, request)
        for turn in range(rounds):
            digit = DIGITS[(number + turn) % len(DIGITS)]
            drawing = encode_drawing(digit, next(SEEDS))
            request = BackMsg()
            request.rerun_script.fragment_id = page.fragment_id
            value = json.dumps({"png": drawing})
            request.rerun_script.widget_states.widgets.add(id=page.pad_id, json_value=value)
            await gate.wait()
            began = time.perf_counter()
            shown = await rerun_script(socket, request)
            seconds = time.perf_counter() - began
            answers.append(Answer(seconds, f">{digit}<" in shown.html))
    return answers


async def visit_together(server: PageServer, visitors: int, rounds: int) -> list[Answer]:
    """Return all answers to some visitors at once."""
    gate = asyncio.Barrier(visitors)
    visits = [visit(number, server, rounds, gate) for number in range(visitors)]
    return [answer for one in await asyncio.gather(*visits) for answer in one]


def measure_usage(server: PageServer) -> Usage:
    """Return the memory of the server now, and the processor time it has taken so far."""
    process = psutil.Process(server.process_id)
    times = process.cpu_times()
    return Usage(process.memory_info().rss / 2**20, times.user + times.system)


def holds_torch(server: PageServer) -> bool:
    """Whether the server has loaded PyTorch, as Linux tells it."""
    libraries = psutil.Process(server.process_id).memory_maps()
    return any("libtorch" in library.path for library in libraries)


def print_row(measure: str, figure: str, wanted: str) -> None:
    """Print one row of the table."""
    print(f"| {measure} | {figure} | {wanted} |", flush=True)


def print_times(measure: str, answers: list[Answer], wanted: str) -> None:
    """Print the median and the 95th percentile."""
    middle, high = np.percentile([answer.seconds for answer in answers], [50, 95])
    right = sum(answer.is_right for answer in answers)
    figure = f"median {middle:.2f} s, p95 {high:.2f} s"
    print_row(f"{measure}, {right} of {len(answers)} answers right", figure, wanted)


def measure_one_visitor(server: PageServer) -> None:
    """Draw STROKES digits in a browser, and print how long their answers take."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.add_init_script(WATCH)
        page.goto(server.address)
        page.get_by_role("img", name="Drawing pad").wait_for()
        for number in range(STROKES):
            draw_on_pad(page, DIGITS[number % len(DIGITS)])
            page.mouse.up()
            wait_for_answer(page, number + 1)
        took = page.evaluate("window.took.slice(1)")  # until the right answer stands there
        answers = [Answer(milliseconds / 1000, True) for milliseconds in took]
        chromium.close()
    print_times("stroke to answer, one visitor", answers, "median below 0.3 s")


def measure_memory(server: PageServer) -> None:
    """Read READINGS drawings, and print memory and processor."""
    asyncio.run(visit_together(server, 1, WARM_UP))
    before = measure_usage(server)
    asyncio.run(visit_together(server, 1, READINGS))
    after = measure_usage(server)
    grown = after.megabytes - before.megabytes
    each = (after.processor_seconds - before.processor_seconds) / READINGS
    print_row(f"memory over {READINGS} readings", f"{grown:+.1f} MB", "flat: below +30 MB")
    torch = "with PyTorch" if holds_torch(server) else "without PyTorch"
    print_row(f"memory of the page's process, {torch}", f"{after.megabytes:.0f} MB", "below 400 MB")
    print_row("processor of the server for each reading", f"{each:.3f} s", "")


def main() -> None:
    """Measure the page, and print the table with the machine's load."""
    load, _, _ = os.getloadavg()
    print(f"{os.cpu_count()} cores, load {load:.1f} before, {name_processor()}\n")
    print_row("measure", "measured", "wanted")
    print_row("---", "---", "---")
    with serve_page() as server:
        measure_one_visitor(server)
        measure_memory(server)
        for visitors in CLASSES:
            together = asyncio.run(visit_together(server, visitors, ROUNDS))
            measure = f"{visitors} visitors in the same instant"
            print_times(measure, together, "p95 below 1.5 s")


if __name__ == "__main__":
    main()
