"""What people write: numbers, amounts, dates, and words without meaning.

In a pattern every d stands for a random digit; a pattern that is named twice comes twice as often.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from qdigits.augment.pages.chance import happens, pick

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
DATES = (
    "dd/dd/dddd",
    "dd/dd/dddd",
    "dd/dd/dd",
    "d/d/dd",
    "dd/d/dddd",
    "dd-dd-dd",
    "dd-dd-dddd",
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
    *DATES,
    *DATES,
    "d/d",
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
TOUCHING = ("dd", "ddd", "dddd", "dddddd", "dddddddd", "dd.dd", "ddddd", "d,ddd")
IN_COLUMNS = ("d.dd", "dd.d", "d·dd", "dd,ddd", "-dd")
BESIDE_LABELS = ("d", "d", "dd", "dd", "dddd", "dd.d", "dd/dd/dd")
TERMS = ("d", "dd", "ddd", "dddd", "ddddd", "d.d")
ON_CHEQUES = ("dddddd  ddddddddd  dd", "ddd ddd ddd", "dddddddddddd", ":dddddd: ddddd")
CURRENCIES = ("$ ", "Rs. ", "£", "", "€ ")
CHEQUE_AMOUNTS = (
    "ddd.dd",
    "d,ddd",
    "dd,ddd/-",
    "d,ddd.dd",
    "dddd-dd",
    "dddd/-",
    "ddd",
    "dd.dd",
    "dd,ddd=",
)
OPERATORS = "+++++xx==-÷→*<>,"
VARIABLES = "abcdfhkmnpty"
LETTERS = "AaCcDdEeFfGHhJKkMmNnPpQRrTtUuVvWwXxYy"
"""Letters that nobody takes for digits."""
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


def fill(rng: Generator, pattern: str) -> str:
    """Put random digits in the place of every d."""
    return "".join(str(rng.integers(10)) if c == "d" else c for c in pattern)


def fill_one(rng: Generator, patterns: Sequence[str]) -> str:
    """Fill one of several patterns."""
    return fill(rng, pick(rng, patterns))


def digits(rng: Generator, count: int) -> str:
    """Return so many random digits."""
    return fill(rng, "d" * count)


def number(rng: Generator, signs: float = 0.12, amounts: float = 0.05) -> str:
    """Return a number; a share of them holds signs, and a share symbols."""
    chance = rng.random()
    if chance < amounts:
        return fill_one(rng, AMOUNTS)
    if chance < amounts + signs:
        return fill_one(rng, SIGNED)
    return fill_one(rng, PLAIN)


def word(rng: Generator, longest: int = 9) -> str:
    """Return a word that nobody knows: vowels and consonants mostly take turns."""
    length = int(rng.integers(2, longest + 1))
    letters = []
    for index in range(length):
        is_even = index % 2 == 0
        breaks_turn = happens(rng, 0.2)
        pool = VOWELS if is_even == breaks_turn else CONSONANTS
        letters.append(pick(rng, pool))
    text = "".join(letters)
    chance = rng.random()
    if chance < 0.15:
        return text.upper()
    return text.capitalize() if chance < 0.45 else text


def words(rng: Generator, count: int) -> str:
    """Return so many words with spaces between them."""
    return " ".join(word(rng) for _ in range(count))


def label(rng: Generator) -> str:
    """Return what a form prints before a field."""
    if happens(rng, 0.6):
        return pick(rng, LABELS)
    return word(rng) + pick(rng, ["", ":", ".", " :"])
