"""What people write: numbers, amounts, dates, and words without meaning."""

from __future__ import annotations

import numpy as np

PLAIN = (
    "d",
    "d",
    "dd",
    "dd",
    "ddd",
    "dddd",
    "ddddd",
    "dddddd",
    "ddddddd",
    "dddddddd",
    "dddddddddd",
)
SIGNED = (
    "d.d",
    "dd.d",
    "d.dd",
    "dd.dd",
    "ddd.dd",
    "d·dd",
    "dd·dd",
    ".dd",
    "·dd",
    "d,d",
    "dd,dd",
    "d,ddd",
    "dd,ddd",
    "d,dd,ddd",
    "-d",
    "-dd",
    "-ddd",
    "-d.d",
    "dd/dd/dd",
    "dd/dd/dddd",
    "dd-dd-dddd",
    "dd.dd.dddd",
    "dddd-dd-dd",
    "dd:dd",
    "d:dd",
    "dd:dd:dd",
    "ddd-dddd",
    "ddd-ddd-dddd",
    "dddd-dddd",
    "d-d",
    "d:d",
    "dd-dd",
)
AMOUNTS = (
    "$d",
    "$d,ddd",
    "$dddd",
    "ddd%",
    "dd.d%",
    "d+d",
    "dd+dd=dd",
    "ddxd",
    "$dd",
    "$ddd",
    "$dd.dd",
    "£dd",
    "€dd",
    "dd,ddd/-",
    "ddd/-",
    "dddd/-",
    "dd%",
    "d%",
    "d.d%",
    "+ddddd",
    "#d",
    "(dd)",
    "dd*",
    "d)",
    "(d)",
    "+d",
    "dd°",
    "xd",
    "d=",
    "d+d=d",
    "~dd",
)
CONSONANTS = "bcdfghjklmnprstvwyz"
VOWELS = "aeiou"
LABELS = (
    "Age:",
    "Name",
    "Date:",
    "No.",
    "Total",
    "Marks:",
    "Semester:",
    "Grade:",
    "Roll No",
    "Phone",
    "Amount",
    "Page",
    "No of pages:",
    "Q.",
    "Sum",
    "Score",
    "Class:",
    "Code",
    "ID",
    "Tel.",
    "Qty",
    "Price",
    "Room",
    "Points",
    "Year",
)


def fill(rng: np.random.Generator, pattern: str) -> str:
    """Put random digits in the place of every d."""
    return "".join(str(rng.integers(10)) if c == "d" else c for c in pattern)


def number(rng: np.random.Generator, signs: float = 0.12, amounts: float = 0.05) -> str:
    """Return a number; a share of them holds signs, and a share symbols."""
    chance = rng.random()
    patterns = AMOUNTS if chance < amounts else SIGNED if chance < amounts + signs else PLAIN
    return fill(rng, patterns[rng.integers(len(patterns))])


def word(rng: np.random.Generator, longest: int = 9) -> str:
    """Return a word that nobody knows."""
    length = int(rng.integers(2, longest + 1))
    letters = []
    for index in range(length):
        pool = VOWELS if (index % 2 == 1) != (rng.random() < 0.2) else CONSONANTS
        letters.append(pool[rng.integers(len(pool))])
    text = "".join(letters)
    chance = rng.random()
    return text.upper() if chance < 0.15 else text.capitalize() if chance < 0.45 else text


def label(rng: np.random.Generator) -> str:
    """Return what a form prints before a field."""
    if rng.random() < 0.6:
        return LABELS[rng.integers(len(LABELS))]
    return word(rng) + rng.choice(["", ":", ".", " :"])
