"""Writes the help of every command into docs/cli.md, between the markers named `help`.

    python -m tools.build_cli_docs

A test compares the page with the help, so it never falls behind.
"""

import io
import os
from contextlib import redirect_stdout, suppress

from qdigits import cli
from tools.markers import ROOT, fill

PAGE = ROOT / "docs" / "cli.md"
COLUMNS = "96"  # letters in a line of the help


def help_of(*arguments: str) -> str:
    """Return what `qdigits ARGUMENTS --help` prints."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = COLUMNS
    try:
        with redirect_stdout(io.StringIO()) as out, suppress(SystemExit):
            cli.main([*arguments, "--help"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def help_sections() -> str:
    """Return the help of the command and of each of its verbs as Markdown."""
    sections = [f"```\n{help_of()}\n```"]
    for verb in cli.VERBS:
        sections.append(f"## qdigits {verb}\n\n```\n{help_of(verb)}\n```")
    return "\n\n".join(sections)


if __name__ == "__main__":
    fill(PAGE, help=help_sections())
