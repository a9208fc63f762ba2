"""Kinds of pages without printed rules: lines, columns, signs, words, sums, single digits."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from qdigits.augment.pages import texts
from qdigits.augment.pages.marks import OTHER
from qdigits.augment.pages.scribes import Writer, new_printer, new_writer
from qdigits.augment.pages.sheet import MARGIN, Sheet
from qdigits.augment.pages.strokes import SYMBOLS, draw_cross, draw_scribble
from qdigits.augment.pages.supplies import Supplies

Gap = Callable[[], float]


def plain_lines(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write lines of plain numbers."""
    writer = new_writer(rng, sheet, supplies)
    fill_page(
        writer, lambda: texts.number(rng, signs=0.05, amounts=0.0), gap=rng.uniform(0.05, 0.35)
    )


def touching_digits(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers whose digits touch or overlap."""
    writer = new_writer(rng, sheet, supplies, low=12)
    patterns = ("dd", "ddd", "dddd", "dddddd", "dddddddd", "dd.dd", "ddddd", "d,ddd")
    fill_page(
        writer,
        lambda: texts.fill(rng, patterns[rng.integers(len(patterns))]),
        gap=rng.uniform(-0.22, 0.04),
    )


def spaced_digits(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write single digits far apart."""
    writer = new_writer(rng, sheet, supplies)
    fill_page(writer, lambda: texts.fill(rng, "ddddddd"), gap=rng.uniform(0.4, 2.5))


def columns(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write columns of numbers at gaps of 0.6 to 3 heights."""
    writer = new_writer(rng, sheet, supplies, high=36)
    digits = int(rng.integers(1, 6))
    pattern = (
        "d" * digits
        if rng.random() < 0.7
        else rng.choice(["d.dd", "dd.d", "d·dd", "dd,ddd", "-dd"])
    )
    pitch = writer.height * (0.75 * len(pattern) + rng.uniform(0.6, 3.0))
    leading = writer.height * rng.uniform(1.15, 2.4)
    start = rng.uniform(-pitch, pitch * 0.3)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        for x in np.arange(start, sheet.full, pitch):
            if rng.random() < 0.93 and not sheet.is_full:
                shift = rng.normal(0, 0.12) * writer.height
                writer.write(
                    texts.fill(rng, pattern), x + shift, baseline, gap=rng.uniform(0.0, 0.25)
                )


def signed_numbers(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write decimals, dates, times, money and telephone numbers."""
    writer = new_writer(rng, sheet, supplies, low=12)
    fill_page(
        writer, lambda: texts.number(rng, signs=0.6, amounts=0.3), gap=rng.uniform(-0.05, 0.3)
    )


def notes(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write words with numbers between them."""
    writer = new_writer(rng, sheet, supplies, high=36)
    share = rng.uniform(0.2, 0.7)

    def text() -> str:
        return texts.number(rng, 0.2, 0.1) if rng.random() < share else texts.word(rng)

    fill_page(writer, text, gap=rng.uniform(0.0, 0.3), leading=(1.3, 2.6))


def labels(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Print labels and write one number beside each."""
    writer = new_writer(rng, sheet, supplies, low=13)
    printer = new_printer(rng, sheet, supplies, writer.height * rng.uniform(0.4, 1.1), writer.slope)
    leading = writer.height * rng.uniform(1.5, 3.5)
    left = rng.uniform(-60, 60)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        end = printer.write(texts.label(rng), left, baseline)
        x = end + writer.height * rng.choice([rng.uniform(0.1, 0.8), rng.uniform(0.8, 5)])
        if rng.random() < 0.35:
            draw_guide(rng, sheet, x - 4, x + rng.uniform(60, 250), baseline + 2, writer.slope)
        if rng.random() < 0.9:
            pattern = rng.choice(["d", "d", "dd", "dd", "dddd", "dd.d", "dd/dd/dd"])
            end = writer.write(texts.fill(rng, pattern), x, baseline, gap=rng.uniform(0, 0.3))
        if rng.random() < 0.2:
            printer.write(texts.label(rng), end + writer.height * rng.uniform(0.5, 3), baseline)


def sums(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write arithmetic: numbers with + x = ( ), raised exponents and fractions."""
    writer = new_writer(rng, sheet, supplies, low=12)
    leading = writer.height * rng.uniform(1.5, 3.2)
    gap = rng.uniform(0.05, 0.4)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        x = rng.uniform(-50, 90)
        for _ in range(int(rng.integers(1, 7))):
            if x > sheet.full or sheet.is_full:
                break
            grouped = rng.random() < 0.25
            x = writer.write("(", x, baseline, gap) if grouped else x
            x = _term(rng, writer, x, baseline, gap)
            x = writer.write(")", x, baseline, gap) if grouped else x
            x += writer.height * rng.uniform(0.2, 0.9)
            operator = rng.choice(list("+++++xx==-÷→*<>,"))
            x = writer.write(operator, x, baseline, gap) + writer.height * rng.uniform(0.1, 0.9)


def _term(rng, writer: Writer, x: float, baseline: float, gap: float) -> float:
    chance = rng.random()
    if chance < 0.15:
        return write_half(rng, writer, x, baseline)
    end = writer.write(
        texts.fill(rng, rng.choice(["d", "dd", "ddd", "dddd", "ddddd", "d.d"])), x, baseline, gap
    )
    if chance < 0.35:
        raised = baseline - writer.height * rng.uniform(0.5, 0.9)
        end = writer.scaled(rng.uniform(0.45, 0.75)).write(texts.fill(rng, "d"), end, raised)
    if chance > 0.92:
        letter = "abcdfhkmnpty"[rng.integers(12)]
        end = writer.write(letter, end, baseline)
    return end


def write_half(rng: np.random.Generator, writer: Writer, x: float, baseline: float) -> float:
    """Write a number and a fraction, like 2 1/2; return where it ends."""
    if rng.random() < 0.8:
        x = writer.write(texts.fill(rng, rng.choice(["d", "dd"])), x, baseline)
    small = writer.scaled(rng.uniform(0.45, 0.8))
    top = "1" if rng.random() < 0.7 else texts.fill(rng, "d")
    bottom = rng.choice(["2", "2", "4", "3", "8"])
    rise = writer.height * rng.uniform(0.3, 0.6)
    x += rng.uniform(0, 0.15) * writer.height
    if rng.random() < 0.75:
        x = small.write(top, x, baseline - rise, 0.02)
        x = writer.scaled(rng.uniform(0.7, 1.0)).write("/", x - 0.1 * small.height, baseline, -0.08)
        return small.write(bottom, x - 0.15 * small.height, baseline + 0.15 * writer.height)
    end = small.write(top, x + 0.1 * small.height, baseline - 0.62 * writer.height)
    small.write(bottom, x + 0.1 * small.height, baseline + 0.42 * writer.height)
    middle = baseline - 0.5 * writer.height
    box = writer.sheet.stamp(
        np.ones((max(int(writer.pen), 1), int(end - x + 0.2 * small.height) + 2), np.float32),
        x - 0.1 * small.height,
        middle,
        writer.darkness,
    )
    if box:
        writer.sheet.note(OTHER, box)
    return end


def halves(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers with fractions, in a row or a column, with or without rules."""
    writer = new_writer(rng, sheet, supplies, low=16, high=60)
    pitch = writer.height * rng.uniform(2.0, 4.5)
    leading = writer.height * rng.uniform(1.8, 3.0)
    ruled = rng.random() < 0.5
    darkness, width = rng.uniform(0.3, 1), rng.integers(1, 4)
    start = rng.uniform(-pitch, 0)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        for x in np.arange(start, sheet.full, pitch):
            write_half(rng, writer, x + writer.height * rng.uniform(0.1, 0.6), baseline)
            if ruled:
                sheet.line((x, 0), (x, sheet.full), darkness, width)
        if ruled and rng.random() < 0.7:
            y = baseline + 0.5 * writer.height
            sheet.line((0, y), (sheet.full, y), darkness, width)


def big_digit(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write one to three large digits, often with specks and pieces of rules around."""
    count = int(rng.choice([1, 1, 1, 2, 3]))
    writer = new_writer(rng, sheet, supplies, 36, 250 / count**0.5)
    if rng.random() < 0.1:
        printer = new_printer(rng, sheet, supplies, writer.height)
        write = printer.write
    else:
        write = writer.write
    width = writer.height * 0.7 * count
    room = max(sheet.side - width, 20)
    x = MARGIN + rng.uniform(0.05, 0.95) * room
    below = max(sheet.side - writer.height, 20)
    baseline = MARGIN + writer.height + rng.uniform(0.05, 0.95) * below
    write(texts.fill(rng, "d" * count), x, baseline)
    if rng.random() < 0.4:
        darkness, thick = rng.uniform(0.3, 1), rng.integers(1, 9)
        for at in rng.uniform(0, sheet.full, int(rng.integers(1, 4))):
            away = at + rng.normal(0, 4)
            if rng.random() < 0.5:
                sheet.line((at, 0), (away, sheet.full), darkness, thick)
            else:
                sheet.line((0, at), (sheet.full, away), darkness, thick)


def tile_of_digits(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write one or two digits that fill a tile of few pixels, up to its edges."""
    count = int(rng.choice([1, 2, 2, 2, 3]))
    writer = new_writer(rng, sheet, supplies, 0.5 * sheet.side, 0.85 * sheet.side)
    if count > 1:
        writer = writer.scaled(rng.uniform(1.1, 1.5) / count**0.5)
    sheet.detail = int(rng.integers(24, 72))
    x = MARGIN + rng.uniform(-0.02, 0.15) * sheet.side
    baseline = MARGIN + sheet.side * rng.uniform(0.8, 1.0)
    writer.write(texts.fill(rng, "d" * count), x, baseline, rng.uniform(-0.15, 0.15))


def lone_letters(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write single letters and symbols, which are no digits, with a digit here and there."""
    writer = new_writer(rng, sheet, supplies, 14, 150 if rng.random() < 0.4 else 48)
    leading = writer.height * rng.uniform(1.3, 2.2)
    letters = "AaCcDdEeFfGHhJKkMmNnPpQRrTtUuVvWwXxYy"
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        x = rng.uniform(-20, 80)
        while x < sheet.full and not sheet.is_full:
            chance = rng.random()
            if chance < 0.45:
                x += writer.drawn_letter(x, baseline)
            elif chance < 0.65:
                x = writer.write(letters[rng.integers(len(letters))], x, baseline)
            elif chance < 0.8:
                x = writer.write(SYMBOLS[rng.integers(len(SYMBOLS))], x, baseline)
            else:
                x = writer.write(texts.fill(rng, "d"), x, baseline)
            x += writer.height * rng.choice([rng.uniform(0.1, 0.5), rng.uniform(0.5, 3)])


def struck_out(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers, some of them crossed out or scribbled over."""
    writer = new_writer(rng, sheet, supplies, low=13)
    leading = writer.height * rng.uniform(1.3, 2.6)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        x = rng.uniform(-40, 60)
        while x < sheet.full and not sheet.is_full:
            before = len(sheet.marks)
            end = writer.write(texts.number(rng), x, baseline, rng.uniform(0, 0.25))
            if rng.random() < 0.35 and len(sheet.marks) > before:
                strike(rng, writer, before, x, end, baseline)
            x = end + writer.height * rng.uniform(0.5, 2.5)


def strike(
    rng: np.random.Generator, writer: Writer, first: int, left: float, right: float, baseline: float
) -> None:
    """Cross out the marks from `first` on: they are to be read no longer."""
    sheet = writer.sheet
    height = writer.height
    line = baseline + writer.slope * left
    if rng.random() < 0.55:
        lines = int(rng.integers(1, 4))
        for _ in range(lines):
            ys = line - height * rng.uniform(0.2, 0.8, 2)
            ends = ((left - 0.2 * height, ys[0]), (right + 0.1 * height, ys[1]))
            sheet.line(*ends, writer.darkness, round(writer.pen), on_rules=False)
        struck = [mark._replace(kind=OTHER) for mark in sheet.marks[first:]]
        sheet.marks[first:] = struck if lines > 1 or len(struck) > 1 else []
        sheet.ignored += [] if lines > 1 or len(struck) > 1 else [mark.box for mark in struck]
        return
    sheet.ignored += [mark.box for mark in sheet.marks[first:]]
    del sheet.marks[first:]
    draw = draw_scribble if rng.random() < 0.75 else draw_cross
    ink = draw(rng, max(right - left, 4), 1.1 * height, writer.pen)
    sheet.add(ink, OTHER, left - 2, line - 1.05 * height, writer.darkness)


def print_page(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Print lines of text, with printed numbers between the words and some written ones."""
    height = float(np.exp(rng.uniform(np.log(8), np.log(40))))
    printer = new_printer(rng, sheet, supplies, height, rng.normal(0, 0.02))
    writer = new_writer(rng, sheet, supplies, max(height, 12), max(1.6 * height, 14))
    leading = height * rng.uniform(1.4, 2.4)
    share = rng.choice([0.0, 0.15, 0.5])
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        x = rng.uniform(-40, 60)
        while x < sheet.full and not sheet.is_full:
            if rng.random() < share:
                x = printer.write(texts.number(rng, 0.3, 0.1), x, baseline)
            elif rng.random() < 0.04:
                x = writer.write(texts.number(rng), x, baseline)
            else:
                x = printer.write(texts.word(rng), x, baseline)
            x += height * rng.uniform(0.4, 0.8)


def nothing(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Leave the page empty, or with lines and strokes that mean nothing."""
    for _ in range(int(rng.integers(0, 5))):
        start, end = rng.uniform(0, sheet.full, (2, 2))
        sheet.line(start, end, rng.uniform(0.2, 1), rng.integers(1, 12))
    for _ in range(int(rng.choice([0, 3, 8], p=[0.6, 0.25, 0.15]))):
        place = rng.integers(0, sheet.full, 2).tolist()
        cv2.circle(sheet.ink, place, int(rng.integers(2, 14)), rng.uniform(0.3, 1), -1, cv2.LINE_AA)
    if rng.random() < 0.3:
        ink = draw_scribble(rng, rng.uniform(20, 150), rng.uniform(15, 100), rng.uniform(1, 6))
        left, top = rng.uniform(MARGIN, sheet.side / 2, 2)
        sheet.add(ink, OTHER, left, top, rng.uniform(0.4, 1))


def fill_page(
    writer: Writer, text: Callable[[], str], gap: float, leading: tuple[float, float] = (1.15, 2.5)
) -> None:
    """Write line after line of texts until the page is full."""
    rng = writer.rng
    sheet = writer.sheet
    step = writer.height * rng.uniform(*leading)
    space = (0.4, 1.2) if rng.random() < 0.5 else (1.0, 5.0)
    indent = rng.uniform(-40, 60) if rng.random() < 0.7 else rng.uniform(0, 160)
    for baseline in np.arange(rng.uniform(-0.3, 1) * step, sheet.full + step, step):
        x = indent + rng.normal(0, 0.3) * writer.height
        while x < sheet.full and not sheet.is_full:
            line_gap = gap + rng.normal(0, 0.05)
            x = writer.write(text(), x, baseline, line_gap)
            x += writer.height * (max(gap, 0) + rng.uniform(*space))
            if rng.random() < 0.12:
                break


def draw_guide(
    rng: np.random.Generator, sheet: Sheet, left: float, right: float, y: float, slope: float
) -> None:
    """Draw the line that a form gives to write on: dotted, dashed or solid."""
    darkness = rng.uniform(0.3, 1.0)
    width = int(rng.integers(1, 4))
    style = rng.choice(["dotted", "dashed", "solid"], p=[0.45, 0.2, 0.35])
    if style == "solid":
        sheet.line((left, y + slope * left), (right, y + slope * right), darkness, width)
        return
    pitch = rng.uniform(4, 10)
    length = 0.0 if style == "dotted" else pitch * rng.uniform(0.3, 0.7)
    for x in np.arange(left, min(right, sheet.full), pitch):
        level = y + slope * x
        sheet.line((x, level), (x + length, level), darkness, width)
