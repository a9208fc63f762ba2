"""How well a page network finds and names the digits of pages whose truth is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from qdigits.augment.pages.marks import Box, Mark
from qdigits.augment.synthetic_pages import Page
from qdigits.models.page_net import STRIDE, PageAnswer, PageNet

DIGITS = 10
THRESHOLD = 0.4


class PageScore(NamedTuple):
    """Counts of digits over some pages."""

    right: int
    """Found at the right place with the right class."""
    truth: int
    found: int
    pages: int
    turns_right: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / max(self.truth + self.found, 1)

    @property
    def false_per_page(self) -> float:
        """Digits found that are wrong or not there."""
        return (self.found - self.right) / max(self.pages, 1)


def find_digits(answer: PageAnswer, threshold: float = THRESHOLD) -> list[list[Mark]]:
    """Return the digits found on each page: peaks of the heat, strongest first."""
    heat = answer.heat.sigmoid()
    best, kind = heat.max(1)
    strongest_near = F.max_pool2d(best[:, None], 3, 1, 1)[:, 0]
    is_peak = (strongest_near == best) & (best > threshold)
    places = is_peak.nonzero()
    order = best[is_peak].argsort(descending=True)
    found: list[list[Mark]] = [[] for _ in heat]
    for page, row, column in places[order].tolist():
        digit = int(kind[page, row, column])
        if digit < DIGITS:
            box = _box_at(answer.box[page, :, row, column], row, column)
            found[page].append(Mark(digit, box))
    return found


def _box_at(values: Tensor, row: int, column: int) -> Box:
    """Return the box that a cell answers, from its four values."""
    right, down, log_width, log_height = values.tolist()
    x = (column + 0.5 + right) * STRIDE
    y = (row + 0.5 + down) * STRIDE
    half_width = 8 * np.exp(min(log_width, 4))
    half_height = 8 * np.exp(min(log_height, 4))
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _is_near_middle(place: tuple[float, float], box: Box, share: float) -> bool:
    """Return whether a place lies in the inner share of a box, both ways."""
    x, y = place
    middle_x, middle_y = box.centre
    is_near_across = abs(x - middle_x) <= share * box.width / 2
    is_near_down = abs(y - middle_y) <= share * box.height / 2
    return is_near_across and is_near_down


class FoundDigits(NamedTuple):
    """Counts of the digits found on one page."""

    right: int
    """Found at the right place with the right class."""
    counted: int
    """All but those where nothing is asked."""


def score_page(found: list[Mark], page: Page) -> FoundDigits:
    """Count how many of the found digits are right, and how many count at all."""
    open_marks = [mark for mark in page.marks if mark.kind < DIGITS]
    right = 0
    counted = 0
    for mark in found:
        place = mark.box.centre
        nearest = _find_nearest(place, open_marks)
        if nearest is not None:
            open_marks.remove(nearest)
            right += nearest.kind == mark.kind
            counted += 1
        else:
            counted += not any(_is_near_middle(place, box, 1.0) for box in page.ignored)
    return FoundDigits(right, counted)


def _find_nearest(place: tuple[float, float], marks: list[Mark]) -> Mark | None:
    """Return the mark that a place lies well within; of several, the nearest across."""
    around = [mark for mark in marks if _is_near_middle(place, mark.box, 0.7)]

    def distance(mark: Mark) -> float:
        middle_x, _ = mark.box.centre
        return abs(middle_x - place[0])

    return min(around, key=distance, default=None)


@torch.inference_mode()
def score(network: PageNet, pages: list[Page], batch_size: int = 16) -> PageScore:
    """Measure a network on pages."""
    network.eval()
    device = next(network.parameters()).device
    total = PageScore(right=0, truth=0, found=0, pages=0, turns_right=0)
    for start in range(0, len(pages), batch_size):
        chunk = pages[start : start + batch_size]
        pictures = torch.from_numpy(np.stack([page.picture for page in chunk]))
        images = pictures[:, None].to(device).float() / 255
        answer = network(images)
        answer = PageAnswer(*(part.float().cpu() for part in answer))
        turns = answer.turn.log_softmax(1).mean((2, 3)).argmax(1).tolist()
        for page, found, turn in zip(chunk, find_digits(answer), turns, strict=True):
            total = _added(total, page, found, turn)
    return total


def _added(total: PageScore, page: Page, found: list[Mark], turn: int) -> PageScore:
    """Return the counts with those of one more page; turned pages only ask for the turn."""
    total = total._replace(turns_right=total.turns_right + (turn == page.turns))
    if page.turns:
        return total
    right, counted = score_page(found, page)
    return total._replace(
        right=total.right + right,
        truth=total.truth + sum(mark.kind < DIGITS for mark in page.marks),
        found=total.found + counted,
        pages=total.pages + 1,
    )
