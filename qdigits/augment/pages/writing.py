"""Kinds of pages without printed rules: lines, columns, signs, words, sums, single digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from qdigits.augment.pages import texts
from qdigits.augment.pages.chance import (
    Range,
    happens,
    log_uniform,
    one_of_ranges,
    pick,
    whole_number,
)
from qdigits.augment.pages.marks import OTHER, Mark
from qdigits.augment.pages.scribes import Printer, Writer, new_printer, new_writer
from qdigits.augment.pages.sheet import MARGIN, Rule, Sheet
from qdigits.augment.pages.strokes import SYMBOLS, draw_cross, draw_scribble
from qdigits.augment.pages.supplies import Supplies


def plain_lines(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write lines of plain numbers."""
    writer = new_writer(rng, sheet, supplies)

    def text() -> str:
        return texts.number(rng, signs=0.05, amounts=0.0)

    gap = rng.uniform(0.05, 0.35)
    fill_page(writer, text, gap)


def touching_digits(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers whose digits touch or overlap."""
    writer = new_writer(rng, sheet, supplies, low=12)

    def text() -> str:
        return texts.fill_one(rng, texts.TOUCHING)

    gap = rng.uniform(-0.22, 0.04)
    fill_page(writer, text, gap)


def spaced_digits(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write single digits far apart."""
    writer = new_writer(rng, sheet, supplies)

    def text() -> str:
        return texts.digits(rng, 7)

    gap = rng.uniform(0.4, 2.5)
    fill_page(writer, text, gap)


def columns(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write columns of numbers at gaps of 0.6 to 3 heights."""
    writer = new_writer(rng, sheet, supplies, high=36)
    pattern = "d" * whole_number(rng, 1, 5)
    is_plain = happens(rng, 0.7)
    if not is_plain:
        pattern = pick(rng, texts.IN_COLUMNS)
    text_width = 0.75 * len(pattern)
    space = rng.uniform(0.6, 3.0)
    pitch = writer.height * (text_width + space)
    leading = writer.between(1.15, 2.4)
    start = rng.uniform(-pitch, pitch * 0.3)
    for baseline in sheet.baselines(rng, leading):
        for x in np.arange(start, sheet.full, pitch):
            if happens(rng, 0.93) and not sheet.is_full:
                left = x + writer.about(0.12)
                text = texts.fill(rng, pattern)
                gap = rng.uniform(0.0, 0.25)
                writer.write(text, left, baseline, gap)


def signed_numbers(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write decimals, dates, times, money and telephone numbers."""
    writer = new_writer(rng, sheet, supplies, low=12)

    def text() -> str:
        return texts.number(rng, signs=0.6, amounts=0.3)

    gap = rng.uniform(-0.05, 0.3)
    fill_page(writer, text, gap)


def notes(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write words with numbers between them."""
    writer = new_writer(rng, sheet, supplies, high=36)
    share_of_numbers = rng.uniform(0.2, 0.7)

    def text() -> str:
        if happens(rng, share_of_numbers):
            return texts.number(rng, 0.2, 0.1)
        return texts.word(rng)

    gap = rng.uniform(0.0, 0.3)
    fill_page(writer, text, gap, leading=(1.3, 2.6))


def labels(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Print labels and write one number beside each."""
    writer = new_writer(rng, sheet, supplies, low=13)
    print_height = writer.between(0.4, 1.1)
    printer = new_printer(rng, sheet, supplies, print_height, writer.slope)
    leading = writer.between(1.5, 3.5)
    left = rng.uniform(-60, 60)
    for baseline in sheet.baselines(rng, leading):
        label = texts.label(rng)
        label_end = printer.write(label, left, baseline)
        space = one_of_ranges(rng, (0.1, 0.8), (0.8, 5))
        x = label_end + writer.height * space
        end = _answer_label(rng, writer, x, label_end, baseline)
        has_unit = happens(rng, 0.2)
        if has_unit:
            unit = texts.label(rng)
            printer.write(unit, end + writer.between(0.5, 3), baseline)


def _answer_label(
    rng: Generator,
    writer: Writer,
    x: float,
    label_end: float,
    baseline: float,
) -> float:
    """Write a number at x, at times on a guide or not at all; return where what is there ends."""
    has_guide = happens(rng, 0.35)
    if has_guide:
        left = x - 4
        right = x + rng.uniform(60, 250)
        draw_guide(rng, writer.sheet, left, right, baseline + 2, writer.slope)
    is_answered = happens(rng, 0.9)
    if not is_answered:
        return label_end
    text = texts.fill_one(rng, texts.BESIDE_LABELS)
    gap = rng.uniform(0, 0.3)
    return writer.write(text, x, baseline, gap)


def sums(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write arithmetic: numbers with + x = ( ), raised exponents and fractions."""
    writer = new_writer(rng, sheet, supplies, low=12)
    leading = writer.between(1.5, 3.2)
    gap = rng.uniform(0.05, 0.4)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-50, 90)
        for _ in range(whole_number(rng, 1, 6)):
            if not sheet.has_room(x):
                break
            x = _term_or_bracket(rng, writer, x, baseline, gap)
            x += writer.between(0.2, 0.9)
            operator = pick(rng, texts.OPERATORS)
            x = writer.write(operator, x, baseline, gap)
            x += writer.between(0.1, 0.9)


def _term_or_bracket(
    rng: Generator,
    writer: Writer,
    x: float,
    baseline: float,
    gap: float,
) -> float:
    """Write a term, at times in brackets; return its end."""
    is_in_brackets = happens(rng, 0.25)
    if not is_in_brackets:
        return _term(rng, writer, x, baseline, gap)
    x = writer.write("(", x, baseline, gap)
    x = _term(rng, writer, x, baseline, gap)
    return writer.write(")", x, baseline, gap)


def _term(
    rng: Generator,
    writer: Writer,
    x: float,
    baseline: float,
    gap: float,
) -> float:
    """Write a fraction or a number, at times with an exponent or a letter; return its end."""
    chance = rng.random()
    if chance < 0.15:
        return write_half(rng, writer, x, baseline)
    number = texts.fill_one(rng, texts.TERMS)
    end = writer.write(number, x, baseline, gap)
    if chance < 0.35:
        raised = baseline - writer.between(0.5, 0.9)
        size = rng.uniform(0.45, 0.75)
        exponent = texts.digits(rng, 1)
        end = writer.scaled(size).write(exponent, end, raised)
    if chance > 0.92:
        variable = pick(rng, texts.VARIABLES)
        end = writer.write(variable, end, baseline)
    return end


def write_half(rng: Generator, writer: Writer, x: float, baseline: float) -> float:
    """Write a number and a fraction, like 2 1/2; return where it ends."""
    has_whole_part = happens(rng, 0.8)
    if has_whole_part:
        whole_part = texts.fill_one(rng, ["d", "dd"])
        x = writer.write(whole_part, x, baseline)
    small = writer.scaled(rng.uniform(0.45, 0.8))
    is_one = happens(rng, 0.7)
    top = "1" if is_one else texts.digits(rng, 1)
    bottom = pick(rng, "22438")
    rise = writer.between(0.3, 0.6)
    x += writer.between(0, 0.15)
    is_slanted = happens(rng, 0.75)
    if not is_slanted:
        return _stack_fraction(writer, small, top, bottom, x, baseline)
    x = small.write(top, x, baseline - rise, 0.02)
    stroke = writer.scaled(rng.uniform(0.7, 1.0))
    x = stroke.write("/", x - 0.1 * small.height, baseline, -0.08)
    left = x - 0.15 * small.height
    lowered = baseline + 0.15 * writer.height
    return small.write(bottom, left, lowered)


def _stack_fraction(
    writer: Writer,
    small: Writer,
    top: str,
    bottom: str,
    x: float,
    baseline: float,
) -> float:
    """Write one number above the other, and a level stroke between them; return its end."""
    left = x + 0.1 * small.height
    upper_line = baseline - 0.62 * writer.height
    lower_line = baseline + 0.42 * writer.height
    end = small.write(top, left, upper_line)
    small.write(bottom, left, lower_line)
    _draw_fraction_bar(
        writer,
        left=x - 0.1 * small.height,
        top=baseline - 0.5 * writer.height,
        width=int(end - x + 0.2 * small.height) + 2,
    )
    return end


def _draw_fraction_bar(writer: Writer, left: float, top: float, width: int) -> None:
    """Draw the level stroke of a fraction, and note it as a mark of its own."""
    thickness = max(int(writer.pen), 1)
    bar = np.ones((thickness, width), np.float32)
    box = writer.sheet.stamp(bar, left, top, writer.darkness)
    if box:
        writer.sheet.note(OTHER, box)


def halves(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers with fractions, in a row or a column, with or without rules."""
    writer = new_writer(rng, sheet, supplies, low=16, high=60)
    pitch = writer.between(2.0, 4.5)
    leading = writer.between(1.8, 3.0)
    is_ruled = happens(rng, 0.5)
    darkness = rng.uniform(0.3, 1)
    rule = Rule(darkness, whole_number(rng, 1, 3))
    start = rng.uniform(-pitch, 0)
    for baseline in sheet.baselines(rng, leading):
        for x in np.arange(start, sheet.full, pitch):
            indent = writer.between(0.1, 0.6)
            write_half(rng, writer, x + indent, baseline)
            if is_ruled:
                sheet.line_down(x, rule)
        if is_ruled and happens(rng, 0.7):
            below = baseline + 0.5 * writer.height
            sheet.line_across(below, rule)


def big_digit(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write one to three large digits, often with specks and pieces of rules around."""
    count = pick(rng, (1, 1, 1, 2, 3))
    tallest = 250 / count**0.5
    writer = new_writer(rng, sheet, supplies, 36, tallest)
    scribe: Writer | Printer = writer
    is_printed = happens(rng, 0.1)
    if is_printed:
        scribe = new_printer(rng, sheet, supplies, writer.height)
    width = writer.height * 0.7 * count
    room_right = max(sheet.side - width, 20)
    room_below = max(sheet.side - writer.height, 20)
    x = MARGIN + rng.uniform(0.05, 0.95) * room_right
    drop = rng.uniform(0.05, 0.95) * room_below
    baseline = MARGIN + writer.height + drop
    text = texts.digits(rng, count)
    scribe.write(text, x, baseline)
    if happens(rng, 0.4):
        _draw_stray_rules(rng, sheet)


def _draw_stray_rules(rng: Generator, sheet: Sheet) -> None:
    """Draw one to three lines across the whole sheet, level or upright."""
    darkness = rng.uniform(0.3, 1)
    rule = Rule(darkness, whole_number(rng, 1, 8))
    count = whole_number(rng, 1, 3)
    for start in rng.uniform(0, sheet.full, count):
        end = start + rng.normal(0, 4)
        is_upright = happens(rng, 0.5)
        if is_upright:
            sheet.line((start, 0), (end, sheet.full), rule)
        else:
            sheet.line((0, start), (sheet.full, end), rule)


def tile_of_digits(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write one or two digits that fill a tile of few pixels, up to its edges."""
    count = pick(rng, (1, 2, 2, 2, 3))
    low = 0.5 * sheet.side
    high = 0.85 * sheet.side
    writer = new_writer(rng, sheet, supplies, low, high)
    if count > 1:
        size = rng.uniform(1.1, 1.5) / count**0.5
        writer = writer.scaled(size)
    sheet.detail = whole_number(rng, 24, 71)
    x = MARGIN + rng.uniform(-0.02, 0.15) * sheet.side
    baseline = MARGIN + sheet.side * rng.uniform(0.8, 1.0)
    text = texts.digits(rng, count)
    gap = rng.uniform(-0.15, 0.15)
    writer.write(text, x, baseline, gap)


def lone_letters(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write single letters and symbols, which are no digits, with a digit here and there."""
    tallest = 150 if happens(rng, 0.4) else 48
    writer = new_writer(rng, sheet, supplies, 14, tallest)
    leading = writer.between(1.3, 2.2)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-20, 80)
        while sheet.has_room(x):
            x = _lone_mark(rng, writer, x, baseline)
            space = one_of_ranges(rng, (0.1, 0.5), (0.5, 3))
            x += writer.height * space


def _lone_mark(rng: Generator, writer: Writer, x: float, baseline: float) -> float:
    """Write one letter, symbol or digit; return where it ends."""
    chance = rng.random()
    if chance < 0.45:
        return x + writer.drawn_letter(x, baseline)
    if chance < 0.65:
        text = pick(rng, texts.LETTERS)
    elif chance < 0.8:
        text = pick(rng, SYMBOLS)
    else:
        text = texts.digits(rng, 1)
    return writer.write(text, x, baseline)


def struck_out(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers, some of them crossed out or scribbled over."""
    writer = new_writer(rng, sheet, supplies, low=13)
    leading = writer.between(1.3, 2.6)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-40, 60)
        while sheet.has_room(x):
            before = len(sheet.marks)
            text = texts.number(rng)
            gap = rng.uniform(0, 0.25)
            end = writer.write(text, x, baseline, gap)
            is_struck = happens(rng, 0.35)
            if is_struck and len(sheet.marks) > before:
                strike(rng, writer, before, x, end, baseline)
            x = end + writer.between(0.5, 2.5)


def strike(
    rng: Generator,
    writer: Writer,
    first: int,
    left: float,
    right: float,
    baseline: float,
) -> None:
    """Cross out the marks from `first` on: they are to be read no longer."""
    sheet = writer.sheet
    line = baseline + writer.slope * left
    struck = sheet.marks[first:]
    del sheet.marks[first:]
    has_strokes = happens(rng, 0.55)
    if has_strokes:
        count = whole_number(rng, 1, 3)
        _strike_through(rng, writer, count, left, right, line)
        _note_struck(sheet, struck, count)
    else:
        sheet.ignored += [mark.box for mark in struck]
        _scribble_over(rng, writer, left, right, line)


def _note_struck(sheet: Sheet, struck: list[Mark], stroke_count: int) -> None:
    """Note marks under strokes as no digits; one digit under one stroke may still be read."""
    if stroke_count == 1 and len(struck) == 1:
        sheet.ignored.append(struck[0].box)
    else:
        sheet.marks += [mark._replace(kind=OTHER) for mark in struck]


def _strike_through(
    rng: Generator,
    writer: Writer,
    count: int,
    left: float,
    right: float,
    line: float,
) -> None:
    """Draw some strokes through what stands on a line, from left to right."""
    height = writer.height
    stroke = Rule(writer.darkness, round(writer.pen))
    for _ in range(count):
        first_y, last_y = line - height * rng.uniform(0.2, 0.8, 2)
        start = (left - 0.2 * height, first_y)
        end = (right + 0.1 * height, last_y)
        writer.sheet.line(start, end, stroke, on_rules=False)


def _scribble_over(
    rng: Generator,
    writer: Writer,
    left: float,
    right: float,
    line: float,
) -> None:
    """Draw a scribble or a cross over what stands on a line, from left to right."""
    is_scribble = happens(rng, 0.75)
    draw = draw_scribble if is_scribble else draw_cross
    width = max(right - left, 4)
    height = 1.1 * writer.height
    ink = draw(rng, width, height, writer.pen)
    top = line - 1.05 * writer.height
    writer.sheet.add(ink, OTHER, left - 2, top, writer.darkness)


def print_page(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Print lines of text, with printed numbers between the words and some written ones."""
    height = log_uniform(rng, 8, 40)
    slope = rng.normal(0, 0.02)
    printer = new_printer(rng, sheet, supplies, height, slope)
    low = max(height, 12)
    high = max(1.6 * height, 14)
    writer = new_writer(rng, sheet, supplies, low, high)
    leading = height * rng.uniform(1.4, 2.4)
    share_of_numbers = pick(rng, (0.0, 0.15, 0.5))
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-40, 60)
        while sheet.has_room(x):
            if happens(rng, share_of_numbers):
                number = texts.number(rng, 0.3, 0.1)
                x = printer.write(number, x, baseline)
            elif happens(rng, 0.04):
                number = texts.number(rng)
                x = writer.write(number, x, baseline)
            else:
                word = texts.word(rng)
                x = printer.write(word, x, baseline)
            x += height * rng.uniform(0.4, 0.8)


def nothing(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Leave the page empty, or with lines and strokes that mean nothing."""
    for _ in range(whole_number(rng, 0, 4)):
        start, end = rng.uniform(0, sheet.full, (2, 2))
        darkness = rng.uniform(0.2, 1)
        rule = Rule(darkness, whole_number(rng, 1, 11))
        sheet.line(start, end, rule)
    blot_count = int(rng.choice([0, 3, 8], p=[0.6, 0.25, 0.15]))
    for _ in range(blot_count):
        _draw_blot(rng, sheet)
    if happens(rng, 0.3):
        _draw_lone_scribble(rng, sheet)


def _draw_blot(rng: Generator, sheet: Sheet) -> None:
    """Draw a disc of ink anywhere."""
    place = rng.integers(0, sheet.full, 2).tolist()
    radius = whole_number(rng, 2, 13)
    darkness = rng.uniform(0.3, 1)
    sheet.disc(place, radius, darkness, on_rules=False)


def _draw_lone_scribble(rng: Generator, sheet: Sheet) -> None:
    """Draw a scribble with nothing underneath."""
    width = rng.uniform(20, 150)
    height = rng.uniform(15, 100)
    pen = rng.uniform(1, 6)
    ink = draw_scribble(rng, width, height, pen)
    left, top = rng.uniform(MARGIN, sheet.side / 2, 2)
    darkness = rng.uniform(0.4, 1)
    sheet.add(ink, OTHER, left, top, darkness)


def fill_page(
    writer: Writer,
    text: Callable[[], str],
    gap: float,
    leading: Range = (1.15, 2.5),
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
    is_close = happens(rng, 0.5)
    space = (0.4, 1.2) if is_close else (1.0, 5.0)
    starts_at_edge = happens(rng, 0.7)
    indent = rng.uniform(-40, 60) if starts_at_edge else rng.uniform(0, 160)
    first = rng.uniform(-0.3, 1) * step
    for baseline in np.arange(first, sheet.full + step, step):
        x = indent + writer.about(0.3)
        while sheet.has_room(x):
            line_gap = gap + rng.normal(0, 0.05)
            x = writer.write(text(), x, baseline, line_gap)
            x += writer.height * (max(gap, 0) + rng.uniform(*space))
            ends_early = happens(rng, 0.12)
            if ends_early:
                break


def draw_guide(
    rng: Generator,
    sheet: Sheet,
    left: float,
    right: float,
    y: float,
    slope: float,
) -> None:
    """Draw the line that a form gives to write on: dotted, dashed or solid."""
    darkness = rng.uniform(0.3, 1.0)
    rule = Rule(darkness, whole_number(rng, 1, 3))
    style = rng.choice(["dotted", "dashed", "solid"], p=[0.45, 0.2, 0.35])
    if style == "solid":
        start = (left, y + slope * left)
        end = (right, y + slope * right)
        sheet.line(start, end, rule)
        return
    pitch = rng.uniform(4, 10)
    is_dotted = style == "dotted"
    length = 0.0 if is_dotted else pitch * rng.uniform(0.3, 0.7)
    for x in np.arange(left, min(right, sheet.full), pitch):
        level = y + slope * x
        sheet.line((x, level), (x + length, level), rule)
