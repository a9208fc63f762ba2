"""Data sets in small."""

from pathlib import Path

import pytest

from tests.data.support import write_source


@pytest.fixture
def source(tmp_path) -> Path:
    return write_source(tmp_path)
