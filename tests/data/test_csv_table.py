"""Tables of digits as Kaggle writes them: read, or refused line by line."""

import numpy as np
import pytest

from qdigits.data import csv_table
from qdigits.data.csv_table import read_csv
from qdigits.data.loading import load_training
from qdigits.errors import DataError
from tests.attacks import digit_tables, tried
from tests.data.support import assert_refused

WORDS = {  # each guard says what it found
    "no labels": "Kaggle keeps the labels of its test.csv",
    "another table": "it has 3 columns",
    "names alone": "no digits",
    "a column too many": "rows of 786 numbers",
    "one endless line": "a line of 10,000 characters or more",
    "an endless first line": "a line of 10,000 characters or more",
    "a number beyond 255": "could not convert string '256'",
    "labels of 10": "labels run from 10 to 10",
}


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("start", [b"", "\ufeff".encode()], ids=["plain", "byte order mark"])
def test_a_genuine_table_is_read(tmp_path, names, start):
    images, labels = digit_tables.digits()
    (tmp_path / "train.csv").write_bytes(start + digit_tables.csv(names=names))
    read_images, read_labels = read_csv(tmp_path / "train.csv")
    np.testing.assert_array_equal(read_images, images)
    np.testing.assert_array_equal(read_labels, labels)


def test_the_column_label_may_be_the_last(tmp_path):
    lines = [line.split(",") for line in digit_tables.csv().decode().splitlines()]
    moved = "\n".join(",".join([*line[1:], line[0]]) for line in lines)
    (tmp_path / "train.csv").write_text(moved)
    _, labels = read_csv(tmp_path / "train.csv")
    np.testing.assert_array_equal(labels, digit_tables.digits()[1])


def test_every_table_that_lies_is_refused(tmp_path):
    for what, content in digit_tables.csv_files():
        (tmp_path / "train.csv").write_bytes(content)
        outcome = tried(lambda: load_training("mnist42k", tmp_path))
        assert_refused(what, outcome, WORDS.get(what, ""), megabytes=50)


def test_a_table_of_too_many_rows_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "MAX_ROWS", 20)
    (tmp_path / "train.csv").write_bytes(digit_tables.csv(21))
    with pytest.raises(DataError, match="more than 20 rows"):
        read_csv(tmp_path / "train.csv")
