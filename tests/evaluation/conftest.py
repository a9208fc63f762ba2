"""Labelled digits."""

import pytest

from qdigits.data.split import Split
from tests.evaluation.support import make_digits


@pytest.fixture
def digits() -> Split:
    return make_digits()
