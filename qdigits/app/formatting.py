"""How the page writes numbers, names and tables: one function for each kind, used everywhere."""

import re

import pandas as pd

from qdigits.files import inert_cell


def percent(share: float) -> str:
    """Write a share with one decimal and a space that never breaks; no rounding to certainty."""
    if 0.999 < share < 1:
        return "over 99.9\u00a0%"
    if 0 < share < 0.001:
        return "under 0.1\u00a0%"
    return f"{100 * share:.1f}\u00a0%"


def errors_of_10_000(share_right: float) -> str:
    """Write how many of 10,000 digits go wrong: it tells good models apart, percent does not."""
    return f"{10_000 * (1 - share_right):,.0f} of 10,000 wrong"


def plain(text: str) -> str:
    """Return text in which Markdown means nothing: a file name could fetch a picture."""
    return re.sub(r"([\\`*_\[\]<>#!~$|])", r"\\\1", text)


def inert_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV without cells that a spreadsheet takes for formulas."""
    return table.map(lambda cell: inert_cell(cell) if isinstance(cell, str) else cell).to_csv(
        index=False
    )
