"""Draw docs/preparation.png, one digit from photo to tile, and photograph the page.

Run by `make tables`.
"""

import shutil
from pathlib import Path

import matplotlib.pyplot as plt
from playwright.sync_api import sync_playwright

from bench.page_latency import draw_on_pad
from qdigits import load_model, read
from qdigits.app.explain import pipeline_steps
from qdigits.evaluation.plots import STYLE
from tools.page_server import serve_page

DOCS = Path(__file__).parent.parent / "docs"
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def preparation(example: str = "photo.jpg") -> None:
    model, photo = load_model("mnist_model.pth", "cpu"), DOCS.parent / "examples" / example
    shown = pipeline_steps(model, photo, read(model, photo).digits[0])
    with plt.rc_context(STYLE):
        figure, row = plt.subplots(
            1, len(shown), figsize=(2 * len(shown), 2.2), layout="constrained"
        )
        for axes, (title, picture) in zip(row, shown.items(), strict=True):
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axes.set_title(title, loc="center", weight="normal")
            axes.set_axis_off()
        figure.savefig(DOCS / "preparation.png")


def photographs() -> None:
    """Photograph a number read on a desktop, and a drawing on a phone in the dark."""
    with serve_page() as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        desktop = chromium.new_page(viewport={"width": 1280, "height": 1060}, color_scheme="light")
        desktop.goto(server.address)
        desktop.get_by_role("tab", name="Photo").click()
        desktop.get_by_text("a year").click()
        phone = chromium.new_page(**PHONE, color_scheme="dark")
        phone.goto(server.address)
        phone.get_by_role("img", name="Drawing pad").wait_for()
        draw_on_pad(phone, "7")
        phone.mouse.up()
        for page, name in ((desktop, "page.png"), (phone, "page-phone.png")):
            page.get_by_text("Keep for checking").filter(visible=True).wait_for()
            page.mouse.move(1, 1)
            page.wait_for_timeout(1500)  # for the chart to be drawn
            page.screenshot(path=DOCS / name)


if __name__ == "__main__":
    preparation()
    photographs()
