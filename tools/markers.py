"""Tables inside documents: what stands between the markers of a name is generated.

The markers are `<!-- NAME -->` and `<!-- /NAME -->`.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results.md"


def fill(path: Path, **contents: str) -> None:
    """Replace what stands between the markers of each name.

    Raises:
        ValueError: The document lacks the markers of a name, or has them twice.
    """
    text = path.read_text()
    for name, content in contents.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text, found = between.subn(lambda m, c=content: f"{m[1]}{c.strip()}\n{m[2]}", text)
        if found != 1:
            raise ValueError(f"{path} has the markers of {name} {found} times instead of once")
    path.write_text(text)


def read_between(path: Path, name: str) -> str:
    """Return what stands between the markers of a name.

    Raises:
        ValueError: The document lacks the markers.
    """
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", path.read_text(), re.DOTALL)
    if not found:
        raise ValueError(f"{path} lacks the markers of {name}")
    return found[1]


def format_table(rows: list[list[str]], alignment: str = "") -> str:
    """Return a Markdown table.

    Args:
        rows: The head and the body, cell by cell.
        alignment: A letter for each column, `l` or `r`; all to the left if it is empty.
    """
    marks = ["---:" if letter == "r" else "---" for letter in alignment or "l" * len(rows[0])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], marks, *rows[1:]])
