"""Opening whatever a user brings, and finding the ink on it."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from qdigits.errors import ImageError
from qdigits.imaging.constants import DIGIT_BOX, TILE_CENTRE, TILE_SIZE
from qdigits.imaging.decode import open_photo
from qdigits.imaging.ink import find_ink, find_polarity
from qdigits.imaging.tile import fit_tile, is_framed, prepare


def seven(height=200, width=160, stroke=14, ink=40, paper=225):
    """A drawn 7, dark on bright."""
    picture = np.full((height, width), paper, np.uint8)
    points = np.array([[0.25, 0.2], [0.75, 0.2], [0.45, 0.8]]) * (width, height)
    cv2.polylines(picture, [points.astype(np.int32)], False, ink, stroke, cv2.LINE_AA)
    return picture


def coded(picture, form="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, form, **options)
    return file.getvalue()


def opened(source):
    return open_photo(source)[0]


def alike(tile, other):
    return np.corrcoef(tile.ravel().astype(float), other.ravel().astype(float))[0, 1]


REFERENCE = prepare(seven()).tile

SAME = {
    "bytes": coded(seven()),
    "file": io.BytesIO(coded(seven())),
    "jpeg": coded(seven(), "JPEG", quality=90),
    "pillow": Image.fromarray(seven()),
    "palette": Image.fromarray(seven()).convert("P"),
    "cmyk": Image.fromarray(seven()).convert("CMYK"),
    "bilevel": Image.fromarray(seven()).convert("1"),
    "16 bit": Image.fromarray(seven().astype(np.uint16) * 257),
    "12 bit in 16": seven().astype(np.uint16) * 16,
    "0..1": seven() / 255,
    "mask of 0 and 1": (seven() < 128).astype(np.uint8),
    "normalised": (seven() / 255 - 0.1307) / 0.3081,
    "channels first": np.stack([seven()] * 3),
    "batch of one": seven()[None, None],
    "rgba": cv2.cvtColor(seven(), cv2.COLOR_GRAY2RGBA),
    "white on black": 255 - seven(),
    "shaded": (seven() * np.linspace(0.5, 1, 160)).astype(np.uint8),
    "yellow paper, blue pen": np.stack(
        [seven(ink=60), seven(ink=80), seven(ink=150, paper=120)], 2
    ),
    "huge": cv2.resize(seven(), None, fx=15, fy=15),
    "small": cv2.resize(seven(), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA),
    "anywhere": np.pad(seven(), ((10, 300), (400, 20)), constant_values=225),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_digit_gives_the_same_tile(name):
    assert alike(prepare(SAME[name]).tile, REFERENCE) > 0.9


def test_a_path_and_a_tensor(tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "seven.png").write_bytes(coded(seven()))
    assert (prepare(tmp_path / "seven.png").tile == REFERENCE).all()
    assert (prepare(str(tmp_path / "seven.png")).tile == REFERENCE).all()
    assert (prepare(torch.from_numpy(seven())[None].float()).tile == REFERENCE).all()


def test_a_photo_on_its_side_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter clockwise
    lying = np.rot90(seven()).copy()
    assert opened(coded(lying, "JPEG", exif=exif)).shape == (200, 160, 3)
    assert alike(prepare(coded(lying, "JPEG", exif=exif)).tile, REFERENCE) > 0.9


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper_is_the_opposite_of_the_ink(ink):
    layer = np.full((200, 160, 4), ink, np.uint8)
    layer[..., 3] = 255 - seven(ink=0, paper=255)
    assert alike(prepare(Image.fromarray(layer)).tile, REFERENCE) > 0.9


def test_transparent_corners_take_the_colour_of_the_sheet():
    sheet = cv2.cvtColor(seven(), cv2.COLOR_GRAY2RGBA)
    sheet[:20, :20, 3] = 0
    assert abs(int(opened(sheet)[5, 5, 0]) - 225) < 2


def test_a_tile_passes_unchanged():
    tile = REFERENCE
    assert (prepare(tile).tile == tile).all()
    assert (prepare(tile[None] / 255).tile == tile).all()
    assert (prepare(coded(tile)).tile == tile).all()
    assert alike(prepare(255 - tile).tile, tile) > 0.99


def test_a_tile_is_framed_as_mnist_frames_it():
    rows, columns = np.nonzero(REFERENCE)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == DIGIT_BOX
    mass = REFERENCE / REFERENCE.sum()
    assert abs(mass.sum(1) @ np.arange(TILE_SIZE) - TILE_CENTRE) < 0.6
    assert abs(mass.sum(0) @ np.arange(TILE_SIZE) - TILE_CENTRE) < 0.6
    assert REFERENCE.max() == 255


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (20, 20), (7, 3000)])
def test_any_crop_fits(shape):
    assert fit_tile(np.full(shape, 200, np.uint8)).shape == (TILE_SIZE, TILE_SIZE)
    assert fit_tile(np.zeros(shape, np.uint8)).max() == 0


BROKEN = {
    "empty": b"",
    "text": b"hello",
    "truncated": coded(seven())[:300],
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><text>7</text></svg>",
    "not finite": np.full((30, 30), np.nan),
    "five channels": np.zeros((30, 30, 5), np.uint8),
    "words": np.array([["7"]]),
    "nothing": None,
    "no pixels": np.zeros((0, 5), np.uint8),
    "too many pixels": Image.new("1", (10_000, 6_000)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_picture_is_an_image_error(name):
    with pytest.raises(ImageError):
        opened(BROKEN[name])


def test_paths_that_are_no_pictures(tmp_path):
    for path in (tmp_path, tmp_path / "absent.png"):
        with pytest.raises(ImageError, match=path.name):
            opened(path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("value", [0, 100, 255])
def test_a_blank_sheet_holds_nothing(value):
    prepared = prepare(np.full((300, 200), value, np.uint8))
    assert prepared.box is None and prepared.tile.max() == 0


def test_the_box_lies_on_the_photo_as_it_was_opened():
    picture = np.full((3000, 2600), 225, np.uint8)
    picture[1000:1800, 500:1140] = cv2.resize(seven(), (640, 800))
    left, top, right, bottom = prepare(picture).box
    assert 600 < left < 680 and 960 < right < 1040 and 1100 < top < 1180 and 1620 < bottom < 1700


def test_polarity_and_its_doubt():
    photo = opened(seven())
    assert find_polarity(photo) == (False, False) and find_polarity(255 - photo) == (True, False)
    striped = photo.copy()
    striped[:, 80:] = 255 - striped[:, 80:]
    assert find_polarity(striped)[1]


def test_faint_lines_stay_below_the_ink():
    picture = seven()
    picture[::25] = np.minimum(picture[::25], 200)
    assert (find_ink(opened(picture), False)[0][100, :20] < 72).all()
    assert alike(prepare(picture).tile, REFERENCE) > 0.9


def test_a_large_jpeg_is_decoded_small_and_knows_it():
    large = coded(cv2.resize(seven(), (4800, 6000)), "JPEG")
    photo, scale = open_photo(large)
    assert max(photo.shape) <= 4000 and abs(scale * max(photo.shape) - 6000) < 8


def test_a_digit_of_mnist_is_framed_and_two_digits_on_a_tile_are_not():
    assert is_framed(REFERENCE)
    two = np.zeros_like(REFERENCE)
    two[:, :14] = cv2.resize(REFERENCE, (14, 28))
    two[:, 14:] = cv2.resize(REFERENCE, (14, 28))
    assert not is_framed(two)
