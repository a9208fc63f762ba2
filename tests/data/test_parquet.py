"""Hugging Face's parquet tables: read, or refused within bounds on memory and time."""

import os

import numpy as np
import pytest

from qdigits.data import parquet
from qdigits.data.loading import load_training
from qdigits.data.parquet import read_parquet
from qdigits.errors import DataError
from tests.attacks import digit_tables, mutants, tried
from tests.data.support import assert_refused

pytest.importorskip("pyarrow", reason="pip install 'qdigits[parquet]'")
LABELS = [row % 10 for row in range(digit_tables.ROWS)]
WORDS = {  # each guard says what it found
    "no PNG": "no PNG file",
    "no picture": "no file of at most 4,096 bytes",
    "a large picture": "no file of at most 4,096 bytes",
    "32x32": "32 x 32 pixels, not 28 x 28",
    "a large cell": "no file of at most 4,096 bytes",
    "a dictionary that swells": "takes more than 1,024 MB of memory",
    "labels of 10": "labels run from 10 to 10",
}


@pytest.mark.parametrize("shards", [1, 3])
def test_genuine_tables_are_read_in_order(tmp_path, shards):
    pictures = digit_tables.pngs()
    paths = [tmp_path / f"train-{shard:05}-of-{shards:05}.parquet" for shard in range(shards)]
    for path in paths:
        path.write_bytes(digit_tables.parquet(pictures, LABELS))
    tiles, labels = read_parquet(paths)
    np.testing.assert_array_equal(labels, LABELS * shards)
    np.testing.assert_array_equal(tiles[: len(pictures)], digit_tables.digits()[0])


def test_every_table_that_lies_is_refused(tmp_path):
    for what, content in digit_tables.parquet_files():
        (tmp_path / "train-0.parquet").write_bytes(content)
        before = os.times().children_user
        outcome = tried(lambda: load_training("mnist", tmp_path))
        assert_refused(what, outcome, WORDS.get(what, ""), megabytes=20)
        assert os.times().children_user - before < 3, what  # seconds of processor time


def test_a_damaged_table_is_refused_or_read(tmp_path):
    path = tmp_path / "train-0.parquet"
    for number, content in enumerate(
        mutants(digit_tables.parquet(digit_tables.pngs(), LABELS), 20)
    ):
        path.write_bytes(content)
        outcome = tried(lambda: read_parquet([path]), memory=False)
        if isinstance(outcome.value, Exception):
            assert_refused(f"mutant {number}", outcome)


def test_more_rows_than_mnist_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_ROWS", 20)
    path = tmp_path / "train-0.parquet"
    path.write_bytes(digit_tables.parquet(digit_tables.pngs(), LABELS))
    with pytest.raises(DataError, match="30 rows; expected 1 to 20"):
        read_parquet([path])


def test_without_pyarrow_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'qdigits\[parquet\]'"):
        read_parquet([tmp_path / "train-0.parquet"])
