"""What strangers send, all the way in: pictures to a reading, model files to the page."""

import warnings
from itertools import chain

import pytest
from PIL import Image

from qdigits import load_model, read
from qdigits.data.loading import load_test
from qdigits.errors import ImageError
from qdigits.predictor import Reading
from tests.attacks import Outcome, mutants, pictures, tried
from tests.stress import web_attacks

pytest.importorskip("mlxtend")
WORDS = {  # each guard says what it found
    "7,000 x 7,000 WEBP": "at most 25,000,000 are read",
    "10,000 x 10,000": "10000 x 10000 pixels; at most 50,000,000 are read",
    "empty": "picture of 0 bytes",
    "array of (0, 0)": "array of 0 x 0 pixels",
    "array of (9,)": "array of shape (9,)",
    "array of inf": "not finite",
    "SVG named .png": "not a picture; give one of PNG",
    "ICO, which is not read": "not a picture; give one of PNG",
    "PNG cut at 0.9": "not a picture that can be read",
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


def fine(outcome: Outcome) -> bool:
    """A reading, or one line."""
    value = outcome.value
    return isinstance(value, Reading) or (
        isinstance(value, ImageError) and len(str(value).splitlines()) == 1
    )


def test_every_odd_picture_is_read_or_refused_in_one_line(tile, tmp_path):
    model, seen = load_model(), set()
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(2**40)
    odd = [
        ("a terabyte, sparse", tmp_path / "huge.png"),
        ("an endless file", open("/dev/zero", "rb")),
    ]  # noqa: SIM115
    for what, picture in chain(pictures.zoo(tile), pictures.large("PNG, LA", "WEBP"), odd):
        outcome = tried(lambda picture=picture: read(model, picture))
        seen.add(what)
        assert fine(outcome), (what, outcome)
        assert WORDS.get(what, "") in str(outcome.value), (what, outcome)
        assert outcome.seconds < 5, (
            what,
            outcome,
        )  # none hangs; `make stress` holds each to one second
        assert outcome.megabytes < 500, (what, outcome)
    assert len(seen) > 60
    assert seen >= WORDS.keys()
    assert Image.MAX_IMAGE_PIXELS  # Pillow's own guard stays


def test_a_damaged_picture_is_read_or_refused(tile):
    model = load_model()
    for what, good in pictures.encodings(tile):
        for data in mutants(good, 20):
            with warnings.catch_warnings(record=True) as said:
                outcome = tried(lambda data=data: read(model, data), memory=False)
            assert fine(outcome), (what, outcome)
            assert not said, (what, said[0])


def test_page_refuses_malicious_models_in_one_line(tmp_path):
    pytest.importorskip("streamlit", reason="the page needs streamlit: pip install 'qdigits[app]'")
    (row,) = web_attacks.page_models(tmp_path, 20)
    assert not row.wrong
