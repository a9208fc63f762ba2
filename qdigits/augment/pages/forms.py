"""Kinds of pages with rules: boxes, combs, guides, ruled and squared paper, tables, cheques."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from qdigits.augment.pages import texts
from qdigits.augment.pages.chance import happens, log_uniform, one_of_ranges, pick, whole_number
from qdigits.augment.pages.marks import OTHER, Box, box_of
from qdigits.augment.pages.scribes import Printer, Writer, new_printer, new_writer
from qdigits.augment.pages.sheet import MARGIN, Rule, Sheet
from qdigits.augment.pages.strokes import draw_cross, draw_scribble
from qdigits.augment.pages.supplies import Supplies
from qdigits.augment.pages.writing import draw_guide, fill_page, write_half

HALF = "half"
"""In place of a pattern: a number and a fraction."""


def boxes(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw rows of boxes with one digit in each."""
    writer = new_writer(rng, sheet, supplies, low=11, high=60)
    width = writer.between(1.05, 1.9)
    tall = writer.between(1.15, 1.8)
    space_beside = rng.uniform(0.05, 0.5)
    apart = pick(rng, (0.0, space_beside)) * writer.height
    space_below = rng.uniform(0.1, 1.5)
    space_below = rng.choice([0.0, space_below], p=[0.3, 0.7])
    leading = tall + writer.height * space_below
    darkness = rng.uniform(0.25, 1)
    rule = Rule(darkness, pick(rng, (1, 1, 2, 3, 4)))
    has_placeholder = happens(rng, 0.06)
    print_height = writer.between(0.35, 0.9)
    printer = new_printer(rng, sheet, supplies, print_height)
    first_top = rng.uniform(-tall, leading)
    for top in np.arange(first_top, sheet.full, leading):
        x = rng.uniform(-2 * width, 0.5 * sheet.full)
        has_label = happens(rng, 0.3)
        if has_label:
            label = texts.label(rng)
            end = printer.write(label, x, top + 0.75 * tall)
            x = end + writer.height * 0.4
        sheet.number += 1
        for _ in range(whole_number(rng, 1, 11)):
            if not sheet.has_room(x):
                break
            cell = box_of(x, top + writer.slope * x, width, tall)
            sheet.rectangle(cell, rule)
            if has_placeholder:
                _draw_placeholder(sheet, cell, rule.darkness * 0.6)
            write_in_cell(rng, writer, cell)
            x += width + apart


def _draw_placeholder(sheet: Sheet, cell: Box, darkness: float) -> None:
    """Draw the light 8 that some forms print for machines to follow."""
    margin_x = 0.3 * cell.width
    margin_y = 0.18 * cell.height
    left = cell.left + margin_x
    right = cell.right - margin_x
    top = cell.top + margin_y
    bottom = cell.bottom - margin_y
    rule = Rule(darkness, 1)
    sheet.rectangle(Box(left, top, right, bottom), rule)
    middle = (top + bottom) / 2
    sheet.line((left, middle), (right, middle), rule)


def write_in_cell(rng: Generator, writer: Writer, cell: Box) -> None:
    """Write into a box: mostly a digit, now and then a cross, a dash, a letter or nothing."""
    chance = rng.random()
    middle_x, middle_y = cell.centre
    x = middle_x + rng.normal(0, 0.08) * cell.width
    y = middle_y + rng.normal(0, 0.08) * cell.height
    size = writer.height
    if chance < 0.82:
        _write_digit_around(rng, writer, x, y)
    elif chance < 0.89:
        height = writer.between(0.5, 1.1)
        width = height * rng.uniform(0.7, 1.2)
        cross = draw_cross(rng, width, height, writer.pen)
        _add_around(writer, cross, OTHER, x, y, writer.darkness)
    elif chance < 0.93:
        left = x - 0.25 * size
        writer.write("-", left, y + 0.45 * size)
    elif chance < 0.95:
        left = x - 0.4 * size
        writer.drawn_letter(left, y + 0.5 * size)
    elif chance < 0.97:
        width, height = size * rng.uniform(0.5, 1.1, 2)
        scribble = draw_scribble(rng, width, height, writer.pen)
        _add_around(writer, scribble, OTHER, x, y, writer.darkness)


def _write_digit_around(rng: Generator, writer: Writer, x: float, y: float) -> None:
    """Write any digit with its middle at (x, y)."""
    digit = whole_number(rng, 0, 9)
    ink = writer.digit(digit)
    darkness = writer.darkness * rng.uniform(0.82, 1)
    _add_around(writer, ink, digit, x, y, darkness)


def _add_around(
    writer: Writer,
    ink: np.ndarray,
    kind: int,
    x: float,
    y: float,
    darkness: float,
) -> None:
    """Put a mark on the sheet with its middle at (x, y)."""
    height, width = ink.shape
    left = x - width / 2
    top = y - height / 2
    writer.sheet.add(ink, kind, left, top, darkness)


def combs(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw combs: a line to write on, and ticks between the digits."""
    writer = new_writer(rng, sheet, supplies, low=12, high=56)
    width = writer.between(0.85, 1.6)
    tick = writer.height * one_of_ranges(rng, (0.15, 0.5), (0.5, 1.4))
    leading = writer.between(1.6, 3.0)
    darkness = rng.uniform(0.25, 1)
    rule = Rule(darkness, pick(rng, (1, 1, 2, 3)))
    has_upper_line = happens(rng, 0.2)
    cell_height = 1.15 * writer.height
    for bottom in sheet.baselines(rng, leading):
        start = rng.uniform(-2 * width, 0.4 * sheet.full)
        cell_count = whole_number(rng, 2, 13)
        end = start + cell_count * width
        sheet.number += 1
        sheet.line((start, bottom), (end, bottom), rule)
        if has_upper_line:
            top = bottom - 1.4 * writer.height
            sheet.line((start, top), (end, top), rule)
        for x in np.arange(start, end + 1, width):
            sheet.line((x, bottom), (x, bottom - tick), rule)
            is_last_tick = x + width > end + 1
            if is_last_tick or x > sheet.full:
                break
            cell = box_of(x, bottom - cell_height, width, cell_height)
            write_in_cell(rng, writer, cell)


def guides(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw dotted, dashed or solid guides and write numbers on them, with words before."""
    writer = new_writer(rng, sheet, supplies, low=12)
    leading = writer.between(1.5, 3.2)
    print_height = writer.between(0.4, 0.9)
    printer = new_printer(rng, sheet, supplies, print_height, writer.slope)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-60, 60)
        has_label = happens(rng, 0.6)
        if has_label:
            label = texts.label(rng)
            x = printer.write(label, x, baseline)
            x += writer.between(0, 1)
        level = baseline + writer.between(-0.15, 0.2)
        right = x + rng.uniform(100, 300)
        draw_guide(rng, sheet, x - 5, right, level, writer.slope)
        x += writer.between(0, 1.5)
        for _ in range(whole_number(rng, 1, 2)):
            text = texts.number(rng)
            gap = rng.uniform(-0.1, 0.3)
            x = writer.write(text, x, baseline, gap)
            x += writer.height


def ruled_paper(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Rule the paper, as light or as dark as ink, and write numbers and words on it."""
    writer = new_writer(rng, sheet, supplies, low=11)
    pitch = writer.between(0.9, 2.2)
    darkness = rng.uniform(0.12, 1.0)
    rule = Rule(darkness, pick(rng, (1, 1, 2, 3)))
    _rule_across(rng, sheet, pitch, rule, writer.slope)
    share_of_words = pick(rng, (0.0, 0.3))

    def text() -> str:
        is_word = happens(rng, share_of_words)
        return texts.word(rng) if is_word else texts.number(rng, 0.15)

    gap = rng.uniform(-0.1, 0.3)
    lines_apart = pitch / writer.height
    fill_page(writer, text, gap, leading=(lines_apart, lines_apart))
    has_margin_line = happens(rng, 0.3)
    if has_margin_line:
        x = rng.uniform(0, sheet.full)
        darkness = rng.uniform(0.2, 0.9)
        margin_rule = Rule(darkness, whole_number(rng, 1, 2))
        sheet.line_down(x, margin_rule)


def squared_paper(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Square the paper, as light or as dark as ink, and write numbers on it."""
    writer = new_writer(rng, sheet, supplies, low=11)
    pitch = writer.height * log_uniform(rng, 0.28, 1.5)
    strongest = 1.0 if pitch > 9 else 0.6
    darkness = rng.uniform(0.12, 0.95) * strongest
    width = 1 if pitch < 16 else whole_number(rng, 1, 3)
    rule = Rule(darkness, width)
    _rule_across(rng, sheet, pitch, rule)
    first_x = rng.uniform(0, pitch)
    for x in np.arange(first_x, sheet.full, pitch):
        sheet.line_down(x, rule)

    def text() -> str:
        return texts.number(rng, 0.2)

    gap = rng.uniform(0.0, 0.4)
    fill_page(writer, text, gap, leading=(1.1, 2.6))


def _rule_across(
    rng: Generator,
    sheet: Sheet,
    pitch: float,
    rule: Rule,
    slope: float = 0.0,
) -> None:
    """Draw parallel lines from side to side, `pitch` pixels apart, over the whole sheet."""
    drift = slope * sheet.full
    beyond = abs(drift)  # further up and down, a line still crosses the sheet
    first_y = rng.uniform(-beyond, pitch)
    for y in np.arange(first_y, sheet.full + beyond, pitch):
        sheet.line_across(y, rule, drift=drift)


class Table(NamedTuple):
    """What the cells of one table have in common."""

    writer: Writer
    printer: Printer
    pattern: str
    """What most cells hold."""
    has_header: bool
    shaded: float
    """Share of cells that are grey."""
    crossed: float
    """Share of cells that hold one digit or a cross."""
    empty: float


def table(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw a table with rules and numbers, crosses, dashes, halves and words in its cells."""
    writer = new_writer(rng, sheet, supplies, low=10, high=56)
    width = writer.between(1.3, 6.5)
    tall = writer.between(1.2, 2.8)
    darkness = rng.uniform(0.2, 1)
    rule = Rule(darkness, pick(rng, (1, 1, 2, 3, 5)))
    left = rng.uniform(-width, 0.3 * width)
    top = rng.uniform(-tall, 0.3 * tall)
    columns = np.arange(left, sheet.full + width, width)
    rows = np.arange(top, sheet.full + tall, tall)
    _rule_table(rng, writer, rule, columns, rows)
    style = _draw_style(rng, writer, supplies, width, tall)
    for row, y in enumerate(rows[:-1]):
        for column, x in enumerate(columns[:-1]):
            if sheet.is_full:
                return
            cell = box_of(x, y, width, tall)
            _fill_cell(rng, style, cell, row, column)


def _rule_table(
    rng: Generator,
    writer: Writer,
    rule: Rule,
    columns: np.ndarray,
    rows: np.ndarray,
) -> None:
    """Draw the rules of a table: its columns' left edges and mostly its rows' upper edges."""
    sheet = writer.sheet
    is_without_rows = happens(rng, 0.2)
    for x in columns:
        drift = rng.normal(0, 1.5)
        sheet.line_down(x, rule, rows[0], drift)
    ruled_rows = rows[:1] if is_without_rows else rows
    drift = writer.slope * sheet.full * 0.3
    for y in ruled_rows:
        sheet.line_across(y, rule, columns[0], drift)


def _draw_style(
    rng: Generator,
    writer: Writer,
    supplies: Supplies,
    width: float,
    tall: float,
) -> Table:
    """Draw what the cells of a table, of a width and height in pixels, have in common."""
    tallest_print = min(0.45 * tall, writer.height)
    print_height = tallest_print * rng.uniform(0.5, 0.9)
    printer = new_printer(rng, writer.sheet, supplies, print_height)
    pattern = _pattern_for(rng, width / writer.height)
    has_header = happens(rng, 0.4)
    shaded = rng.choice([0.0, 0.3], p=[0.8, 0.2])
    crossed, empty = rng.choice([0.0, 0.12, 0.4], 2, p=[0.4, 0.45, 0.15])
    return Table(writer, printer, pattern, has_header, shaded, crossed, empty)


def _fill_cell(rng: Generator, table: Table, cell: Box, row: int, column: int) -> None:
    """Shade a cell of a table, print in it or write in it, or leave it empty."""
    is_shaded = happens(rng, table.shaded)
    if is_shaded:
        darkness = rng.uniform(0.05, 0.35)
        table.writer.sheet.shade(cell, darkness)
    if table.has_header and _is_header(rng, row, column):
        _print_header(rng, table.printer, cell, row)
        return
    is_empty = happens(rng, table.empty)
    if not is_empty:
        _write_table_cell(rng, table, cell)


def _is_header(rng: Generator, row: int, column: int) -> bool:
    """Return whether a cell is printed: all of the first row, most of the first column."""
    if row == 0:
        return True
    return column == 0 and happens(rng, 0.7)


def _print_header(rng: Generator, printer: Printer, cell: Box, row: int) -> None:
    """Print a word or the row's number in a cell."""
    is_word = happens(rng, 0.7)
    text = texts.word(rng, 5) if is_word else str(row + 1)
    x = cell.left + 0.1 * cell.width
    baseline = cell.top + 0.65 * cell.height
    printer.write(text, x, baseline)


def _pattern_for(rng: Generator, room: float) -> str:
    """Choose what the cells of a table hold, by their width in heights."""
    patterns = ["d"]
    if room > 2:
        patterns += ["dd", "dd", HALF]
    if room > 3:
        patterns += ["d.dd", "d·dd", "ddd", "dd.d", "-d"]
    if room > 4.5:
        patterns += ["dddd", "d,ddd", "dd.dd", "dd/dd"]
    return pick(rng, patterns)


def _write_table_cell(rng: Generator, table: Table, cell: Box) -> None:
    """Write a number, a half or a word into a cell of a table."""
    writer = table.writer
    writer.sheet.number += 1
    x = cell.left + rng.uniform(0.05, 0.3) * cell.width
    _, middle = cell.centre
    drop = 0.5 + rng.normal(0, 0.1)
    baseline = middle + writer.height * drop
    if table.pattern == "d" or happens(rng, table.crossed):
        write_in_cell(rng, writer, cell)
    elif table.pattern == HALF:
        write_half(rng, writer, x, baseline)
    elif happens(rng, 0.06):
        word = texts.word(rng, 4)
        writer.scaled(0.7).write(word, x, baseline)
    else:
        text = texts.fill(rng, table.pattern)
        gap = rng.uniform(-0.08, 0.2)
        writer.write(text, x, baseline, gap)


def cheque(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw parts of a cheque: print, words on lines, an amount in a box, a date, a number."""
    writer = new_writer(rng, sheet, supplies, low=11, high=34)
    print_height = writer.between(0.35, 0.7)
    printer = new_printer(rng, sheet, supplies, print_height)
    darkness = rng.uniform(0.3, 1)
    rule = Rule(darkness, whole_number(rng, 1, 3))
    y = rng.uniform(0, 40)
    while y < sheet.full + writer.height:
        chance = rng.random()
        x = rng.uniform(-60, 80)
        if chance < 0.2:
            small_print = texts.words(rng, 4)
            printer.write(small_print, x, y)
            y -= 0.6 * writer.height
        elif chance < 0.45:
            _write_words_on_guide(rng, writer, printer, x, y)
        elif chance < 0.7:
            _write_amount(rng, writer, printer, x, y, rule)
        elif chance < 0.85:
            _write_date(rng, writer, printer, x, y)
        else:
            number = texts.fill_one(rng, texts.ON_CHEQUES)
            printer.write(number, x, y)
        y += writer.between(1.5, 2.6)


def _write_words_on_guide(
    rng: Generator,
    writer: Writer,
    printer: Printer,
    x: float,
    y: float,
) -> None:
    """Print a label, and write words on a guide behind it."""
    sheet = writer.sheet
    label = texts.label(rng)
    left = printer.write(label, x, y) + 5
    draw_guide(rng, sheet, left, sheet.full, y + 2, 0)
    count = whole_number(rng, 1, 3)
    words = texts.words(rng, count)
    writer.write(words, left + 5, y)


def _write_date(
    rng: Generator,
    writer: Writer,
    printer: Printer,
    x: float,
    y: float,
) -> None:
    """Print "Date:", and write one on a guide behind it."""
    pattern = pick(rng, texts.DATES)
    left = printer.write("Date: ", x, y)
    right = left + 8 * writer.height
    draw_guide(rng, writer.sheet, left, right, y + 2, 0)
    date = texts.fill(rng, pattern)
    gap = rng.uniform(-0.1, 0.2)
    writer.write(date, left, y, gap)


def _write_amount(
    rng: Generator,
    writer: Writer,
    printer: Printer,
    x: float,
    y: float,
    rule: Rule,
) -> None:
    """Print a currency and write an amount behind it, mostly in a box."""
    height = writer.height
    currency = pick(rng, texts.CURRENCIES)
    indent = rng.uniform(0, 90)
    left = printer.write(currency, x + indent, y)
    amount = texts.fill_one(rng, texts.CHEQUE_AMOUNTS)
    gap = rng.uniform(-0.12, 0.15)
    end = writer.write(amount, left + 0.4 * height, y, gap)
    has_box = happens(rng, 0.7)
    if has_box:
        pad = writer.between(0.15, 0.5)
        top = y - height - pad
        right = max(end + pad, left + 5 * height)
        box = Box(left, top, right, y + pad)
        writer.sheet.rectangle(box, rule)


def cell_crop(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw one cell that fills the crop, with its rules at the edges and often print above."""
    count = pick(rng, (1, 1, 2, 2, 3))
    tallest = 150 / count**0.4
    writer = new_writer(rng, sheet, supplies, 45, tallest)
    room = rng.uniform(0.3, 1.5)
    width = writer.height * (0.75 * count + room)
    tall = writer.between(1.1, 2.2)
    is_small = happens(rng, 0.35)
    if is_small:
        writer = writer.scaled(rng.uniform(0.3, 0.7))
    left = MARGIN + (sheet.side - width) * rng.uniform(0.1, 0.9)
    top = MARGIN + (sheet.side - tall) * rng.uniform(0.1, 0.9)
    cell = box_of(left, top, width, tall)
    _draw_sides(rng, sheet, cell)
    has_few_pixels = happens(rng, 0.3)
    if has_few_pixels:
        pixels_of_a_digit = rng.uniform(8, 22)
        sheet.detail = round(sheet.side * pixels_of_a_digit / writer.height)
    chance = rng.random()
    if chance < 0.8:
        room = width - 0.6 * writer.height * count
        _fill_with_digits(rng, writer, cell, count, room)
    elif chance < 0.93:
        write_in_cell(rng, writer, cell)
    has_title = happens(rng, 0.2)
    if has_title:
        print_height = writer.between(0.12, 0.3)
        printer = new_printer(rng, sheet, supplies, print_height)
        title = texts.label(rng) + " " + texts.word(rng)
        baseline = top - 0.15 * writer.height
        printer.write(title, left, baseline)


def _fill_with_digits(
    rng: Generator,
    writer: Writer,
    cell: Box,
    count: int,
    room: float,
) -> None:
    """Write some digits into a cell, after a part of the room that they leave."""
    text = texts.digits(rng, count)
    x = cell.left + rng.uniform(0.1, 0.35) * room
    _, middle = cell.centre
    baseline = middle + 0.5 * writer.height
    gap = rng.uniform(-0.1, 0.2)
    writer.write(text, x, baseline, gap)


def _draw_sides(rng: Generator, sheet: Sheet, cell: Box) -> None:
    """Draw most sides of a cell, each of which may run on beyond the corner."""
    darkness = rng.uniform(0.3, 1.0)
    rule = Rule(darkness, whole_number(rng, 1, 11))
    has_left, has_right, has_top, has_bottom = rng.random(4) < 0.75
    if has_left:
        _draw_upright_side(rng, sheet, cell, cell.left, rule)
    if has_right:
        _draw_upright_side(rng, sheet, cell, cell.right, rule)
    if has_top:
        _draw_level_side(rng, sheet, cell, cell.top, rule)
    if has_bottom:
        _draw_level_side(rng, sheet, cell, cell.bottom, rule)


def _draw_upright_side(rng: Generator, sheet: Sheet, cell: Box, x: float, rule: Rule) -> None:
    """Draw a side of a cell at x, down to the edge of the sheet and often up to it, too."""
    drift = rng.normal(0, 3)
    runs_on = happens(rng, 0.6)
    top = 0 if runs_on else cell.top
    sheet.line_down(x, rule, top, drift)


def _draw_level_side(rng: Generator, sheet: Sheet, cell: Box, y: float, rule: Rule) -> None:
    """Draw a side of a cell at y, to the right edge of the sheet and often from the left one."""
    drift = rng.normal(0, 3)
    runs_on = happens(rng, 0.6)
    left = 0 if runs_on else cell.left
    sheet.line_across(y, rule, left, drift)


def circle_marks(rng: Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers with rings around some of them, as teachers do."""
    writer = new_writer(rng, sheet, supplies, low=16, high=60)
    leading = writer.between(2, 4)
    for baseline in sheet.baselines(rng, leading):
        x = rng.uniform(-20, 100)
        while x < sheet.full:
            text = texts.number(rng)
            gap = rng.uniform(0, 0.2)
            end = writer.write(text, x, baseline, gap)
            has_ring = happens(rng, 0.6)
            if has_ring:
                line = baseline + writer.slope * x
                _draw_ring(rng, writer, x, end, line)
            x = end + writer.between(1.5, 4)


def _draw_ring(rng: Generator, writer: Writer, left: float, right: float, line: float) -> None:
    """Draw a ring around what stands on a line from left to right."""
    height = writer.height
    middle_x = (left + right) / 2
    middle_y = line - height / 2
    centre = (int(middle_x), int(middle_y))
    half_width = int((right - left) / 2 + 0.4 * height)
    half_height = int(writer.between(0.8, 1.2))
    cv2.ellipse(
        writer.sheet.ink,
        centre,
        (half_width, half_height),
        angle=rng.normal(0, 6),
        startAngle=rng.uniform(0, 20),
        endAngle=370,
        color=float(writer.darkness),
        thickness=max(int(writer.pen), 1),
        lineType=cv2.LINE_AA,
    )
