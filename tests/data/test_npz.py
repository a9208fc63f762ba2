"""Keras' mnist.npz: read, or refused with nothing run and little memory taken."""

import numpy as np
import pytest

from qdigits.data.loading import load_training
from qdigits.data.npz import read_npz
from tests.attacks import digit_tables, mutants, tried
from tests.data.support import assert_refused

WORDS = {  # each guard says what it found
    "no labels": "there is no y_train.npy",
    "objects": "an array of object",
    "claims 60,001 rows": "60001 rows; expected 1 to 60000",
    "claims 60,000 rows": "cut off, or longer",
    "numbers beyond 255": "expected 0 to 255",
    "a bomb in LZMA": "compressed in an unusual way",
    "another version": "another version",
    "fewer labels": "30 images but 29 labels",
}


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, ">i4"])
def test_a_genuine_file_is_read(tmp_path, compressed, dtype):
    images, labels = digit_tables.digits()
    arrays = {"x_train": images, "y_train": labels.astype(dtype)}
    (tmp_path / "mnist.npz").write_bytes(digit_tables.npz(compressed, **arrays))
    read_images, read_labels = read_npz(tmp_path / "mnist.npz", "train")
    np.testing.assert_array_equal(read_images, images)
    np.testing.assert_array_equal(read_labels, labels)


def test_every_file_that_lies_is_refused(tmp_path):
    for what, content in digit_tables.npz_files():
        (tmp_path / "mnist.npz").write_bytes(content)
        outcome = tried(lambda: load_training("mnist", tmp_path))
        assert_refused(what, outcome, WORDS.get(what, ""), megabytes=250)


def test_a_damaged_file_is_refused_or_read_as_before(tmp_path):
    images, _ = digit_tables.digits()
    for number, content in enumerate(mutants(digit_tables.keras(), 200)):
        (tmp_path / "mnist.npz").write_bytes(content)
        outcome = tried(lambda: read_npz(tmp_path / "mnist.npz", "train")[0], memory=False)
        if isinstance(outcome.value, np.ndarray):
            np.testing.assert_array_equal(outcome.value, images)
        else:
            assert_refused(f"mutant {number}", outcome)
