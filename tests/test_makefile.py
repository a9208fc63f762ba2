"""`make` alone lists what there is; the page comes without PyTorch, and says how to go on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
if not shutil.which("make"):
    pytest.skip("these tests need make", allow_module_level=True)


def run_make(*words):
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def read_pins(name):
    return set(re.findall(r"^([\w-]+)==", (ROOT / name).read_text(), re.MULTILINE))


def test_make_alone_lists_every_target():
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = re.findall(r"^  make (\w+) ", run_make(), re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())


def test_page_is_installed_without_torch():
    assert {"numpy", "onnxruntime", "streamlit"} <= read_pins("requirements.txt")
    assert not {"torch", "onnxscript"} & read_pins("requirements.txt")
    assert "requirements-train" not in run_make("--dry-run", "--always-make", "app")


@pytest.mark.parametrize("target", ["train", "test"])
def test_what_trains_brings_torch(target):
    assert "torch" in read_pins("requirements-train.txt")
    assert "-r requirements-train.txt" in run_make("--dry-run", "--always-make", target)


def test_make_app_says_the_size_the_address_and_how_to_go_on():
    said = run_make("--dry-run", "--always-make", "app", "PORT=8599")
    assert "MB" in said
    assert "http://localhost:8599" in said
    assert "source .venv/bin/activate" in said
