"""IDX files: genuine ones are read, and every lie is refused."""

import gzip

import numpy as np
import pytest

from qdigits.data.idx import IMAGES, LABELS, read_idx
from qdigits.errors import DataError
from tests.attacks import idx_files, mutants, tried
from tests.attacks.idx_files import idx
from tests.data.support import assert_refused

WORDS = {  # each guard says what it found
    "labels, not images": "not an IDX file of 28x28 images",
    "60,001 rows": "says it holds 60001 rows",
    "no last byte": "cut off",
    "a byte too many": "longer than its header says",
    "gz: wrong CRC": "cannot be read (CRC check failed",
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_a_genuine_file_is_read(tmp_path, pack):
    labels = np.arange(50, dtype=np.uint8) % 10
    (tmp_path / "labels").write_bytes(pack(idx(labels)))
    np.testing.assert_array_equal(read_idx(tmp_path / "labels", LABELS), labels)


def test_every_file_that_lies_is_refused(tmp_path):
    path = tmp_path / "lie"
    for what, content in idx_files.files():
        path.write_bytes(content)
        outcome = tried(lambda: read_idx(path, IMAGES))
        assert_refused(what, outcome, WORDS.get(what, ""), megabytes=50)


def test_every_guard_is_reached_by_a_lie():
    assert WORDS.keys() <= {what for what, _ in idx_files.files()}


def test_a_damaged_gzip_file_is_refused_or_read_as_before(tmp_path):
    good = idx_files.images(20)
    expected = np.frombuffer(good[16:], np.uint8).reshape(-1, 28, 28)
    for content in mutants(gzip.compress(good), 500):
        (tmp_path / "mutant").write_bytes(content)
        outcome = tried(lambda: read_idx(tmp_path / "mutant", IMAGES), memory=False)
        if not isinstance(outcome.value, DataError):
            assert np.array_equal(outcome.value, expected), outcome
