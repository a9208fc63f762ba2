"""The page as people meet it: a real Chromium, mouse and finger, desktop and phone."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qdigits.app import labelled_zip
from tools import draw_examples as shapes
from tools.page_server import find_free_port, serve_page, wait_until_healthy

sync = pytest.importorskip(
    "playwright.sync_api", reason="browser tests need playwright: pip install 'qdigits[dev]'"
)
BROWSERS = "chromium-headless-shell", "chromium", "chromium-browser"  # the first needs least time
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
if not CHROMIUM:
    pytest.skip("browser tests need chromium: apt-get install chromium", allow_module_level=True)

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
LOOKS = [(DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)]
every_look = pytest.mark.parametrize(
    "look", LOOKS, ids=["desktop", "desktop dark", "phone", "phone dark"]
)
opposite_looks = pytest.mark.parametrize("look", LOOKS[::3], ids=["desktop", "phone dark"])
WAIT = 30_000  # milliseconds


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page as `streamlit run app.py` serves it, with nothing but the port changed."""
    with serve_page() as server:
        yield server.address


@pytest.fixture(scope="module")
def class_address() -> Iterator[str]:
    """The page as `qdigits app --host` opens it to a class, at the address that it prints."""
    command = [sys.executable, "-m", "qdigits", "app", "--host", f"--port={find_free_port()}"]
    environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true", "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert server.stdout
    try:
        printed = (line.strip() for line in server.stdout)
        address = next(line for line in printed if line.startswith("http://"))
        if address.startswith("http://127.0.0.1"):
            pytest.skip("this machine has no second address")
        wait_until_healthy(server, int(address.rpartition(":")[2]))
        yield f"{address}/"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium, with a camera before which year.jpg lies."""
    film = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    Image.open(EXAMPLES / "year.jpg").resize((640, 360)).save(film, "JPEG")
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    film_in_it = f"--use-file-for-fake-video-capture={film}"
    with sync.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, *camera, film_in_it]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(address, browser):
    """Open the page; afterwards nothing may have gone wrong, or to another host."""
    visits = []

    def go(size=DESKTOP, dark=False, at=address):
        phone = size is PHONE
        context = browser.new_context(
            viewport=size,
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            reduced_motion="reduce",
        )
        page, wrong = context.new_page(), []
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        at_home = (at, "data:", "blob:")
        page.on(
            "request", lambda request: request.url.startswith(at_home) or wrong.append(request.url)
        )
        page.set_default_timeout(WAIT)
        page.goto(at)
        page.get_by_role("img", name="Drawing pad").wait_for()
        page.locator(
            "[data-test-script-state=notRunning]"
        ).wait_for()  # until then the pad may still move
        visits.append((context, page, wrong))
        return page

    yield go
    for context, page, wrong in visits:
        words = page.locator("body").inner_text()
        assert not wrong
        assert "Traceback" not in words and str(ROOT) not in words and "site-packages" not in words
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            "it scrolls sideways"
        )
        assert page.locator("img:not([alt]), img[alt='']").count() == 0, "a picture without words"
        context.close()


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


@every_look
def test_draw_a_seven(visit, look):
    page = visit(*look)
    (draw_by_touch if PHONE in look else draw_by_mouse)(page, "7")
    expect(page, "7")
    page.get_by_text("How did it get there?").click()
    for step in ("Found here", "The tile it saw", "What decided", "MNIST's nearest 7"):
        page.get_by_alt_text(step).wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit").wait_for()


def test_several_digits_undo_and_keys(visit):
    page = visit()
    draw_by_mouse(page, "1", left=10)
    draw_by_mouse(page, "7", left=150)
    expect(page, "17")
    page.get_by_role("tab", name="Photo").click()
    page.get_by_role("tab", name="Draw").click()
    expect(page, "17")
    page.get_by_role("button", name="Undo").click()
    expect(page, "1")
    page.get_by_role("img", name="Drawing pad").press("Escape")
    page.get_by_text("Draw a digit").wait_for()


@opposite_looks
def test_upload_a_tile_a_sideways_photo_a_page_and_a_broken_file(visit, look):
    page = visit(*look)
    upload(page, "seven.png", (EXAMPLES / "seven.png").read_bytes())
    expect(page, "7")
    page.get_by_role("button", name="Remove seven.png").click()

    sideways, file = (
        Image.open(EXAMPLES / "year.jpg").transpose(Image.Transpose.ROTATE_90),
        io.BytesIO(),
    )
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it
    sideways.save(file, "JPEG", exif=exif)
    upload(page, "year.jpg", file.getvalue())
    expect(page, "2026")
    page.get_by_role("button", name="Remove year.jpg").click()

    upload(page, "page.jpg", (EXAMPLES / "page.jpg").read_bytes())
    expect(page, "979")
    page.get_by_role("button", name="Remove page.jpg").click()

    upload(page, "broken.png", b"\x89PNG\r\n\x1a\nand then nothing")
    page.get_by_text("broken.png cannot be read").wait_for()
    page.get_by_text("no digit", exact=True).first.click()
    page.get_by_text("This does not look like a digit").wait_for()


def test_a_folder_dropped_is_read_file_by_file(visit, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for number, name in enumerate(["photo.jpg", "year.jpg", "page.jpg", "star.jpg"] * 5):
        shutil.copy(EXAMPLES / name, scans / f"scan {number:02}.jpg")
    page = visit()
    page.get_by_role("tab", name="Photo").click()
    box = page.get_by_test_id("stFileUploaderDropzone").first.bounding_box()
    hand = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        what = {"items": [], "files": [str(scans)], "dragOperationsMask": 1}
        hand.send(
            "Input.dispatchDragEvent",
            {"type": kind, "x": box["x"] + 300, "y": box["y"] + 20, "data": what},
        )
    page.get_by_alt_text("The picture scan 00.jpg").wait_for()
    page.get_by_test_id("stFileUploader").get_by_role("progressbar").first.wait_for(state="hidden")
    page.get_by_role("button", name="Predict").click()
    with page.expect_download() as table:
        page.get_by_role("button", name="Readings (CSV)").click()
    rows = list(csv.reader(table.value.path().read_text().splitlines(True)))
    assert (
        len(rows) == 1 + 20
        and rows[2][:2] == ["scan 01.jpg", "2026"]
        and rows[4][:2] == ["scan 03.jpg", "no digit"]
    )


@opposite_looks
def test_take_a_photograph(visit, look):
    page = visit(*look)
    page.get_by_role("tab", name="Photo").click()
    page.get_by_text("Use the camera").click()
    page.wait_for_function(
        "document.querySelector('video')?.currentTime > 0"
    )  # until then it would be black
    page.get_by_role("button", name="Take Photo").click()
    expect(page, "2026")
    page.get_by_role("tab", name="Draw").click()
    page.get_by_role("tab", name="Photo").click()
    expect(page, "2026")


def test_a_wrong_model_path_and_back(visit):
    page = visit()
    draw_by_mouse(page, "7")
    expect(page, "7")
    page.get_by_text("Model: Best").click()
    path = page.get_by_role("textbox", name="Or a model file in this folder")
    path.fill("../elsewhere.pth")
    path.press("Enter")
    page.get_by_text("This model cannot be used").wait_for()
    pixels = "pad => pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data"
    ink = f"pad => ({pixels})(pad).filter((value, i) => i % 4 == 0 && value == 255).length"
    assert page.get_by_role("img", name="Drawing pad").evaluate(ink) > 1000
    page.get_by_text("Small", exact=True).click()
    page.get_by_text("This model cannot be used").wait_for(state="hidden")
    page.get_by_text("Model: Small").wait_for()
    expect(page, "7")


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


def confirm_the_rest(page) -> None:
    tap(page, page.get_by_role("button", name="The unchecked ones are right"))


@opposite_looks
def test_check_reload_teach_and_use(visit, look):
    page = visit(*look)
    tap(page, page.get_by_role("tab", name="Photo"))
    tap(page, page.get_by_text("a page"))
    expect(page, "979")
    keep(page, 20)
    page.get_by_text("20 unchecked, 0 right, 0 wrong").wait_for()
    say(page, 1, "9")
    page.get_by_text("19 unchecked, 0 right, 1 wrong").wait_for()
    say(page, 2, "none")
    page.get_by_text("18 unchecked, 0 right, 1 wrong, 1 no digit").wait_for()
    confirm_the_rest(page)
    page.get_by_text("0 unchecked, 18 right, 1 wrong, 1 no digit").wait_for()
    page.get_by_text("19 of 20 digits checked").wait_for()
    page.reload()  # the tab, the example and the kept digits come back
    tap(page, page.get_by_role("button", name="Take them up"))
    page.get_by_text("0 unchecked, 18 right, 1 wrong, 1 no digit").wait_for()
    tap(page, page.get_by_role("tab", name="Photo"))
    tap(page, page.get_by_text("a year"))
    expect(page, "2026")  # or the page's digits would be kept once more
    keep(page, 24)
    confirm_the_rest(page)
    page.get_by_text("0 unchecked, 22 right, 1 wrong, 1 no digit").wait_for()
    with page.expect_download() as table:
        tap(page, page.get_by_role("button", name="Table (CSV)"))
    head, first, second, *_ = table.value.path().read_text().splitlines()
    assert (head, first[-2:], second[-5:]) == ("from,read,sure,true", ",9", ",none")
    tap(page, page.get_by_role("button", name="Learn from these 23 digits"))
    page.get_by_text("those it did not learn from").wait_for(timeout=4 * WAIT)
    tap(page, page.get_by_role("button", name="Use mine"))
    page.get_by_text("Model: my handwriting").wait_for()
    page.get_by_role("img", name="Drawing pad").wait_for()  # the tab Draw is open


def test_a_tap_is_no_ink(visit):
    page = visit(PHONE)
    box = page.get_by_role("img", name="Drawing pad").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 93, box["y"] + 91)
    page.mouse.up()
    page.wait_for_timeout(500)
    page.get_by_text("Draw a digit").wait_for()
    assert page.locator(".answer:visible").count() == 0


def test_the_answer_stands_above_the_fold_and_a_box_can_be_tapped(visit):
    page = visit(PHONE)
    page.get_by_role("tab", name="Photo").click()
    page.get_by_text("a year").click()
    expect(page, "2026")
    assert page.locator("code:visible", has_text="2026").first.bounding_box()["y"] < 700
    page.get_by_role("button", name="digit 3: 2").click()
    inputs = "[...document.querySelectorAll('[data-testid=stSelectbox] input')]"
    page.wait_for_function(f"{inputs}.some(input => input.value.startsWith('digit 3: 2'))")


def test_the_network_learns_in_sight_and_can_be_used(visit):
    page = visit()
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_text("15 of 15").wait_for(timeout=4 * WAIT)
    page.get_by_role("button", name="Use it").click()
    page.get_by_text("Model: trained here").wait_for()
    draw_by_mouse(page, "7")
    page.get_by_text("How did it get there?").click()
    page.get_by_alt_text("Layer 1: 128 units").wait_for()
    page.get_by_alt_text("Weights of unit").first.wait_for()


def test_a_file_that_is_too_large_gets_words(visit, tmp_path):
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(32_000_000)
    page = visit(PHONE)
    page.get_by_role("tab", name="Photo").click()
    page.locator("input[type=file]").first.set_input_files(huge)
    page.get_by_text("This takes pictures of at most 30 MB each").wait_for()


def test_the_answer_follows_the_pen(visit):
    page = visit()
    (line,) = strokes(page, "7")
    page.mouse.move(*line[0])
    page.mouse.down()
    for point in line[1:]:
        page.mouse.move(*point)
    expect(page, "7")  # the pen is still down
    page.mouse.up()
    expect(page, "7")


@opposite_looks
def test_the_answer_does_not_move_the_pad(visit, look):
    page = visit(*look)
    pad = page.get_by_role("img", name="Drawing pad")
    before = pad.bounding_box()
    draw_by_mouse(page, "7")
    expect(page, "7")
    assert pad.bounding_box() == before
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit").wait_for()
    assert pad.bounding_box() == before


# The page replaces the bars with every answer, so both places are taken in the same instant.
FROM_PAD_TO_BARS = """pad => {
    const top = element => element.getBoundingClientRect().top;
    const bars = [...document.querySelectorAll(".bars")].find(each => each.offsetParent);
    return bars && top(bars) - top(pad);
}"""


@opposite_looks
def test_what_stands_below_the_answer_does_not_move_with_it(visit, look):
    page = visit(*look)
    places = []
    for shape, words in (("7", "sure"), ("star", "This does not look like a digit")):
        draw_by_mouse(page, shape)
        page.get_by_text(words).filter(visible=True).first.wait_for()
        pad = page.get_by_role("img", name="Drawing pad").element_handle()
        places.append(page.wait_for_function(FROM_PAD_TO_BARS, arg=pad).json_value())
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("Draw a digit").wait_for()
    assert places[0] == places[1]


def test_a_drawing_outlives_a_reload(visit):
    page = visit()
    draw_by_mouse(page, "7")
    expect(page, "7")
    page.reload()
    expect(page, "7")


def test_a_tile_shows_its_pixels(visit):
    page = visit()
    page.get_by_role("tab", name="Photo").click()
    page.get_by_text("a tile").click()
    expect(page, "7")
    rendering = "picture => getComputedStyle(picture).imageRendering"
    for words in ("The picture seven.png", "The tile that the network saw"):
        assert page.get_by_alt_text(words).evaluate(rendering) == "pixelated"


@opposite_looks
def test_a_page_of_numbers_is_offered_as_a_table(visit, look):
    page = visit(*look)
    page.get_by_role("tab", name="Photo").click()
    page.get_by_text("a page", exact=True).click()
    expect(page, "979")
    tap(page, page.get_by_text("As a table: 4 rows, 2 columns"))
    table = page.get_by_test_id("stDataFrame").filter(visible=True)
    table.locator("canvas").first.wait_for()  # until then the button below may still move
    with page.expect_download() as download:
        tap(page, page.get_by_role("button", name="Table (CSV)").filter(visible=True))
    rows = list(csv.reader(download.value.path().read_text().splitlines(True)))
    assert rows[1:] == [["31", "415"], ["92", "653"], ["58", "979"], ["32", "384"]]


def test_a_refused_zip_file_gets_words(visit):
    page = visit(PHONE)
    page.get_by_role("tab", name="Check").click()
    page.get_by_text("Go on with a labelled folder").click()
    words = page.get_by_text("This takes a zip file of at most 30 MB")
    zips = page.locator("input[type=file][accept*=zip]")
    zips.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"no zip"})
    words.wait_for()


def test_a_labelled_folder_comes_back_on_the_page(visit):
    tile = np.asarray(Image.open(EXAMPLES / "seven.png").convert("L"))
    data = labelled_zip.pack([(tile, "7")])
    page = visit()
    page.get_by_role("tab", name="Check").click()
    page.get_by_text("Go on with a labelled folder").click()
    zips = page.locator("input[type=file][accept*=zip]")
    zips.set_input_files({"name": "a.zip", "mimeType": "application/zip", "buffer": data})
    page.get_by_text("1 kept: 0 unchecked, 1 right").wait_for()


def test_two_networks_answer_side_by_side(visit):
    page = visit()
    draw_by_mouse(page, "7")
    expect(page, "7")
    page.get_by_text("Model: Best").click()
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name="Small").click()
    page.locator(".legend", has_text="Small").wait_for()
    assert page.locator(".answer:visible").count() == 2


CHAPTER_LINKS = {
    "Draw": ["Why 99 % is not enough", "Pixels", "The network"],
    "Check": ["The training loop"],
    "Train": ["Loss and gradient", "The training loop"],
    "How good is it?": ["Why 99 % is not enough"],
}


@opposite_looks
def test_the_page_leads_to_the_chapter_that_explains_it(visit, look):
    page = visit(*look)
    draw_by_mouse(page, "7")
    expect(page, "7")
    tap(page, page.get_by_text("How did it get there?"))
    page.get_by_alt_text("Layer 1").wait_for()
    for tab, titles in CHAPTER_LINKS.items():
        tap(page, page.get_by_role("tab", name=tab))
        for title in titles:
            tap(page, page.get_by_role("button", name=f"Learn: {title}").filter(visible=True))
            chapter = page.get_by_role("dialog")
            chapter.get_by_role("heading").nth(1).wait_for()
            assert chapter.get_by_role("link").and_(page.locator("[href^=http]")).count() == 0
            page.keyboard.press("Escape")
            chapter.wait_for(state="hidden")
    tap(page, page.get_by_role("tab", name="Draw"))
    expect(page, "7")  # nothing was lost


def test_a_chapter_leads_to_the_others(visit):
    page = visit()
    page.get_by_role("tab", name="Train").click()
    tap(page, page.get_by_role("button", name="Learn: The training loop"))
    chapter = page.get_by_role("dialog")
    chapter.get_by_text("Here is the whole loop").wait_for()
    tap(page, chapter.get_by_text("1. Pixels"))
    chapter.get_by_text("A picture of a digit is a table of numbers").wait_for()
    assert chapter.get_by_text("Here is the whole loop").count() == 0


@opposite_looks
def test_a_class_opens_the_page_at_another_address(visit, class_address, look):
    page = visit(*look, at=class_address)
    (draw_by_touch if PHONE in look else draw_by_mouse)(page, "7")
    expect(page, "7")
    tap(page, page.get_by_text("Model: Best"))
    page.get_by_role("radio", name="Small").wait_for()
    assert page.get_by_role("textbox").count() == 0  # no field for files of this machine
    page.keyboard.press("Escape")
    tap(page, page.get_by_role("tab", name="Photo"))
    tap(page, page.get_by_text("Use the camera"))
    page.get_by_text("Browsers lend the camera only to pages with HTTPS").wait_for()
    upload(page, "seven.png", (EXAMPLES / "seven.png").read_bytes())
    expect(page, "7")


# All texts whose contrast is below 4.5:1, or 3:1 if they are large. A slider's value stands above
# the thumb that holds it, so its ground is not known.
PALE_TEXTS = """() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parsed = {};
  const parse = colour => {
    if (colour in parsed) return parsed[colour];
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return parsed[colour] = [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) =>
    [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const luminance = colour => {
    const [r, g, b] = colour.slice(0, 3).map(value => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parent = node => node.parentElement ?? node.getRootNode().host;
  const pale = [];
  const skipped = ':disabled, [data-testid=stSliderThumbValue], style, script';
  const look = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      const text = [...element.childNodes].filter(node => node.nodeType === 3)
        .map(node => node.data.trim()).join('');
      const style = getComputedStyle(element);
      const isShown = element.getClientRects().length
        && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!text || !isShown || element.closest(skipped)) continue;
      let opacity = 1;
      const grounds = [];
      for (let node = element; node; node = parent(node)) {
        opacity *= getComputedStyle(node).opacity;
        grounds.unshift(parse(getComputedStyle(node).backgroundColor));
      }
      const ground = grounds.reduce((below, above) => over(above, below), [255, 255, 255, 1]);
      const [r, g, b, a] = parse(style.color);
      const ink = over([r, g, b, a * opacity], ground);
      const [dark, bright] = [luminance(ink), luminance(ground)].sort((x, y) => x - y);
      const ratio = (bright + 0.05) / (dark + 0.05);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || size >= 18.6 && style.fontWeight >= 700;
      if (ratio < (isLarge ? 3 : 4.5)) pale.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
  };
  look(document);
  return pale;
}"""
CONTROLS = {"button", "checkbox", "combobox", "image", "img", "link", "listbox", "radio"}
CONTROLS |= {"slider", "spinbutton", "switch", "tab", "textbox"}


def nameless_controls(page) -> list[str]:
    """The controls and pictures of which a screen reader could not say what they are."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    seen = [node for node in nodes if not node["ignored"]]
    controls = [node for node in seen if node["role"]["value"] in CONTROLS]
    nameless = [node for node in controls if not node.get("name", {}).get("value", "").strip()]
    return [f"{node['role']['value']} without a name" for node in nameless]


def list_faults(page, state: str) -> list[str]:
    """What is too pale, and what has no name, of all that is shown now."""
    page.wait_for_timeout(500)
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(500)
    faults = [*page.evaluate(PALE_TEXTS), *nameless_controls(page)]
    return [f"{state}: {fault}" for fault in faults]


@opposite_looks
def test_every_text_stands_out_and_every_control_has_a_name(visit, look):
    page = visit(*look)
    faults = list_faults(page, "empty pad")
    draw_by_mouse(page, "7")
    expect(page, "7")
    tap(page, page.get_by_text("How did it get there?"))
    page.get_by_alt_text("Layer 1").wait_for()
    faults += list_faults(page, "inside")
    tap(page, page.get_by_role("button", name="Learn: Pixels"))
    page.get_by_role("dialog").wait_for()
    faults += list_faults(page, "chapter")
    page.keyboard.press("Escape")
    tap(page, page.get_by_text("Model: Best"))
    page.get_by_role("radio", name="Small").wait_for()
    faults += list_faults(page, "models")
    page.keyboard.press("Escape")
    tap(page, page.get_by_role("tab", name="Photo"))
    tap(page, page.get_by_text("no digit", exact=True))
    page.get_by_text("This does not look like a digit").wait_for()
    faults += list_faults(page, "no digit")
    tap(page, page.get_by_text("a page", exact=True))
    expect(page, "979")
    faults += list_faults(page, "a page")
    keep(page, 20)
    say(page, 1, "9")
    say(page, 2, "none")
    faults += list_faults(page, "check")
    tap(page, page.get_by_role("tab", name="Train"))
    tap(page, page.get_by_role("button", name="Start"))
    page.get_by_role("button", name="Stop").click()
    faults += list_faults(page, "train")
    tap(page, page.get_by_role("tab", name="How good is it?"))
    page.get_by_text("Its most confident mistakes").wait_for()
    faults += list_faults(page, "quality")
    assert faults == []
