"""What is learned from, what is held out, and what is measured on."""

import time

import pytest
import torch

from qdigits.data.idx import IMAGES, read_idx
from qdigits.data.loading import load_test, load_training
from qdigits.data.sources import SOURCES
from qdigits.errors import DataError
from tests.data.support import write_source, writers_of


@pytest.mark.parametrize("name", ["mnist", "qmnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_official_files_hold_validation_out_by_writer(tmp_path, name, packed):
    folder = write_source(tmp_path, packed)
    train, held_out = load_training(name, folder, validation=0.2)
    assert (len(train), len(held_out)) == (320, 80)
    assert len(load_test(name, folder)) == 400
    assert not writers_of(train) & writers_of(held_out)


def test_a_split_has_uint8_tiles_and_int64_columns(source):
    train, _ = load_training("mnist", source, validation=0.2)
    assert train.images.dtype == torch.uint8
    assert train.images.shape == (320, 28, 28)
    assert train.labels.dtype == train.writers.dtype == train.series.dtype == torch.int64
    assert set(train.series.tolist()) == {4}


def test_the_seed_alone_draws_the_writers_held_out(source):
    train, held_out = load_training("mnist", source, validation=0.2)
    train_again, _ = load_training("mnist", source, validation=0.2)
    _, others = load_training("mnist", source, validation=0.2, seed=1)
    assert torch.equal(train.images, train_again.images)
    assert writers_of(others) != writers_of(held_out)


def test_the_images_are_those_of_the_file(source):
    whole = read_idx(source / "train-images-idx3-ubyte.gz", IMAGES)
    train, held_out = load_training("mnist", source)
    both = torch.cat([train.images, held_out.images]).numpy()
    assert sorted(row.tobytes() for row in both) == sorted(row.tobytes() for row in whole)


@pytest.mark.parametrize("split", ["writer", "random"])
def test_the_other_splits_divide_all_digits_once(source, split):
    train, held_out = load_training("qmnist", source, split, validation=0.1)
    test = load_test("qmnist", source, split)
    rows = [row.tobytes() for part in (train, held_out, test) for row in part.images.numpy()]
    assert len(set(rows)) == len(rows) == 800
    assert 100 < len(test) < 170


@pytest.mark.parametrize("split", ["writer", "random"])
def test_only_the_random_split_divides_a_writers_digits(source, split):
    train, held_out = load_training("qmnist", source, split, validation=0.1)
    test = load_test("qmnist", source, split)
    parts = [writers_of(part) for part in (train, held_out, test)]
    is_divided = sum(map(len, parts)) > len(set.union(*parts))
    assert is_divided == (split == "random")


def test_without_writers_validation_is_random_and_says_so(source, caplog):
    (source / "qmnist-train-labels-idx2-int.gz").unlink()
    train, held_out = load_training("mnist", source)
    assert (len(train), len(held_out)) == (360, 40)
    assert train.writers is None
    assert "drawn at random" in caplog.text


def test_without_writers_the_writer_split_is_refused(source):
    (source / "qmnist-train-labels-idx2-int.gz").unlink()
    with pytest.raises(DataError, match="by writer"):
        load_training("mnist", source, split="writer")


def test_an_unknown_name_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(DataError, match="there are " + ", ".join(SOURCES)):
        load_training("minst", tmp_path)
    with pytest.raises(DataError, match="there are official, writer, random"):
        load_training("mnist", tmp_path, split="kfold")


def test_the_real_files_load_within_two_seconds(mnist):
    began = time.process_time()
    train, held_out = load_training("mnist", mnist)
    assert time.process_time() - began < 2
    assert len(train) + len(held_out) == 60_000
    assert not writers_of(train) & writers_of(held_out)
