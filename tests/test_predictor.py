"""From a picture to an answer, with a model that knows 0 and 1 by their looks."""

import io
import json
import os
import pydoc
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import qdigits
from qdigits.batch import expand_paths, read_files
from qdigits.errors import ImageError, ModelFileError
from qdigits.imaging.tile import fit_tile
from qdigits.predictor import (
    load_model,
    predict,
    predict_many,
    predict_stream,
    read,
    read_together,
    test_single_image,
)
from tests.reading.shapes import ShapeModel, ShapeNet, page, photo


@pytest.fixture(autouse=True)
def shapes(monkeypatch):
    """The page network knows simple shapes, too."""
    monkeypatch.setattr("qdigits.predictor.bundled_page_net", ShapeNet)


ZERO, ONE = (fit_tile(page(shape)[70:131, 50:111]) for shape in "01")


def test_one_digit():
    one = predict(ShapeModel(), photo("0"))
    assert one.digit == 0 and one.accepted and one.confidence > 0.98
    assert len(one.probabilities) == 10 and one.tile.shape == (28, 28)
    left, top, right, bottom = one.box
    assert left < 80 < right and top < 100 < bottom
    assert test_single_image(ShapeModel(), ZERO) == 0 and test_single_image.__test__ is False


def test_nothing_there():
    one = predict(ShapeModel(), np.full((200, 200), 240, np.uint8))
    assert one.digit is None and one.confidence == 0 and one.box is None and not one.accepted
    reading = read(ShapeModel(), np.full((200, 200), 240, np.uint8))
    assert reading.text == "" and reading.digits == ()


def test_many_tiles_are_one_by_one_and_few_calls():
    tiles = [ZERO, np.zeros_like(ZERO), 255 - ZERO] * 100
    model = ShapeModel()
    answers = predict_many(model, tiles)
    assert [answer.digit for answer in answers] == [0, None, 0] * 100
    assert len(model.asked) == 2
    assert answers[0] == answers[3] != answers[1]


def test_photos_and_tiles_keep_their_order():
    pictures = [photo("0"), 255 - ZERO, photo("1"), ZERO]
    answers = predict_many(ShapeModel(), pictures)
    assert [answer.digit for answer in answers] == [0, 0, 1, 0]
    for answer, picture in zip(answers, pictures, strict=True):
        single = predict(ShapeModel(), picture)
        assert single.probabilities == pytest.approx(answer.probabilities, abs=1e-6)
        assert (single.tile == answer.tile).all()


def test_where_the_page_network_sees_no_digit_the_ink_is_a_guess_and_never_accepted():
    one = predict(ShapeModel(), photo("x"))
    assert one.box is not None and one.confidence < 0.5 and not one.accepted


def test_a_stream_is_read_as_it_comes():
    taken = []

    def pictures():
        for number in range(1000):
            taken.append(number)
            yield ZERO

    answers = predict_stream(ShapeModel(), pictures())
    assert next(answers).digit == 0 and len(taken) < 1000
    assert predict_many(ShapeModel(), []) == []


def test_in_doubt_both_ways_are_looked_at():
    tile = np.zeros((28, 28), np.uint8)
    tile[:, 6:22] = ONE[:, 6:22]
    tile[:, :6] = tile[:, 22:] = 255
    model = ShapeModel()
    predict(model, tile)
    assert model.asked[-1] == 2  # after the marks that the page network sees on so wide a tile


def test_a_page():
    reading = read(ShapeModel(), photo("1001", "01", slope=0.05))
    assert reading.text == "1001\n01"
    assert [one.digit for one in reading.digits] == [1, 0, 0, 1, 0, 1]
    assert all(one.accepted and one.box for one in reading.digits)


def test_a_wide_gap_is_a_space():
    assert read(ShapeModel(), photo("10   01")).text == "10 01"


def test_boxes_lie_on_the_picture_as_given():
    small = Image.fromarray(photo("01", "10"))
    large = small.resize((small.width * 10, small.height * 10))
    file = io.BytesIO()
    large.save(file, "JPEG")
    boxes = [one.box for one in read(ShapeModel(), small).digits]
    for box, other in zip(
        boxes, [one.box for one in read(ShapeModel(), file.getvalue()).digits], strict=True
    ):
        assert np.allclose(np.array(box) * 10, other, atol=30)


def test_a_tile_is_one_digit():
    reading = read(ShapeModel(), ZERO)
    assert reading.text == "0" and (reading.digits[0].tile == ZERO).all()
    assert read(ShapeModel(), np.zeros((28, 28), np.uint8)).text == ""


def test_a_framed_tile_costs_no_look_of_the_page_network(monkeypatch):
    monkeypatch.setattr("qdigits.predictor.bundled_page_net", lambda: pytest.fail("asked"))
    assert read(ShapeModel(), ZERO).text == "0"


def tile_of_two(gap: int) -> np.ndarray:
    """Return a 28x28 picture of 1 and 0, as MNIST's 784 numbers could hold it."""
    tile = np.zeros((28, 28), np.uint8)
    tile[3:25, 2:6] = 255
    tile[3:25, 6 + gap : 26] = 255
    tile[7:21, 10 + gap : 22] = 0
    return tile


def test_two_digits_on_a_tile_are_read_as_two():
    reading = read(ShapeModel(), tile_of_two(gap=4))
    assert reading.text == "10" and reading.accepted
    one, zero = reading.digits
    assert one.box.right <= zero.box.left and reading.numbers[0].box == (2, 3, 26, 25)


def test_two_digits_on_a_tile_are_no_sure_answer_of_predict():
    (one,) = predict_many(ShapeModel(), [tile_of_two(gap=4)])
    assert one.digit in (0, 1) and one.confidence <= 0.5 and not one.accepted
    alone = tile_of_two(gap=4)
    alone[:, 6:] = 0
    assert predict(ShapeModel(), alone).accepted


def test_pictures_read_together_are_read_as_if_alone_and_tiles_in_one_call():
    pictures = [photo("10"), ZERO, b"none", 255 - ZERO, np.zeros_like(ZERO), ZERO]
    model = ShapeModel()
    *answers, last = read_together(model, pictures)
    assert isinstance(answers.pop(2), ImageError)
    del pictures[2]
    assert last.text == "0" and last.accepted
    for picture, answer in zip(pictures, [*answers, last], strict=True):
        alone = read(ShapeModel(), picture)
        assert answer.to_dict() == alone.to_dict()
    assert read_together(model, []) == []
    many = ShapeModel()
    read_together(many, [ZERO] * 16)
    assert len(many.asked) == 1


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("count", [1, 7, 530])
def test_a_folder_is_read_in_order_whatever_the_threads(tmp_path, count, jobs):
    expected = ["0" if index % 3 else "" for index in range(count)]
    for index, text in enumerate(expected):
        tile = ZERO if text else np.zeros_like(ZERO)
        Image.fromarray(tile).save(tmp_path / f"{index:03}.png")
    (tmp_path / "000.png").write_bytes(b"none")
    results = list(read_files(ShapeModel(), expand_paths([str(tmp_path)]), jobs))
    assert [Path(result.file).name for result in results] == sorted(os.listdir(tmp_path))
    assert results[0].reading is None and "000.png" not in results[0].error
    assert [result.line for result in results[1:]] == expected[1:]


def test_threads_do_not_disturb_each_other():
    texts = []
    threads = [
        threading.Thread(target=lambda: texts.append(read(ShapeModel(), photo("1001")).text))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["1001"] * 4


def test_errors_are_the_users():
    with pytest.raises(ImageError):
        predict(ShapeModel(), b"no picture")
    with pytest.raises(ImageError):
        read(ShapeModel(), "absent.png")
    with pytest.raises(ModelFileError):
        load_model("absent.pth")


EXAMPLE = Path(__file__).parents[1] / "examples" / "year.jpg"


def test_a_model_may_be_left_out_or_be_a_path():
    text = read(load_model(), EXAMPLE).text
    assert read(EXAMPLE).text == text
    assert read("mnist_model.pth", str(EXAMPLE)).text == text
    assert predict(ZERO).digit == predict_many([ZERO])[0].digit == test_single_image(ZERO) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: read(EXAMPLE, ShapeModel()),
        lambda: read(EXAMPLE, "mnist_model.pth"),
        lambda: predict(ZERO, ShapeModel()),
        lambda: predict(ZERO, "seven.png"),
        lambda: read(ShapeModel()),
        lambda: predict_many(ShapeModel()),
    ],
)
def test_swapped_arguments_are_named(call):
    with pytest.raises(TypeError, match="the model comes first"):
        call()


def test_predict_many_refuses_a_single_path():
    with pytest.raises(TypeError, match="list of pictures"):
        predict_many("seven.png")


def test_a_reading_prints_as_its_text_and_a_notebook_shows_the_photo(tmp_path):
    picture = photo("1001")
    reading = read(ShapeModel(), picture)
    assert str(reading) == "1001"
    assert len(repr(reading).splitlines()) == 1
    assert str(reading.digits[0]) == "1"
    assert "array" not in repr(reading.digits[0])
    assert json.loads(json.dumps(reading.to_dict()))["text"] == "1001"
    shown = np.asarray(Image.open(io.BytesIO(reading._repr_png_())))
    assert shown.shape == (*picture.shape, 3)
    assert (shown != picture[..., None]).any()
    tile = Image.open(io.BytesIO(reading.digits[0]._repr_png_()))
    assert tile.size == (168, 168)
    Image.fromarray(picture).save(tmp_path / "gone.png")
    gone = read(ShapeModel(), tmp_path / "gone.png")
    (tmp_path / "gone.png").unlink()
    assert gone._repr_png_() is None


def test_the_package_shows_its_public_names_only():
    assert dir(qdigits) == sorted([*qdigits.__all__, "__version__"])
    text = pydoc.plain(pydoc.render_doc(qdigits))
    for name in ("load_model", "predict_many", "read", "ConfigError"):
        assert name in text
    assert "importlib" not in text.split("DESCRIPTION")[1]


@pytest.mark.parametrize(
    "error", ["QDigitsError", "DataError", "ImageError", "ModelFileError", "ConfigError"]
)
def test_every_error_says_when_it_is_raised(error):
    assert getattr(qdigits, error).__doc__.startswith("Raised ")


def test_reading_is_logged_under_the_package_name(caplog):
    with caplog.at_level("DEBUG", logger="qdigits"):
        read(ShapeModel(), photo("10"))
    assert "read 2 digits" in caplog.text
