"""The page as people check, teach, train and learn with it, in a real Chromium."""

import numpy as np
import pytest
from PIL import Image

from qdigits.app import labelled_zip
from tests.app.browser_steps import (
    DESKTOP,
    EXAMPLES,
    PHONE,
    WAIT,
    draw_by_mouse,
    expect,
    keep,
    opposite_looks,
    say,
    tap,
)


def confirm_the_rest(page) -> None:
    tap(page, page.get_by_role("button", name="The unchecked ones are right"))


@pytest.mark.parametrize(
    ("look", "model"),
    [((DESKTOP, False), "Best"), ((PHONE, True), "Small")],
    ids=["desktop", "phone dark"],
)
def test_check_reload_teach_and_use(visit, look, model):
    page = visit(*look)
    tap(page, page.get_by_text("Model: Best"))
    tap(page, page.get_by_text(model, exact=True))
    page.get_by_text(f"Model: {model}").wait_for()
    page.keyboard.press("Escape")
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
