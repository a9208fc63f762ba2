"""The page in a real Chromium, for the browser tests."""

import shutil
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.app.browser_steps import DESKTOP, EXAMPLES, PHONE, ROOT, WAIT
from tools.page_server import serve_page

BROWSERS = "chromium-headless-shell", "chromium", "chromium-browser"  # the first needs least time
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The page as `streamlit run app.py` serves it, with nothing but the port changed."""
    with serve_page() as server:
        yield server.address


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium, with a camera before which year.jpg lies; without it, the test is skipped."""
    sync = pytest.importorskip(
        "playwright.sync_api", reason="browser tests need playwright: pip install 'qdigits[dev]'"
    )
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        pytest.skip("browser tests need chromium: apt-get install chromium")
    film = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    Image.open(EXAMPLES / "year.jpg").resize((640, 360)).save(film, "JPEG")
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    film_in_it = f"--use-file-for-fake-video-capture={film}"
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*FLAGS, *camera, film_in_it]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
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
        # until then the pad may still move
        page.locator("[data-test-script-state=notRunning]").wait_for()
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
