"""Score an answer against its label: digits, rows, pictures, honesty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from qdigits.evaluation.metrics import edit_distance
from tools.result_table import Line

UNREADABLE = "+$%="  # may be left out, but then nothing may be accepted


def read_truth(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file of a case with its text; remarks are cut off."""
    for line in (folder / "truth.txt").read_text().splitlines():
        name, truth = line.split("\t")
        truth = truth.split("(")[0].strip()
        if truth.endswith(", seven times"):
            truth = " ".join([truth.split(",")[0]] * 7)
        yield folder / name, truth


class Answer(NamedTuple):
    """What a reader says about a picture."""

    text: str
    accepted: bool  # there is an answer, and all of it was accepted


class PageScore(NamedTuple):
    """One picture of numbers, scored on its digits alone."""

    edits: int  # digits wrong, missing or invented
    digits: int
    rows_right: int  # of the label's rows, those that stand in the answer
    rows: int
    right: bool  # every row is right, and there is none besides
    accepted: bool


def score_page(label: str, answer: Answer) -> PageScore:
    """Score an answer on its digits.

    Args:
        label: rows separated by "/", numbers in a row by "|".
        answer: rows separated by newlines.
    """
    truth = [_digits(row) for row in label.split("/")]
    found = [row for row in map(_digits, answer.text.split("\n")) if row]
    return PageScore(
        edits=edit_distance("".join(truth), "".join(found)),
        digits=len("".join(truth)),
        rows_right=sum(row in found for row in truth),
        rows=len(truth),
        right=truth == found,
        accepted=answer.accepted,
    )


def _digits(row: str) -> str:
    return "".join(letter for letter in row if letter in "0123456789")


class CaseScore(NamedTuple):
    """One small case, scored as its truth.txt says."""

    right: bool
    wrong_but_accepted: bool


def score_case(truth: str, answer: Answer) -> CaseScore:
    """Compare digits, signs and spaces; an unreadable sign may miss if nothing is accepted."""
    wanted, found = (" ".join(text.replace("\n", " / ").split()) for text in (truth, answer.text))
    if any(sign in truth for sign in UNREADABLE):
        wanted = wanted.translate(str.maketrans("", "", UNREADABLE)).replace(" ", "")
        right = found.replace(" ", "") == wanted and not answer.accepted
    else:
        right = found == wanted
    return CaseScore(right, answer.accepted and not right)


@dataclass(frozen=True)
class Figure:
    """One row of the scoreboard: hits of count, what they should be, and what the rival reaches."""

    name: str
    hits: int
    count: int
    target: float | None = None
    less_is_better: bool = False
    ratio: bool = False  # the count is another figure, not the number of pictures
    rival_hits: int | None = None
    rival_count: int | None = None

    @property
    def share(self) -> float:
        return self.hits / max(self.count, 1)

    def line(self) -> Line:
        """Return the figure as a line of `make real`, whose target and noise it shares."""
        return Line(self.name, self.share, self.target, self.hits, self.count, self.less_is_better)

    def __str__(self) -> str:
        def show(hits: int | None, count: int | None) -> str:
            if hits is None or count is None:
                return ""
            share = hits / max(count, 1)
            shown = f"{share:.2f} times" if self.ratio else f"{share:.1%}"
            return f"{shown} ({hits:,} of {count:,})"

        wanted = met = ""
        if self.target is not None:
            bound = "at most" if self.less_is_better else "at least"
            wanted = (
                f"{bound} {self.target:.1f} times" if self.ratio else f"{bound} {self.target:.1%}"
            )
            met = "yes" if self.line().met else "**no**"
        ours, rival = show(self.hits, self.count), show(self.rival_hits, self.rival_count)
        return f"| {self.name} | {ours} | {wanted} | {met} | {rival} |"


def page_figures(scores: Sequence[PageScore]) -> list[tuple[int, int]]:
    """Sum scores: digits wrong, pictures right, rows right, accepted, of these right."""
    accepted = [score for score in scores if score.accepted]
    return [
        (sum(score.edits for score in scores), sum(score.digits for score in scores)),
        (sum(score.right for score in scores), len(scores)),
        (sum(score.rows_right for score in scores), sum(score.rows for score in scores)),
        (len(accepted), len(scores)),
        (sum(score.right for score in accepted), len(accepted)),
    ]
