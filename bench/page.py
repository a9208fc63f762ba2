"""The page under use: from the end of a stroke to the answer, ten visitors at once, and memory after 200 readings.

    python bench/page.py
"""

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
WARM, VISITORS, ROUNDS, READINGS = 30, 10, 5, 230
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

spec = importlib.util.spec_from_file_location("draw", ROOT / "examples" / "draw.py")
assert spec and spec.loader
shapes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shapes)


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


def told(what: str, milliseconds: list[float]) -> None:
    middle, high = np.percentile(milliseconds, [50, 95]) / 1000
    print(f"{what}: median {middle:.2f} s, p95 {high:.2f} s, {len(milliseconds)} answers")


def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.1)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            visitors = [chromium.new_context().new_page() for _ in range(VISITORS)]
            for page in visitors:
                page.add_init_script(WATCH)
            visitors[0].goto(f"http://127.0.0.1:{port}/")
            visitors[0].get_by_role("img", name="Drawing pad").wait_for()
            serving = psutil.Process(server.pid)
            for number in range(READINGS):
                if number == WARM:
                    before, spent = serving.memory_info().rss, sum(serving.cpu_times()[:2])
                draw(visitors[0], "3720"[number % 4])
                visitors[0].mouse.up()
                answered(visitors[0], number + 1)
            told("stroke to answer, one visitor", visitors[0].evaluate("window.took.slice(1)"))
            spent = (sum(serving.cpu_times()[:2]) - spent) / (READINGS - WARM)
            grown = (serving.memory_info().rss - before) / 2**20
            print(f"over {READINGS - WARM} readings: {spent:.3f} s of processor each, memory {grown:+.1f} MB")
            for page in visitors[1:]:
                page.goto(f"http://127.0.0.1:{port}/")
                page.get_by_role("img", name="Drawing pad").wait_for()
            visitors[0].evaluate("window.took = []")
            for number in range(ROUNDS):
                for visitor, page in enumerate(visitors):
                    draw(page, "3720"[(number + visitor) % 4])
                for page in visitors:
                    page.mouse.up()
                for page in visitors:
                    answered(page, number + 1)
            told(f"{VISITORS} at once", [one for page in visitors for one in page.evaluate("window.took")])
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
