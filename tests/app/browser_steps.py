"""What the browser tests share: the looks of the page, and what people do on it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tools import draw_examples as shapes

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
LOOKS = [(DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)]
every_look = pytest.mark.parametrize(
    "look", LOOKS, ids=["desktop", "desktop dark", "phone", "phone dark"]
)
opposite_looks = pytest.mark.parametrize("look", LOOKS[::3], ids=["desktop", "phone dark"])
WAIT = 30_000  # milliseconds


def strokes(
    page, shape: str, left: float = 40, top: float = 25, height: float = 180
) -> Iterator[list[tuple]]:
    """A digit as the project writes it, in screen coordinates on the pad."""
    pad = page.get_by_role("img", name="Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for stroke in shapes.STROKES[shape]:
        points = shapes.smooth(
            np.array([pair.split(",") for pair in stroke.split()], float) / 100, 4
        )
        yield [(box["x"] + left + 0.6 * height * x, box["y"] + top + height * y) for x, y in points]


def draw_by_mouse(page, shape: str, **where: float) -> None:
    for line in strokes(page, shape, **where):
        page.mouse.move(*line[0])
        page.mouse.down()
        for point in line[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def draw_by_touch(page, shape: str, **where: float) -> None:
    finger = page.context.new_cdp_session(page)
    for line in strokes(page, shape, **where):
        for kind, point in [("touchStart", line[0]), *(("touchMove", point) for point in line[1:])]:
            finger.send(
                "Input.dispatchTouchEvent",
                {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}]},
            )
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def expect(page, digits: str) -> None:
    """The answer, large."""
    if len(digits) == 1:
        page.locator(f".answer:visible:text-is('{digits}')").wait_for()
    else:
        page.locator("code:visible", has_text=digits).first.wait_for()


def upload(page, name: str, data: bytes) -> None:
    page.get_by_role("tab", name="Photo").click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": data}
    )
    page.get_by_text("cannot be read").or_(
        page.get_by_alt_text(f"The picture {name}")
    ).first.wait_for()
    page.get_by_role("button", name="Predict").click()


def tap(page, target) -> None:
    """Tap once the page is at rest: while it is built anew, what lies under a finger may change."""
    target.wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    target.click()


def keep(page, total: int) -> None:
    tap(page, page.locator("button:visible", has_text="Keep for checking"))
    page.get_by_text(f"Waiting under Check: {total}").wait_for()
    tap(page, page.get_by_role("tab", name="Check"))


def say(page, number: int, digit: str) -> None:
    """Tap a tile of the grid and say what it really is."""
    tap(page, page.get_by_role("button", name=f"number {number}: "))
    page.get_by_text(f"Number {number} was read as").wait_for()
    choice = page.get_by_test_id("stButtonGroup").filter(visible=True)
    tap(page, choice.get_by_text(digit, exact=True))
