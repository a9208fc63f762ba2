"""The documentation site builds from the repository alone, and asks no other host for anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")

ROOT = Path(__file__).parent.parent
FETCHED = re.compile(r"<(?:script|img|link|iframe|source)\b[^>]*\b(?:src|href)=\"(https?:[^\"]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    # A proxy that is not there: whatever the build asks of another host fails.
    offline = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | offline, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_site_has_every_page(site):
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").glob("**/*.md")}
    built = {
        page.with_name("index.html" if page.stem == "README" else f"{page.stem}.html")
        for page in pages
    }
    assert {page for page in built if not (site / page).exists()} == set()
    assert (site / "index.html").exists()


def test_reference_is_filled_from_docstrings(site):
    reference = (site / "reference.html").read_text()
    for name in ("load_model", "predict_many", "TrainConfig", "QDigitsError"):
        assert 'id="qdigits.' in reference and f'.{name}"' in reference


def test_pages_fetch_nothing_from_other_hosts(site):
    for page in site.glob("**/*.html"):
        assert not FETCHED.findall(page.read_text()), page.name
    for style in site.glob("**/*.css"):
        assert not re.findall(r"url\([\"']?https?:", style.read_text()), style.name


def test_links_to_files_outside_docs_lead_to_copies(site):
    assert (site / "files" / "examples" / "train_plain.py").exists()
    assert "files/examples/train_plain.py" in (site / "learn" / "4-training.html").read_text()
