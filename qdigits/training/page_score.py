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
    peak = (F.max_pool2d(best[:, None], 3, 1, 1)[:, 0] == best) & (best > threshold)
    found: list[list[Mark]] = [[] for _ in range(len(heat))]
    places = peak.nonzero()
    order = best[peak].argsort(descending=True)
    for page, row, column in places[order].tolist():
        digit = int(kind[page, row, column])
        if digit < DIGITS:
            found[page].append(Mark(digit, _box_at(answer.box[page, :, row, column], row, column)))
    return found


def _box_at(values: Tensor, row: int, column: int) -> Box:
    right, down, width, height = values.tolist()
    x, y = (column + 0.5 + right) * STRIDE, (row + 0.5 + down) * STRIDE
    half_width, half_height = 8 * np.exp(min(width, 4)), 8 * np.exp(min(height, 4))
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _inside(box: Box, place: tuple[float, float], share: float = 1.0) -> bool:
    x, y = box.centre
    return (
        abs(place[0] - x) <= share * box.width / 2 and abs(place[1] - y) <= share * box.height / 2
    )


def score_page(found: list[Mark], page: Page) -> tuple[int, int]:
    """Return how many of the found digits are right, and how many count at all."""
    open_marks = [mark for mark in page.marks if mark.kind < DIGITS]
    right = counted = 0
    for mark in found:
        place = mark.box.centre
        match = [one for one in open_marks if _inside(one.box, place, 0.7)]
        if match:
            nearest = min(match, key=lambda one: abs(one.box.centre[0] - place[0]))
            open_marks.remove(nearest)
            right += nearest.kind == mark.kind
            counted += 1
        else:
            counted += not any(_inside(box, place) for box in page.ignored)
    return right, counted


@torch.inference_mode()
def score(network: PageNet, pages: list[Page], batch_size: int = 16) -> PageScore:
    """Measure a network on pages."""
    network.eval()
    device = next(network.parameters()).device
    total = PageScore(0, 0, 0, 0, 0)
    for start in range(0, len(pages), batch_size):
        chunk = pages[start : start + batch_size]
        pictures = torch.from_numpy(np.stack([page.picture for page in chunk]))
        answer = network(pictures[:, None].to(device).float() / 255)
        answer = PageAnswer(*(part.float().cpu() for part in answer))
        turns = answer.turn.log_softmax(1).mean((2, 3)).argmax(1).tolist()
        for page, found, turn in zip(chunk, find_digits(answer), turns, strict=True):
            total = _added(total, page, found, turn)
    return total


def _added(total: PageScore, page: Page, found: list[Mark], turn: int) -> PageScore:
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
