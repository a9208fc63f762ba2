"""What strangers send, all the way in: pictures to a reading, model files to the page."""

import os
import re
import warnings

import pytest
from PIL import Image

from qdigits import load_model, read
from qdigits.data.loading import load_test
from qdigits.errors import ImageError
from qdigits.imaging.decode import open_photo
from qdigits.imaging.image_file import Photo
from qdigits.imaging.pdf import BOUNDS
from qdigits.predictor import Reading
from tests.attacks import Outcome, documents, mutants, pictures, tried
from tests.stress import web_attacks

pytest.importorskip("mlxtend")
WORDS = {  # each guard says what it found
    "7,000 x 7,000 WEBP": "at most 25,000,000 are read",
    "10,000 x 10,000": "10000 x 10000 pixels; at most 50,000,000 are read",
    "empty": "picture of 0 bytes",
    "array of (0, 0)": "array of 0 x 0 pixels",
    "array of (9,)": "array of shape (9,)",
    "array of inf": "not finite",
    "SVG named .png": "not a picture that is read here; give one of PNG",
    "ICO, which is not read": "not a picture that is read here; give one of PNG",
    "PNG cut at 0.9": "not a picture that can be read",
    "JPEG of 600 scans": "a progressive JPEG of",
    "GIF of 200 frames": "at most 100 are read",
    "AVIF of 8,000 x 5,000": "at most 25,000,000 are read",
    "PNG of 200,000 chunks": "too many small pieces",
    "JPEG of 200,000 comments": "too many small pieces",
    "TIFF of a million strips": "a TIFF of 1,000,000 strips",
    "ZIP of a picture that swells": "picture of 100000001 bytes",
    "ZIP in a ZIP": "an archive inside an archive",
    "ZIP with a password": "locked with a password",
    "ZIP by LZMA": "compressed in an unusual way",
    "ZIP of a long list": "too many or too large files",
    "ZIP without its end": "its end is missing",
    "ZIP without pictures": "an archive without pictures",
    "a folder": ": not a file",
    "a missing path": "No such file",
    "a path with NUL": "null byte",
    "an endless device": ": not a file",
    "an endless file": "picture of 100000001 bytes",
    "a terabyte, sparse": "1,099,511,627,776 bytes; 1 to 100,000,000 can be read",
}


@pytest.fixture(scope="module")
def tile():
    return load_test("sample").images[0].numpy()


def assert_read_or_refused(what, outcome: Outcome):
    """A reading, an opened photo, or an error of one line."""
    value = outcome.value
    if not isinstance(value, (Reading, Photo)):
        assert isinstance(value, ImageError), (what, outcome)
        assert len(str(value).splitlines()) == 1, (what, outcome)


def list_odd_pictures(tile, folder):
    """Yield pictures that claim too much, hold too little or are none."""
    yield from pictures.zoo(tile)
    yield from pictures.large("PNG, LA", "WEBP")
    with open(folder / "huge.png", "wb") as file:
        file.truncate(2**40)
    yield "a terabyte, sparse", folder / "huge.png"
    with open("/dev/zero", "rb") as endless:
        yield "an endless file", endless


def test_every_odd_picture_is_read_or_refused_in_one_line(tile, tmp_path):
    model = load_model()
    seen = set()
    for what, picture in list_odd_pictures(tile, tmp_path):
        outcome = tried(lambda picture=picture: read(model, picture))
        seen.add(what)
        assert_read_or_refused(what, outcome)
        assert WORDS.get(what, "") in str(outcome.value), (what, outcome)
        assert outcome.seconds < 5, (what, outcome)  # none hangs; measured: one second at most
        assert outcome.megabytes < 500, (what, outcome)
    assert len(seen) > 60
    assert seen >= WORDS.keys()
    assert Image.MAX_IMAGE_PIXELS  # Pillow's own guard stays


def test_a_pdf_that_asks_for_too_much_is_stopped():
    pytest.importorskip("pypdfium2", reason="PDF needs pypdfium2: pip install 'qdigits[pdf]'")
    before = os.times()
    outcome = tried(lambda: read(load_model(), pictures.greedy_pdf()))
    after = os.times()
    assert isinstance(outcome.value, ImageError), outcome
    assert "takes longer than" in str(outcome.value)
    assert (
        after.children_user - before.children_user < BOUNDS.seconds + 2
    )  # seconds of processor time
    assert outcome.megabytes < 300, outcome


DOCUMENT_WORDS = {
    "PDF, forms that draw forms, 20^8 in all": "takes longer than 5 s",
    "PDF, a claim of two million pages": "1 to 10,000 can be read",
    "HEIC that claims 7000 x 7000": "at most 25,000,000 are read",
    "HEIC that claims 0 x 0": "a damaged HEIF file",
    "HEIC of 150 pictures": "at most 100 are read",
    "ZIP whose files overlap": "an archive whose files overlap",
}


def test_every_document_that_asks_for_too_much_is_read_or_refused(tile):
    pytest.importorskip("pypdfium2", reason="PDF needs pypdfium2: pip install 'qdigits[pdf]'")
    pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif: pip install 'qdigits[heic]'")
    seen = set()
    for what, data in documents.all_documents(tile):
        outcome = documents.tried_with_children(lambda data=data: open_photo(data))
        seen.add(what)
        assert_read_or_refused(what, outcome)
        assert re.search(DOCUMENT_WORDS.get(what, ""), str(outcome.value)), (what, outcome)
        assert outcome.seconds < BOUNDS.seconds + 2, (what, outcome)
        assert outcome.megabytes < 300, (what, outcome)
    assert seen >= DOCUMENT_WORDS.keys()


def test_a_damaged_document_is_read_or_refused(tile):
    for kind, good, most in documents.good_ones(tile):
        for number, mutant in enumerate(mutants(good, most // 50)):
            outcome = documents.tried_with_children(lambda mutant=mutant: open_photo(mutant))
            assert_read_or_refused((kind, number), outcome)
            assert outcome.seconds < BOUNDS.seconds + 2, (kind, number, outcome)


def test_damaged_picture_is_read_or_refused_without_a_warning(tile):
    model = load_model()
    for what, good in pictures.encodings(tile):
        for data in mutants(good, 20):
            with warnings.catch_warnings(record=True) as warned:
                outcome = tried(lambda data=data: read(model, data), memory=False)
            assert_read_or_refused(what, outcome)
            assert not warned, (what, warned[0])


def test_page_refuses_malicious_models_in_one_line(tmp_path):
    pytest.importorskip("streamlit", reason="the page needs streamlit: pip install 'qdigits[app]'")
    (row,) = web_attacks.page_models(tmp_path, 20)
    assert not row.wrong
