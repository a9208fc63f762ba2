"""Kinds of pages without printed rules: lines, columns, signs, words, sums, single digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from qdigits.augment.pages import texts
from qdigits.augment.pages.chance import Range, log_uniform, one_of_ranges, pick
from qdigits.augment.pages.marks import OTHER
from qdigits.augment.pages.scribes import Writer, new_printer, new_writer
from qdigits.augment.pages.sheet import MARGIN, Rule, Sheet
from qdigits.augment.pages.strokes import SYMBOLS, draw_cross, draw_scribble
from qdigits.augment.pages.supplies import Supplies


def plain_lines(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write lines of plain numbers."""
    writer = new_writer(rng, sheet, supplies)

    def text() -> str:
        return texts.number(rng, signs=0.05, amounts=0.0)

    fill_page(writer, text, gap=rng.uniform(0.05, 0.35))


def touching_digits(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers whose digits touch or overlap."""
    writer = new_writer(rng, sheet, supplies, low=12)

    def text() -> str:
        return texts.fill_one(rng, texts.TOUCHING)

    fill_page(writer, text, gap=rng.uniform(-0.22, 0.04))


def spaced_digits(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write single digits far apart."""
    writer = new_writer(rng, sheet, supplies)

    def text() -> str:
        return texts.digits(rng, 7)

    fill_page(writer, text, gap=rng.uniform(0.4, 2.5))


def columns(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write columns of numbers at gaps of 0.6 to 3 heights."""
    writer = new_writer(rng, sheet, supplies, high=36)
    pattern = "d" * int(rng.integers(1, 6))
    if rng.random() >= 0.7:
        pattern = pick(rng, texts.IN_COLUMNS)
    pitch = writer.height * (0.75 * len(pattern) + rng.uniform(0.6, 3.0))
    leading = writer.between(1.15, 2.4)
    start = rng.uniform(-pitch, pitch * 0.3)
    for baseline in sheet.baselines(rng, leading):
        for x in np.arange(start, sheet.full, pitch):
            if rng.random() < 0.93 and not sheet.is_full:
                left = x + writer.about(0.12)
                text = texts.fill(rng, pattern)
                writer.write(text, left, baseline, gap=rng.uniform(0.0, 0.25))


def signed_numbers(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write decimals, dates, times, money and telephone numbers."""
    writer = new_writer(rng, sheet, supplies, low=12)

    def text() -> str:
        return texts.number(rng, signs=0.6, amounts=0.3)

    fill_page(writer, text, gap=rng.uniform(-0.05, 0.3))


def notes(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write words with numbers between them."""
    writer = new_writer(rng, sheet, supplies, high=36)
    share = rng.uniform(0.2, 0.7)

    def text() -> str:
        is_number = rng.random() < share
        return texts.number(rng, 0.2, 0.1) if is_number else texts.word(rng)

    fill_page(writer, text, gap=rng.uniform(0.0, 0.3), leading=(1.3, 2.6))


def labels(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Print labels and write one number beside each."""
    writer = new_writer(rng, sheet, supplies, low=13)
    printer = new_printer(rng, sheet, supplies, writer.between(0.4, 1.1), writer.slope)
    leading = writer.between(1.5, 3.5)
    left = rng.uniform(-60, 60)
    for baseline in sheet.baselines(rng, leading):
        end = printer.write(texts.label(rng), left, baseline)
        x = end + writer.height * one_of_ranges(rng, (0.1, 0.8), (0.8, 5))
        if rng.random() < 0.35:
            right = x + rng.uniform(60, 250)
            draw_guide(rng, sheet, x - 4, right, baseline + 2, writer.slope)
        if rng.random() < 0.9:
            text = texts.fill_one(rng, texts.BESIDE_LABELS)
            end = writer.write(text, x, baseline, gap=rng.uniform(0, 0.3))
        if rng.random() < 0.2:
            text = texts.label(rng)
            printer.write(text, end + writer.between(0.5, 3), baseline)


def sums(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write arithmetic: numbers with + x = ( ), raised exponents and fractions."""
    writer = new_writer(rng, sheet, supplies, low=12)
    leading = writer.between(1.5, 3.2)
    gap = rng.uniform(0.05, 0.4)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-50, 90)
        for _ in range(int(rng.integers(1, 7))):
            if not sheet.has_room(x):
                break
            if rng.random() < 0.25:
                x = writer.write("(", x, baseline, gap)
                x = _term(rng, writer, x, baseline, gap)
                x = writer.write(")", x, baseline, gap)
            else:
                x = _term(rng, writer, x, baseline, gap)
            x += writer.between(0.2, 0.9)
            x = writer.write(pick(rng, texts.OPERATORS), x, baseline, gap)
            x += writer.between(0.1, 0.9)


def _term(rng, writer: Writer, x: float, baseline: float, gap: float) -> float:
    """Write a fraction or a number, at times with an exponent or a letter; return its end."""
    chance = rng.random()
    if chance < 0.15:
        return write_half(rng, writer, x, baseline)
    end = writer.write(texts.fill_one(rng, texts.TERMS), x, baseline, gap)
    if chance < 0.35:
        raised = baseline - writer.between(0.5, 0.9)
        exponent = writer.scaled(rng.uniform(0.45, 0.75))
        end = exponent.write(texts.digits(rng, 1), end, raised)
    if chance > 0.92:
        end = writer.write(pick(rng, texts.VARIABLES), end, baseline)
    return end


def write_half(rng: Generator, writer: Writer, x: float, baseline: float) -> float:
    """Write a number and a fraction, like 2 1/2; return where it ends."""
    if rng.random() < 0.8:
        x = writer.write(texts.fill_one(rng, ["d", "dd"]), x, baseline)
    small = writer.scaled(rng.uniform(0.45, 0.8))
    top = "1" if rng.random() < 0.7 else texts.digits(rng, 1)
    bottom = pick(rng, "22438")
    rise = writer.between(0.3, 0.6)
    x += writer.between(0, 0.15)
    is_slanted = rng.random() < 0.75
    if not is_slanted:
        return _stack_fraction(writer, small, top, bottom, x, baseline)
    x = small.write(top, x, baseline - rise, 0.02)
    stroke = writer.scaled(rng.uniform(0.7, 1.0))
    x = stroke.write("/", x - 0.1 * small.height, baseline, -0.08)
    left = x - 0.15 * small.height
    return small.write(bottom, left, baseline + 0.15 * writer.height)


def _stack_fraction(
    writer: Writer, small: Writer, top: str, bottom: str, x: float, baseline: float
) -> float:
    """Write one number above the other, and a level stroke between them; return its end."""
    left = x + 0.1 * small.height
    end = small.write(top, left, baseline - 0.62 * writer.height)
    small.write(bottom, left, baseline + 0.42 * writer.height)
    width = int(end - x + 0.2 * small.height) + 2
    thickness = max(int(writer.pen), 1)
    stroke = np.ones((thickness, width), np.float32)
    stroke_left = x - 0.1 * small.height
    middle = baseline - 0.5 * writer.height
    box = writer.sheet.stamp(stroke, stroke_left, middle, writer.darkness)
    if box:
        writer.sheet.note(OTHER, box)
    return end


def halves(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers with fractions, in a row or a column, with or without rules."""
    writer = new_writer(rng, sheet, supplies, low=16, high=60)
    pitch = writer.between(2.0, 4.5)
    leading = writer.between(1.8, 3.0)
    is_ruled = rng.random() < 0.5
    rule = Rule(rng.uniform(0.3, 1), rng.integers(1, 4))
    start = rng.uniform(-pitch, 0)
    for baseline in sheet.baselines(rng, leading):
        for x in np.arange(start, sheet.full, pitch):
            write_half(rng, writer, x + writer.between(0.1, 0.6), baseline)
            if is_ruled:
                sheet.line_down(x, rule)
        if is_ruled and rng.random() < 0.7:
            sheet.line_across(baseline + 0.5 * writer.height, rule)


def big_digit(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write one to three large digits, often with specks and pieces of rules around."""
    count = pick(rng, (1, 1, 1, 2, 3))
    writer = new_writer(rng, sheet, supplies, 36, 250 / count**0.5)
    is_printed = rng.random() < 0.1
    scribe = new_printer(rng, sheet, supplies, writer.height) if is_printed else writer
    width = writer.height * 0.7 * count
    room_right = max(sheet.side - width, 20)
    room_below = max(sheet.side - writer.height, 20)
    x = MARGIN + rng.uniform(0.05, 0.95) * room_right
    baseline = MARGIN + writer.height + rng.uniform(0.05, 0.95) * room_below
    scribe.write(texts.digits(rng, count), x, baseline)
    if rng.random() < 0.4:
        _draw_stray_rules(rng, sheet)


def _draw_stray_rules(rng: Generator, sheet: Sheet) -> None:
    """Draw one to three lines across the whole sheet, level or upright."""
    rule = Rule(rng.uniform(0.3, 1), rng.integers(1, 9))
    for start in rng.uniform(0, sheet.full, int(rng.integers(1, 4))):
        end = start + rng.normal(0, 4)
        if rng.random() < 0.5:
            sheet.line((start, 0), (end, sheet.full), rule)
        else:
            sheet.line((0, start), (sheet.full, end), rule)


def tile_of_digits(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write one or two digits that fill a tile of few pixels, up to its edges."""
    count = pick(rng, (1, 2, 2, 2, 3))
    writer = new_writer(rng, sheet, supplies, 0.5 * sheet.side, 0.85 * sheet.side)
    if count > 1:
        writer = writer.scaled(rng.uniform(1.1, 1.5) / count**0.5)
    sheet.detail = int(rng.integers(24, 72))
    x = MARGIN + rng.uniform(-0.02, 0.15) * sheet.side
    baseline = MARGIN + sheet.side * rng.uniform(0.8, 1.0)
    text = texts.digits(rng, count)
    writer.write(text, x, baseline, gap=rng.uniform(-0.15, 0.15))


def lone_letters(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write single letters and symbols, which are no digits, with a digit here and there."""
    writer = new_writer(rng, sheet, supplies, 14, 150 if rng.random() < 0.4 else 48)
    leading = writer.between(1.3, 2.2)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-20, 80)
        while sheet.has_room(x):
            chance = rng.random()
            if chance < 0.45:
                x += writer.drawn_letter(x, baseline)
            elif chance < 0.65:
                x = writer.write(pick(rng, texts.LETTERS), x, baseline)
            elif chance < 0.8:
                x = writer.write(pick(rng, SYMBOLS), x, baseline)
            else:
                x = writer.write(texts.digits(rng, 1), x, baseline)
            x += writer.height * one_of_ranges(rng, (0.1, 0.5), (0.5, 3))


def struck_out(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers, some of them crossed out or scribbled over."""
    writer = new_writer(rng, sheet, supplies, low=13)
    leading = writer.between(1.3, 2.6)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-40, 60)
        while sheet.has_room(x):
            before = len(sheet.marks)
            text = texts.number(rng)
            end = writer.write(text, x, baseline, gap=rng.uniform(0, 0.25))
            if rng.random() < 0.35 and len(sheet.marks) > before:
                strike(rng, writer, before, x, end, baseline)
            x = end + writer.between(0.5, 2.5)


def strike(
    rng: Generator, writer: Writer, first: int, left: float, right: float, baseline: float
) -> None:
    """Cross out the marks from `first` on: they are to be read no longer."""
    sheet = writer.sheet
    line = baseline + writer.slope * left
    struck = sheet.marks[first:]
    del sheet.marks[first:]
    if rng.random() < 0.55:
        stroke_count = int(rng.integers(1, 4))
        _strike_through(rng, writer, stroke_count, left, right, line)
        if stroke_count > 1 or len(struck) > 1:
            sheet.marks += [mark._replace(kind=OTHER) for mark in struck]
        else:  # one digit under one stroke may still be read
            sheet.ignored += [mark.box for mark in struck]
        return
    sheet.ignored += [mark.box for mark in struck]
    draw = draw_scribble if rng.random() < 0.75 else draw_cross
    width = max(right - left, 4)
    ink = draw(rng, width, 1.1 * writer.height, writer.pen)
    sheet.add(ink, OTHER, left - 2, line - 1.05 * writer.height, writer.darkness)


def _strike_through(
    rng, writer: Writer, count: int, left: float, right: float, line: float
) -> None:
    """Draw some strokes through what stands on a line, from left to right."""
    height = writer.height
    stroke = Rule(writer.darkness, round(writer.pen))
    for _ in range(count):
        first_y, last_y = line - height * rng.uniform(0.2, 0.8, 2)
        start = (left - 0.2 * height, first_y)
        end = (right + 0.1 * height, last_y)
        writer.sheet.line(start, end, stroke, on_rules=False)


def print_page(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Print lines of text, with printed numbers between the words and some written ones."""
    height = log_uniform(rng, 8, 40)
    printer = new_printer(rng, sheet, supplies, height, rng.normal(0, 0.02))
    writer = new_writer(rng, sheet, supplies, max(height, 12), max(1.6 * height, 14))
    leading = height * rng.uniform(1.4, 2.4)
    share = pick(rng, (0.0, 0.15, 0.5))
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-40, 60)
        while sheet.has_room(x):
            if rng.random() < share:
                x = printer.write(texts.number(rng, 0.3, 0.1), x, baseline)
            elif rng.random() < 0.04:
                x = writer.write(texts.number(rng), x, baseline)
            else:
                x = printer.write(texts.word(rng), x, baseline)
            x += height * rng.uniform(0.4, 0.8)


def nothing(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Leave the page empty, or with lines and strokes that mean nothing."""
    for _ in range(int(rng.integers(0, 5))):
        start, end = rng.uniform(0, sheet.full, (2, 2))
        sheet.line(start, end, Rule(rng.uniform(0.2, 1), rng.integers(1, 12)))
    blots = int(rng.choice([0, 3, 8], p=[0.6, 0.25, 0.15]))
    for _ in range(blots):
        place = rng.integers(0, sheet.full, 2).tolist()
        radius = rng.integers(2, 14)
        sheet.disc(place, radius, rng.uniform(0.3, 1), on_rules=False)
    if rng.random() < 0.3:
        width = rng.uniform(20, 150)
        height = rng.uniform(15, 100)
        ink = draw_scribble(rng, width, height, pen=rng.uniform(1, 6))
        left, top = rng.uniform(MARGIN, sheet.side / 2, 2)
        sheet.add(ink, OTHER, left, top, rng.uniform(0.4, 1))


def fill_page(
    writer: Writer, text: Callable[[], str], gap: float, leading: Range = (1.15, 2.5)
) -> None:
    """Write line after line of texts until the page is full.

    Args:
        writer: Who writes.
        text: What is called for each text.
        gap: Between digits, in heights.
        leading: Between baselines, in heights: the least and the most.
    """
    rng = writer.rng
    sheet = writer.sheet
    step = writer.between(*leading)
    space = (0.4, 1.2) if rng.random() < 0.5 else (1.0, 5.0)
    indent = rng.uniform(-40, 60) if rng.random() < 0.7 else rng.uniform(0, 160)
    first = rng.uniform(-0.3, 1) * step
    for baseline in np.arange(first, sheet.full + step, step):
        x = indent + writer.about(0.3)
        while sheet.has_room(x):
            line_gap = gap + rng.normal(0, 0.05)
            x = writer.write(text(), x, baseline, line_gap)
            x += writer.height * (max(gap, 0) + rng.uniform(*space))
            if rng.random() < 0.12:
                break


def draw_guide(
    rng: Generator, sheet: Sheet, left: float, right: float, y: float, slope: float
) -> None:
    """Draw the line that a form gives to write on: dotted, dashed or solid."""
    rule = Rule(rng.uniform(0.3, 1.0), rng.integers(1, 4))
    style = rng.choice(["dotted", "dashed", "solid"], p=[0.45, 0.2, 0.35])
    if style == "solid":
        start = (left, y + slope * left)
        end = (right, y + slope * right)
        sheet.line(start, end, rule)
        return
    pitch = rng.uniform(4, 10)
    length = 0.0 if style == "dotted" else pitch * rng.uniform(0.3, 0.7)
    for x in np.arange(left, min(right, sheet.full), pitch):
        level = y + slope * x
        sheet.line((x, level), (x + length, level), rule)
