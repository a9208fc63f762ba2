"""A folder of one's own pictures: strays are passed over, and a blank sheet is never learned."""

import cv2
import numpy as np
import pytest

from qdigits.data.folder import read_folder
from qdigits.data.loading import load_test, load_training
from qdigits.errors import DataError


def write_digits(folder, copies=6):
    """Write dark digits on light paper, as a scanner sees them."""
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
        for copy in range(copies):
            page = np.full((80, 80, 3), 240, np.uint8)
            cv2.putText(page, str(digit), (18 + copy, 62), 0, 2, (30, 30, 30), 4 + copy % 3)
            cv2.imwrite(str(folder / str(digit) / f"{copy}.png"), page)
    return folder


def test_each_picture_becomes_a_tile_with_its_folder_as_label(tmp_path):
    images, labels = read_folder(write_digits(tmp_path))
    assert images.shape == (60, 28, 28)
    assert labels.tolist() == [digit for digit in range(10) for _ in range(6)]
    assert images.max((1, 2)).min() > 128


def test_a_folder_is_divided_into_three_parts(tmp_path):
    write_digits(tmp_path)
    train, held_out = load_training("folder", tmp_path)
    test = load_test("folder", tmp_path)
    assert (len(train), len(held_out), len(test)) == (45, 5, 10)


@pytest.mark.parametrize("stray", ["Thumbs.db", "readme.txt", "desktop.ini", "notes"])
def test_a_stray_file_is_passed_over_with_a_word(tmp_path, caplog, stray):
    write_digits(tmp_path)
    (tmp_path / "3" / stray).write_bytes(b"mine")
    images, _ = read_folder(tmp_path)
    assert len(images) == 60
    assert f"3/{stray}; passed over" in caplog.text


def test_hidden_files_and_other_folders_are_passed_over_in_silence(tmp_path, caplog):
    write_digits(tmp_path)
    (tmp_path / "3" / ".DS_Store").touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / "3" / "more").mkdir()
    assert len(read_folder(tmp_path)[0]) == 60
    assert not caplog.text


@pytest.mark.parametrize("size", [(80, 80, 3), (28, 28)], ids=["photo", "tile"])
@pytest.mark.parametrize("grey", [0, 128, 240, 255])
def test_a_blank_sheet_is_left_out_with_a_word(tmp_path, caplog, size, grey):
    write_digits(tmp_path)
    cv2.imwrite(str(tmp_path / "3" / "blank.png"), np.full(size, grey, np.uint8))
    _, labels = read_folder(tmp_path)
    assert (labels == 3).sum() == 6
    assert "no digit on 3/blank.png; left out" in caplog.text


def test_the_folder_training_is_found_and_testing_left_alone(tmp_path, caplog):
    write_digits(tmp_path / "training")
    write_digits(tmp_path / "testing", copies=1)
    assert len(read_folder(tmp_path)[0]) == 60
    assert "only the folders in training are read" in caplog.text


def test_a_damaged_picture_is_named(tmp_path):
    write_digits(tmp_path)
    (tmp_path / "7" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"7/0\.png: 0 bytes"):
        read_folder(tmp_path)


def test_a_folder_without_pictures_is_refused_with_what_it_holds(tmp_path):
    (tmp_path / "scans").mkdir()
    with pytest.raises(DataError, match=r"no pictures in folders 0 to 9; it holds scans/"):
        read_folder(tmp_path)


def test_blank_sheets_alone_are_refused(tmp_path):
    (tmp_path / "3").mkdir()
    cv2.imwrite(str(tmp_path / "3" / "blank.png"), np.full((80, 80), 240, np.uint8))
    with pytest.raises(DataError, match="no digit on any picture"):
        read_folder(tmp_path)
