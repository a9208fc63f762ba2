"""One table of formats: what it names is recognised, read, or named for what it is."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from qdigits.errors import ImageError
from qdigits.imaging import formats
from qdigits.imaging import frames as moving
from qdigits.imaging.decode import open_photo
from qdigits.imaging.formats import FORMATS, recognise_format
from qdigits.imaging.parts import SeveralPicturesError
from tests.imaging.test_tile import alike, coded, prepare, seven


def encoded(form: str) -> bytes:
    """Return a drawn 7 as a file of a format."""
    if form == "ZIP":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("seven.png", coded(seven()))
        return file.getvalue()
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if form == "PDF":
        pytest.importorskip("pypdfium2")
    return coded(np.stack([seven()] * 3, 2), form)


def frames(kind: str, *pictures: np.ndarray) -> bytes:
    """Return a file of several pictures."""
    file = io.BytesIO()
    first, *rest = [Image.fromarray(picture) for picture in pictures]
    first.save(file, kind, save_all=True, append_images=rest)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_the_table_is_recognised_and_read(form, tmp_path):
    data = encoded(form)
    assert recognise_format(data[:100]) == form
    path = tmp_path / f"seven{FORMATS[form].suffixes[0]}"
    path.write_bytes(data)
    for source in (data, path):
        assert alike(prepare(source).tile, prepare(seven()).tile) > 0.9


@pytest.mark.parametrize("form", ["HEIF", "PDF"])
def test_without_its_library_a_format_is_named_with_what_mends_it(form, monkeypatch):
    data = encoded(form)
    monkeypatch.setattr(formats, "find_spec", lambda library: None)
    with pytest.raises(ImageError, match=f"a {form} file; `pip install 'qdigits.*or save"):
        open_photo(data)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "PDF"])
def test_a_file_of_several_pictures_is_not_half_read(kind, tmp_path):
    blank = np.full_like(seven(), 225)
    data = frames(kind, blank, seven())
    if kind == "PDF":
        pytest.importorskip("pypdfium2")
    with pytest.raises(SeveralPicturesError, match="name one") as several:
        open_photo(data)
    assert [part.name for part in several.value.parts] == ["1", "2"]
    path = tmp_path / "several.bin"
    path.write_bytes(data)
    reference = prepare(seven()).tile
    assert prepare(f"{path}#1").box is None
    assert alike(prepare(f"{path}#2").tile, reference) > 0.9
    assert alike(prepare(several.value.parts[1]).tile, reference) > 0.9
    for wrong in ("0", "3", "x", "-1"):
        with pytest.raises(ImageError):
            open_photo(f"{path}#{wrong}")


@pytest.fixture
def decoded(monkeypatch):
    """The number of each frame that is decoded, in order."""
    numbers = []
    decode_frame = moving.decode_frame
    monkeypatch.setattr(
        moving,
        "decode_frame",
        lambda image, number: numbers.append(number) or decode_frame(image, number),
    )
    return numbers


def list_frames(data):
    """Return the parts of a file of several pictures."""
    with pytest.raises(SeveralPicturesError) as several:
        open_photo(data)
    return several.value.parts


GREYS = [np.full((30, 30), 20 * number, np.uint8) for number in range(1, 11)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_the_frames_of_a_moving_picture_are_decoded_once(kind, decoded):
    parts = list_frames(frames(kind, *GREYS))
    order = [2, 0, 1, 3, 4, 5, 6, 7, 8, 9, 9, 4]
    greys = [open_photo(parts[place]).pixels.mean() for place in order]
    assert greys == pytest.approx([20 * (place + 1) for place in order], abs=4)
    assert decoded == list(range(1, 11))


def test_frames_that_are_kept_no_longer_are_decoded_anew(decoded, monkeypatch):
    monkeypatch.setattr(moving, "MAX_KEPT_BYTES", 3 * GREYS[0].size * 3)
    parts = list_frames(frames("GIF", *GREYS))
    greys = [open_photo(parts[place]).pixels.mean() for place in (9, 0, 9)]
    assert greys == pytest.approx([200, 20, 200], abs=4)
    assert decoded == [*range(1, 11), 1]


def test_a_damaged_frame_spoils_no_other(monkeypatch):
    decode_frame = moving.decode_frame

    def decode(image, number):
        if number == 2:
            raise ImageError("damaged")
        return decode_frame(image, number)

    monkeypatch.setattr(moving, "decode_frame", decode)
    parts = list_frames(frames("GIF", *GREYS))
    assert open_photo(parts[2]).pixels.mean() == pytest.approx(60, abs=4)
    for _ in range(2):
        with pytest.raises(ImageError, match="damaged"):
            open_photo(parts[1])


def test_a_file_of_one_picture_is_its_first_page(tmp_path):
    (tmp_path / "one.jpg").write_bytes(coded(seven(), "JPEG"))
    (tmp_path / "odd#2.png").write_bytes(coded(seven()))
    assert open_photo(tmp_path / "odd#2.png").pixels.shape == (200, 160, 3)
    assert open_photo(f"{tmp_path}/one.jpg#1").pixels.shape == (200, 160, 3)
    with pytest.raises(ImageError, match="no page or frame 2"):
        open_photo(f"{tmp_path}/one.jpg#2")


def digits(count: int) -> np.ndarray:
    """Return tiles (N, 28, 28) of a 7, each a little different."""
    tile = prepare(seven()).tile
    return np.stack([np.roll(tile, shift % 3, 1) for shift in range(count)])


@pytest.mark.parametrize(
    "batch",
    [
        digits(3),
        digits(4),
        digits(4) / np.float32(255),
        digits(5),
        digits(3)[:, None],
        digits(10).reshape(10, 784),
        digits(3)[:, ::2, ::2],
    ],
)
def test_a_batch_is_refused_with_the_word_predict_many(batch):
    with pytest.raises(ImageError, match="predict_many"):
        open_photo(batch)


def test_a_page_784_pixels_wide_is_a_page():
    page = np.full((300, 784), 255, np.uint8)
    page[100:120, 290:305] = 0
    assert open_photo(page).pixels.shape == (300, 784, 3)


def test_a_row_of_784_numbers_is_the_tile_that_it_is():
    tile = prepare(seven()).tile
    for row in (tile.reshape(784), tile.reshape(1, 784)):
        assert (prepare(row).tile == tile).all()


def test_channels_first_are_colours_where_that_is_certain():
    photo = np.stack([seven(), seven(), seven() // 2])
    assert open_photo(photo).pixels.shape == (200, 160, 3)
    assert open_photo(np.stack([prepare(seven()).tile] * 3)).pixels.shape == (28, 28, 3)


def test_numbers_from_0_to_16_are_scaled_as_those_to_255():
    tile = prepare(seven()).tile[4:24, 4:24].reshape(10, 2, 10, 2).mean((1, 3))
    as_bytes = open_photo(np.rint(tile).astype(np.uint8)).pixels
    as_sixteenths = open_photo(tile / tile.max() * 16).pixels
    assert alike(as_bytes, as_sixteenths) > 0.999
