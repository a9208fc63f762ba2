"""The page as people read with it: a real Chromium, mouse and finger, desktop and phone."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.app.browser_steps import (
    EXAMPLES,
    PHONE,
    ROOT,
    draw_by_mouse,
    draw_by_touch,
    every_look,
    expect,
    opposite_looks,
    strokes,
    tap,
    upload,
)
from tools.page_server import find_free_port, wait_until_healthy


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


def test_a_drawing_outlives_a_reload(visit):
    page = visit()
    draw_by_mouse(page, "7")
    expect(page, "7")
    page.reload()
    expect(page, "7")


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


def test_a_file_that_is_too_large_gets_words(visit, tmp_path):
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(32_000_000)
    page = visit(PHONE)
    page.get_by_role("tab", name="Photo").click()
    page.locator("input[type=file]").first.set_input_files(huge)
    page.get_by_text("This takes pictures of at most 30 MB each").wait_for()


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


def test_two_networks_answer_side_by_side(visit):
    page = visit()
    draw_by_mouse(page, "7")
    expect(page, "7")
    page.get_by_text("Model: Best").click()
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name="Small").click()
    page.locator(".legend", has_text="Small").wait_for()
    assert page.locator(".answer:visible").count() == 2


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
