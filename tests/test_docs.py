"""The documentation is under test: what it shows runs, what there is it names, what it draws is so."""

import re
import shlex
import subprocess
import sys
from functools import wraps
from pathlib import Path

import pytest

from qdigits import cli
from qdigits.config import RECIPES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.M | re.S)
TREE = next(block for kind, block in BLOCKS if not kind)
GUIDES = ["CONTRIBUTING.md", "MODEL_CARD.md", "CHANGELOG.md"]


def blocks(kind):
    return [block for found, block in BLOCKS if found == kind]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "7"


@pytest.mark.parametrize("session", blocks("console"))
def test_console_sessions_print_what_they_show(session, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    command, *shown = session.splitlines()
    assert cli.main(shlex.split(command)[2:]) == 0
    printed = capsys.readouterr().out.splitlines()
    but_confidence = [line.split("\t")[:2] for line in shown]
    assert [line.split("\t")[:2] for line in printed] == but_confidence


SHELL = [line.split("#")[0].strip() for text in [README, (ROOT / "MODEL_CARD.md").read_text()]
         for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]  # fmt: skip


@pytest.mark.parametrize("line", [line for line in SHELL if "qdigits " in line])
def test_commands_are_ones_that_qdigits_takes(line, monkeypatch):
    arguments = shlex.split(line.partition("qdigits ")[2])
    called = []
    for verb, function in cli.VERBS.items():
        monkeypatch.setitem(cli.VERBS, verb, wraps(function)(lambda verb=verb, **_: called.append(verb) or 0))
    assert cli.main(arguments) == 0
    assert called == arguments[:1]


def test_every_make_target_named_exists():
    named = {line.split()[1] for line in SHELL if line.startswith("make ")}
    assert {"app", "test"} <= named <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))


def test_every_command_flag_and_recipe_is_documented(capsys):
    for verb in cli.VERBS:
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"])
        flags = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
        missing = {name for name in {f"qdigits {verb}", *flags} if name not in README}
        assert not missing, f"README.md does not mention {missing}"
    assert [name for name in RECIPES if f"`{name}`" not in README] == []


def test_every_environment_variable_is_documented():
    code = "".join(path.read_text() for path in [ROOT / "app.py", *ROOT.glob("qdigits/*.py")])
    assert [name for name in set(re.findall(r"QDIGITS_[A-Z_]+", code)) if f"`{name}`" not in README] == []


def test_the_tree_is_true():
    drawn = set(re.findall(r"^\s*([\w.]+\.(?:py|pth))\b", TREE, re.M))
    there = {path.name for path in [*ROOT.glob("*.py"), *ROOT.glob("qdigits/*.py"), *ROOT.glob("*.pth")]}
    assert drawn == there
    folders = set(re.findall(r"^(\w+)/", TREE, re.M))
    assert folders == {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"} - {"runs"}


@pytest.mark.parametrize("name", ["README.md", *GUIDES])
def test_links_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text())
    assert [t for t in targets if not t.startswith("http") and not (ROOT / t).exists()] == []


def test_requirements_pin_what_is_installed():
    """What people get is what was tested."""
    from importlib.metadata import version

    pins = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M))
    assert {name: version(name).split("+")[0] for name in pins} == pins
