"""The documentation is tested: code runs, names exist, links lead somewhere, drawings are true."""

import ast
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from functools import wraps
from pathlib import Path

import pytest

import qdigits
from qdigits import cli, errors
from qdigits.data.sources import SOURCES
from qdigits.training.recipes import RECIPES
from tools import build_log_index, build_tables, import_graph
from tools.build_cli_docs import help_sections
from tools.markers import RESULTS, format_table, read_between

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.M | re.S)
TREE = next(block for kind, block in BLOCKS if not kind)
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "docs/log", "docs/learn")
    for path in (ROOT / folder).glob("*.md")
)


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


def shell_lines(text):
    """The commands in the shell blocks of a page, without their comments."""
    shell_blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [line.split("#")[0].strip() for block in shell_blocks for line in block.splitlines()]
    return [line for line in lines if line]


SHELL = [line for name in PAGES for line in shell_lines((ROOT / name).read_text())]


@pytest.mark.parametrize("line", [line for line in SHELL if re.search(r"(^|[|&] *)qdigits ", line)])
def test_commands_are_ones_that_qdigits_takes(line, monkeypatch):
    arguments = shlex.split(line.partition("qdigits ")[2])
    called = []
    for verb, function in cli.VERBS.items():
        monkeypatch.setitem(
            cli.VERBS, verb, wraps(function)(lambda verb=verb, **_: called.append(verb) or 0)
        )
    assert cli.main(arguments) == 0
    assert called == arguments[:1]


def test_every_make_target_named_exists():
    named = {line.split()[1] for line in SHELL if line.startswith("make ")}
    assert (
        {"app", "test"}
        <= named
        <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    )


def test_every_command_and_flag_is_documented(capsys):
    page = (ROOT / "docs" / "cli.md").read_text() + (ROOT / "docs" / "training.md").read_text()
    for verb in cli.VERBS:
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"])
        flags = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
        missing = {name for name in {f"qdigits {verb}", *flags} if name not in page}
        assert not missing, f"docs/cli.md does not mention {missing}"


def test_the_page_of_the_command_is_its_help():
    assert read_between(ROOT / "docs" / "cli.md", "help") == help_sections()


def test_every_recipe_setting_and_source_is_documented():
    pages = (ROOT / "docs" / "training.md").read_text() + (ROOT / "docs" / "cli.md").read_text()
    settings = {field.name for config in RECIPES.values() for field in fields(config)}
    missing = [name for name in (*RECIPES, *SOURCES) if f"`{name}`" not in pages]
    missing += [name for name in settings if f"`{name}`" not in pages]
    assert missing == []


def test_every_environment_variable_is_documented():
    code = "".join(path.read_text() for path in [ROOT / "app.py", *ROOT.glob("qdigits/**/*.py")])
    page = (ROOT / "docs" / "cli.md").read_text()
    names = set(re.findall(r"QDIGITS_[A-Z_]+", code))
    assert [name for name in names if f"`{name}`" not in page] == []


def folders_in(path):
    return {child.name for child in path.iterdir() if child.is_dir() and child.name[0] not in "._"}


def test_layout_names_every_folder():
    layout = README.partition("## Project layout")[2]
    at_top = folders_in(ROOT) - {"runs", "site"}
    assert [name for name in at_top if f"{name}/" not in layout] == []
    assert set(re.findall(r"^  (\w+)/", TREE, re.M)) == folders_in(ROOT / "qdigits")


def test_citation_has_the_version():
    assert f"version: {qdigits.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def anchors_in(page):
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {build_log_index.anchor_of(heading) for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text()):
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        if target.startswith(("http://", "https://")):
            continue
        if not page.exists() or (anchor and anchor not in anchors_in(page)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("docs/log/")])
def test_files_named_are_there(name):
    """Names of Python files are relative to the repository, to the package or to the page."""
    named = set(re.findall(r"`([\w./-]+\.(?:py|toml))`", (ROOT / name).read_text()))
    bases = (ROOT, ROOT / "qdigits")
    assert {file for file in named if not any((base / file).exists() for base in bases)} == set()


def test_readme_has_at_most_130_lines():
    assert len(README.splitlines()) <= 130


def test_tables_are_what_the_tool_writes():
    accuracies = build_tables.read_accuracies()
    rows = [build_tables.HEAD, *map(build_tables.accuracy_row, accuracies)]
    assert read_between(RESULTS, "results") == format_table(rows)
    assert read_between(build_tables.README, "models") == build_tables.model_table(accuracies)
    assert read_between(build_tables.README, "yours") == build_tables.your_digits_table()


def test_architecture_shows_the_levels_and_the_errors_as_they_are():
    shown = (ROOT / "docs" / "architecture.md").read_text()
    docstring = ast.get_docstring(ast.parse(import_graph.DRAWING.read_text())) or ""
    assert docstring.partition("\n\n")[2] in shown
    for line in (errors.__doc__ or "").splitlines():
        assert not line.startswith(("QDigitsError", "├", "└")) or line in shown


def test_log_index_lists_every_experiment():
    index = (build_log_index.LOG / "README.md").read_text()
    table = build_log_index.build_index(build_log_index.read_entries())
    assert table in index, "run python -m tools.build_log_index"


def test_log_has_newest_experiments_first():
    for path in build_log_index.LOG.glob("*.md"):
        dates = re.findall(r"^## (\d{4}-\d\d-\d\d) ", path.read_text(), re.M)
        if path.name != "README.md":
            assert dates == sorted(dates, reverse=True), path.name
            assert dates, f"{path.name} has no entries"


def test_log_tells_whether_averaged_weights_were_tried_for_fast995():
    (entry,) = [
        e for e in build_log_index.read_entries() if e.title.startswith("fast995: averaged")
    ]
    assert entry.outcome == "rejected"
    assert "99.30 % instead of 99.31" in entry.effect


def test_requirements_pin_what_is_installed():
    """What people get is what was tested."""
    from importlib.metadata import version

    files = (ROOT / "requirements.txt", ROOT / "requirements-train.txt")
    text = "\n".join(path.read_text() for path in files)
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", text, re.M))
    assert {name: version(name).split("+")[0] for name in pins} == pins
