"""Write the table of docs/log/README.md from the headings of the entries beside it.

    python -m tools.build_log_index

An entry begins with `## DATE · TITLE (OUTCOME)` and has a line `- **Effect:** ...`.
"""

import re
from pathlib import Path
from typing import NamedTuple

LOG = Path(__file__).parent.parent / "docs" / "log"
OUTCOMES = ("adopted", "rejected", "finding")
MARKERS = re.compile(r"(<!-- entries -->\n).*?(<!-- /entries -->)", re.DOTALL)
HEADING = re.compile(r"## (\d{4}-\d\d-\d\d) · (.+) \((\w+)\)")
EFFECT = re.compile(r"^- \*\*Effect:\*\* (.+?)(?=\n\n|\n- |\Z)", re.MULTILINE | re.DOTALL)


class Entry(NamedTuple):
    """One experiment of the log."""

    date: str
    title: str
    outcome: str
    effect: str
    file: str
    anchor: str


def read_entries(log: Path = LOG) -> list[Entry]:
    """Return the experiments of all files, newest first.

    Raises:
        ValueError: A heading has another form, an outcome is unknown, or an effect is missing.
    """
    entries = []
    for path in sorted(log.glob("*.md")):
        if path.name == "README.md":
            continue
        for block in re.split(r"^(?=## )", path.read_text(), flags=re.MULTILINE)[1:]:
            entries.append(read_entry(block, path.name))
    return sorted(entries, key=lambda entry: entry.date, reverse=True)


def read_entry(block: str, file: str) -> Entry:
    """Return the experiment that one heading and the text below it describe."""
    heading = block.splitlines()[0]
    parts = HEADING.fullmatch(heading)
    effect = EFFECT.search(block)
    if not parts or parts[3] not in OUTCOMES or not effect:
        raise ValueError(f"{file}: {heading!r} needs '## DATE · TITLE (OUTCOME)' and an effect")
    text = " ".join(effect[1].split())
    return Entry(parts[1], parts[2], parts[3], text, file, anchor_of(heading[3:]))


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def build_index(entries: list[Entry]) -> str:
    """Return the table of all experiments in Markdown."""
    rows = ["| date | experiment | outcome | effect |", "| --- | --- | --- | --- |"]
    for entry in entries:
        link = f"[{entry.title}]({entry.file}#{entry.anchor})"
        rows.append(f"| {entry.date} | {link} | {entry.outcome} | {entry.effect} |")
    return "\n".join(rows)


def main() -> None:
    """Replace the table between the markers of docs/log/README.md."""
    index = LOG / "README.md"
    table = build_index(read_entries())
    index.write_text(MARKERS.sub(lambda m: f"{m[1]}{table}\n{m[2]}", index.read_text()))


if __name__ == "__main__":
    main()
