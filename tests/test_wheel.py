"""The wheel is complete, small and links to what exists: built, looked into, installed, used."""

import email
import html
import os
import re
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="the wheel is built with hatchling: make test brings it")
ROOT = Path(__file__).parent.parent
MEGABYTE = 10**6
NOT_BUNDLED = {
    *("mnist_mlp.pth", "mnist_mlp.onnx"),  # the textbook network, to compare with
    "page_net.pth",  # training starts from it
}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def files(wheel) -> dict[str, int]:
    """The name of each file in the wheel, and its compressed size."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.compress_size for info in archive.infolist()}


@pytest.fixture(scope="module")
def metadata(wheel) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return email.message_from_bytes(archive.read(name))


def list_tracked(folder):
    """Return the files of a folder that git keeps, relative to the repository."""
    command = ["git", "ls-files", folder]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()


def test_wheel_holds_every_file_of_the_package(files):
    assert set(list_tracked("qdigits")) <= files.keys()


def test_wheel_holds_every_model_that_reading_takes(files):
    weights = {Path(name).name for name in ["mnist_model.pth", *list_tracked("weights")]}
    bundled = {Path(name).name for name in files if name.startswith("qdigits/weights/")}
    assert bundled == weights - NOT_BUNDLED


def test_wheel_holds_what_the_page_reads_and_no_other_results(files):
    pictures = {f"qdigits/{name}" for name in list_tracked("examples") if name[-3:] in "jpg png"}
    reports = {
        f"qdigits/docs/results/{name}/report.json" for name in ("mnist_model", "mnist_small")
    }
    chapters = {f"qdigits/{name}" for name in list_tracked("docs/learn")}
    settings = {"qdigits/app/.streamlit/config.toml"}
    added = {name for name in files if name.split("/")[1] in ("docs", "examples")}
    assert added == pictures | reports | chapters
    assert settings <= files.keys()


def test_wheel_takes_less_than_4_megabytes(files):
    assert sum(files.values()) < 4 * MEGABYTE


def test_wheel_has_no_tests_and_no_tools(files):
    top = {name.split("/")[0] for name in files}
    assert {name for name in top if not name.endswith(".dist-info")} == {"qdigits"}


LINK = re.compile(r"(!?)\[[^]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^]]+)\]\(([^)\s]+)\)")


def test_readme_of_the_wheel_has_no_link_that_leads_nowhere(metadata):
    readme = metadata.get_payload()
    links = LINK.findall(readme)
    assert links and all(to.startswith("https://") and not picture for picture, to in links)
    names = set(re.findall(r" \(`([^`]+\.\w+|LICENSE)`\)", readme))
    linked = {to for picture, to in LINK.findall((ROOT / "README.md").read_text()) if not picture}
    assert names == {to for to in linked if not to.startswith("https://")}
    assert [name for name in names if not (ROOT / name.partition("#")[0]).exists()] == []


def test_pypi_shows_the_readme_of_the_wheel_with_words_for_its_pictures(metadata):
    renderer = pytest.importorskip("readme_renderer.markdown", reason="make test brings it")
    page = renderer.render(metadata.get_payload(), variant="GFM")
    assert page is not None and "<table>" in page and "<img" not in page
    words = html.unescape(re.sub(r"<[^>]+>", "", page))
    pictures = PICTURE.findall((ROOT / "README.md").read_text())
    assert len(pictures) > 1
    for shows, file in pictures:
        assert f"In the repository, {file} shows this: {shows}." in words
        assert (ROOT / file).exists()


def test_wheel_names_no_address_that_nobody_has(metadata):
    assert metadata.get_all("Project-URL") is None


def test_installed_wheel_reads_a_picture_far_from_the_clone(wheel, tmp_path):
    target = tmp_path / "site"
    subprocess.run([*PIP, "install", "--no-deps", "--target", target, wheel], check=True)
    environment = os.environ | {"PYTHONPATH": str(target)}
    code = "import qdigits, sys; print(qdigits.__file__); print(qdigits.__version__)"

    def run(*words):
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert Path(run("-c", code).splitlines()[0]).is_relative_to(target)
    picture = target / "qdigits" / "examples" / "seven.png"
    name, text, confidence = run("-m", "qdigits", "read", str(picture)).rstrip("\n").split("\t")
    assert name == str(picture)
    assert text == "7"
    assert float(confidence) > 0.5
