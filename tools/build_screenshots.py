"""Draw the pictures of the documentation: everything on them is the project's own.

Run by `make tables`. docs/overview.jpg is a page of numbers and what was read, with the page on a
phone; docs/preparation.png is one digit on its way from photo to tile.
"""

import io
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, sync_playwright

from bench.page_latency import draw_on_pad
from qdigits import load_model, read
from qdigits.app.explain import pipeline_steps
from qdigits.app.formatting import percent
from qdigits.evaluation.plots import STYLE
from qdigits.imaging.annotate import annotate
from qdigits.reading.result import Reading
from tools.page_server import serve_page

DOCS = Path(__file__).parent.parent / "docs"
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}

OVERVIEW = (2400, 800)  # pixels; shown at half the size
MARGIN = 30
PATIENCE = 120_000  # milliseconds, on a busy machine
GROUND, INK, PALE = "#eef2f0", "#14312d", "#5c726e"


def load_font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font that comes with matplotlib, in pixels."""
    weight = "bold" if bold else "normal"
    return ImageFont.truetype(font_manager.findfont(f"DejaVu Sans:weight={weight}"), size)


def write_numbers(pen: ImageDraw.ImageDraw, reading: Reading, left: int, width: int) -> None:
    """Write the numbers of a page as a table, the confidence of each below it."""
    rows = reading.table()
    confidences = {(n.row, n.column): n.confidence for n in reading.numbers}
    height = (OVERVIEW[1] - 2 * MARGIN) // max(len(rows), 1)
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            corner = (left + column * width // len(texts), MARGIN + row * height + height // 5)
            pen.text(corner, text, fill=INK, font=load_font(64, bold=True))
            below = (corner[0], corner[1] + 78)
            if text:
                sure = f"{percent(confidences[row, column])} sure"
                pen.text(below, sure, fill=PALE, font=load_font(26))


def draw_overview(example: str = "page.jpg") -> None:
    """Draw the wide picture of the README: a page that was read, and the page on two phones."""
    photo = DOCS.parent / "examples" / example
    reading = read(load_model("mnist_model.pth", "cpu"), photo)
    picture = Image.new("RGB", OVERVIEW, GROUND)
    sheet = annotate(photo, reading)
    sheet.thumbnail((OVERVIEW[0], OVERVIEW[1] - 2 * MARGIN))
    picture.paste(sheet, (MARGIN, MARGIN))
    right = OVERVIEW[0]
    for phone in photograph_phones():
        phone.thumbnail((OVERVIEW[0], OVERVIEW[1] - 2 * MARGIN))
        right -= phone.width + MARGIN
        picture.paste(phone, (right, MARGIN))
    left = sheet.width + 4 * MARGIN
    write_numbers(ImageDraw.Draw(picture), reading, left, right - left - MARGIN)
    picture.save(DOCS / "overview.jpg", quality=88)


def draw_preparation(example: str = "photo.jpg") -> None:
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


def photograph_phones() -> list[Image.Image]:
    """Return the page on two phones: a drawing in the dark, and an example in the light."""
    with serve_page() as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        dark = chromium.new_page(**PHONE, color_scheme="dark")
        dark.set_default_timeout(PATIENCE)
        dark.goto(server.address)
        dark.get_by_role("img", name="Drawing pad").wait_for()
        draw_on_pad(dark, "7")
        dark.mouse.up()
        light = chromium.new_page(**PHONE, color_scheme="light")
        light.set_default_timeout(PATIENCE)
        light.goto(server.address)
        light.get_by_role("tab", name="Photo").click()
        light.get_by_text("a year").click()
        return [photograph(dark), photograph(light)]


def photograph(page: Page) -> Image.Image:
    """Return a photograph of a page that has answered."""
    page.get_by_text("Keep for checking").filter(visible=True).wait_for()
    page.mouse.move(1, 1)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(2000)  # for the chart to be drawn
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    draw_preparation()
    draw_overview()
