"""Kaggle's pickle of MNIST-120k: read without being run, or refused."""

import os

import numpy as np
import pytest

from qdigits.data.kaggle import read_kaggle
from qdigits.data.loading import load_test, load_training
from qdigits.data.split import Split
from qdigits.errors import DataError
from tests.attacks import kaggle_pickles, model_files, mutants, tried
from tests.data.support import assert_refused

WORDS = {  # each guard says what it found
    "alone: os.system": "it asks for 'os.system'",
    "data: 32x32": "it has images of (32, 32)",
    "data: objects": "other things than integers",
    "data: nothing": "it lacks an array",
    "a tuple as key": "a key that is neither text nor number",
    "fewer labels": "30 images but 29 labels",
    "labels of 10": "labels run from 10 to 10",
    "labels missing": "damaged, or not Kaggle's",
}


@pytest.mark.filterwarnings("ignore:numpy.core:DeprecationWarning")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("numpy", [1, 2])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_genuine_file_is_read_bit_for_bit(tmp_path, protocol, numpy, order):
    digits = {
        name: np.asarray(array, order=order) for name, array in kaggle_pickles.digits().items()
    }
    content = kaggle_pickles.genuine(digits, protocol, numpy)
    assert (b"numpy.core" in content) == (numpy == 1)
    (tmp_path / "MNIST-120k").write_bytes(content)
    images, labels = read_kaggle(tmp_path / "MNIST-120k")
    np.testing.assert_array_equal(images, digits["data"])
    np.testing.assert_array_equal(labels, digits["labels"].ravel())


def test_its_digits_are_divided_once(tmp_path):
    content = kaggle_pickles.genuine(kaggle_pickles.digits(), protocol=4, numpy=2)
    (tmp_path / "MNIST-120k").write_bytes(content)
    train, held_out = load_training("mnist120k", tmp_path)
    test = load_test("mnist120k", tmp_path)
    assert len(train) + len(held_out) + len(test) == kaggle_pickles.ROWS


def test_every_attack_is_refused_and_nothing_is_run(tmp_path):
    model_files.CANARY.unlink(missing_ok=True)
    attacks = list(kaggle_pickles.files())
    for what, content in attacks:
        (tmp_path / "MNIST-120k").write_bytes(content)
        outcome = tried(lambda: load_test("mnist120k", tmp_path))
        assert_refused(what, outcome, WORDS.get(what, ""))
    assert len(attacks) > 100
    assert not model_files.CANARY.exists()


def test_a_file_of_a_terabyte_is_not_read(tmp_path):
    (tmp_path / "MNIST-120k").touch()
    os.truncate(tmp_path / "MNIST-120k", 2**40)  # sparse
    with pytest.raises(DataError, match="1 to 268,435,456 can be read"):
        load_test("mnist120k", tmp_path)


@pytest.mark.parametrize("protocol", [2, 5])
def test_a_damaged_file_is_refused_or_read(tmp_path, protocol):
    good = kaggle_pickles.genuine(kaggle_pickles.digits(3), protocol, 2)
    for content in mutants(good, 300):
        (tmp_path / "MNIST-120k").write_bytes(content)
        outcome = tried(lambda: load_test("mnist120k", tmp_path), memory=False)
        assert isinstance(outcome.value, DataError | Split), outcome
