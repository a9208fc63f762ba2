"""Kinds of pages with rules: boxes, combs, guides, ruled and squared paper, tables, cheques."""

from __future__ import annotations

import cv2
import numpy as np

from qdigits.augment.pages import texts
from qdigits.augment.pages.marks import OTHER, Box
from qdigits.augment.pages.scribes import Writer, box_of, new_printer, new_writer
from qdigits.augment.pages.sheet import MARGIN, Sheet
from qdigits.augment.pages.strokes import draw_cross, draw_scribble
from qdigits.augment.pages.supplies import Supplies
from qdigits.augment.pages.writing import draw_guide, fill_page, write_half


def boxes(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw rows of boxes with one digit in each."""
    writer = new_writer(rng, sheet, supplies, low=11, high=60)
    width, tall = writer.height * rng.uniform(1.05, 1.9), writer.height * rng.uniform(1.15, 1.8)
    apart = rng.choice([0.0, rng.uniform(0.05, 0.5)]) * writer.height
    leading = tall + writer.height * rng.choice([0.0, rng.uniform(0.1, 1.5)], p=[0.3, 0.7])
    darkness, line = rng.uniform(0.25, 1), int(rng.choice([1, 1, 2, 3, 4]))
    placeholder = rng.random() < 0.06
    printer = new_printer(rng, sheet, supplies, writer.height * rng.uniform(0.35, 0.9))
    for top in np.arange(rng.uniform(-tall, leading), sheet.full, leading):
        x = rng.uniform(-2 * width, 0.5 * sheet.full)
        if rng.random() < 0.3:
            x = printer.write(texts.label(rng), x, top + 0.75 * tall) + writer.height * 0.4
        sheet.number += 1
        for _ in range(int(rng.integers(1, 12))):
            if x > sheet.full or sheet.is_full:
                break
            cell = box_of(x, top + writer.slope * x, width, tall)
            sheet.rectangle(cell, darkness, line)
            if placeholder:
                _draw_placeholder(sheet, cell, darkness * 0.6)
            write_in_cell(rng, writer, cell)
            x += width + apart


def _draw_placeholder(sheet: Sheet, cell: Box, darkness: float) -> None:
    """Draw the light 8 that some forms print for machines to follow."""
    left, right = cell.left + 0.3 * cell.width, cell.right - 0.3 * cell.width
    top, bottom = cell.top + 0.18 * cell.height, cell.bottom - 0.18 * cell.height
    sheet.rectangle(Box(left, top, right, bottom), darkness, 1)
    middle = (top + bottom) / 2
    sheet.line((left, middle), (right, middle), darkness, 1)


def write_in_cell(rng: np.random.Generator, writer: Writer, cell: Box) -> None:
    """Write into a box: mostly a digit, now and then a cross, a dash, a letter or nothing."""
    chance = rng.random()
    x, y = cell.centre
    x += rng.normal(0, 0.08) * cell.width
    y += rng.normal(0, 0.08) * cell.height
    if chance < 0.82:
        digit = int(rng.integers(10))
        ink = writer.digit(digit)
        left, top = x - ink.shape[1] / 2, y - ink.shape[0] / 2
        writer.sheet.add(ink, digit, left, top, writer.darkness * rng.uniform(0.82, 1))
    elif chance < 0.89:
        size = writer.height * rng.uniform(0.5, 1.1)
        ink = draw_cross(rng, size * rng.uniform(0.7, 1.2), size, writer.pen)
        writer.sheet.add(ink, OTHER, x - ink.shape[1] / 2, y - ink.shape[0] / 2, writer.darkness)
    elif chance < 0.93:
        writer.write("-", x - 0.25 * writer.height, y + 0.45 * writer.height)
    elif chance < 0.95:
        writer.drawn_letter(x - 0.4 * writer.height, y + 0.5 * writer.height)
    elif chance < 0.97:
        wide, high = writer.height * rng.uniform(0.5, 1.1, 2)
        ink = draw_scribble(rng, wide, high, writer.pen)
        corner = (x - ink.shape[1] / 2, y - ink.shape[0] / 2)
        writer.sheet.add(ink, OTHER, *corner, writer.darkness)


def combs(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw combs: a line to write on, and ticks between the digits."""
    writer = new_writer(rng, sheet, supplies, low=12, high=56)
    width = writer.height * rng.uniform(0.85, 1.6)
    tick = writer.height * rng.choice([rng.uniform(0.15, 0.5), rng.uniform(0.5, 1.4)])
    leading = writer.height * rng.uniform(1.6, 3.0)
    darkness, line = rng.uniform(0.25, 1), int(rng.choice([1, 1, 2, 3]))
    topped = rng.random() < 0.2
    for bottom in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        start = rng.uniform(-2 * width, 0.4 * sheet.full)
        count = int(rng.integers(2, 14))
        end = start + count * width
        sheet.number += 1
        sheet.line((start, bottom), (end, bottom), darkness, line)
        if topped:
            sheet.line(
                (start, bottom - 1.4 * writer.height),
                (end, bottom - 1.4 * writer.height),
                darkness,
                line,
            )
        for x in np.arange(start, end + 1, width):
            sheet.line((x, bottom), (x, bottom - tick), darkness, line)
            if x + width > end + 1 or x > sheet.full:
                break
            cell = box_of(x, bottom - 1.15 * writer.height, width, 1.15 * writer.height)
            write_in_cell(rng, writer, cell)


def guides(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw dotted, dashed or solid guides and write numbers on them, with words before."""
    writer = new_writer(rng, sheet, supplies, low=12)
    leading = writer.height * rng.uniform(1.5, 3.2)
    printer = new_printer(rng, sheet, supplies, writer.height * rng.uniform(0.4, 0.9), writer.slope)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        x = rng.uniform(-60, 60)
        if rng.random() < 0.6:
            x = printer.write(texts.label(rng), x, baseline) + rng.uniform(0, 1) * writer.height
        drop = rng.uniform(-0.15, 0.2) * writer.height
        draw_guide(rng, sheet, x - 5, x + rng.uniform(100, 300), baseline + drop, writer.slope)
        x += rng.uniform(0, 1.5) * writer.height
        for _ in range(int(rng.integers(1, 3))):
            x = writer.write(texts.number(rng), x, baseline, rng.uniform(-0.1, 0.3)) + writer.height


def ruled_paper(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Rule the paper, as light or as dark as ink, and write numbers and words on it."""
    writer = new_writer(rng, sheet, supplies, low=11)
    pitch = writer.height * rng.uniform(0.9, 2.2)
    _rule(rng, sheet, pitch, vertical=False, slope=writer.slope)
    share = rng.choice([0.0, 0.3])

    def text() -> str:
        return texts.word(rng) if rng.random() < share else texts.number(rng, 0.15)

    fill_page(writer, text, rng.uniform(-0.1, 0.3), leading=(pitch / writer.height,) * 2)
    if rng.random() < 0.3:
        x = rng.uniform(0, sheet.full)
        sheet.line((x, 0), (x, sheet.full), rng.uniform(0.2, 0.9), rng.integers(1, 3))


def squared_paper(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Square the paper, as light or as dark as ink, and write numbers on it."""
    writer = new_writer(rng, sheet, supplies, low=11)
    pitch = writer.height * np.exp(rng.uniform(np.log(0.28), np.log(1.5)))
    darkness = rng.uniform(0.12, 0.95) * (1.0 if pitch > 9 else 0.6)
    width = 1 if pitch < 16 else int(rng.integers(1, 4))
    for vertical in (False, True):
        _rule(rng, sheet, pitch, vertical, darkness=darkness, width=width)
    gap = rng.uniform(0.0, 0.4)
    fill_page(writer, lambda: texts.number(rng, 0.2), gap, leading=(1.1, 2.6))


def _rule(
    rng, sheet: Sheet, pitch: float, vertical: bool, slope=0.0, darkness=None, width=None
) -> None:
    darkness = darkness or rng.uniform(0.12, 1.0)
    width = width or int(rng.choice([1, 1, 2, 3]))
    shift = slope * sheet.full
    for at in np.arange(rng.uniform(-abs(shift), pitch), sheet.full + abs(shift), pitch):
        if vertical:
            sheet.line((at, 0), (at, sheet.full), darkness, width)
        else:
            sheet.line((0, at), (sheet.full, at + shift), darkness, width)


def table(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw a table with rules and numbers, crosses, dashes, halves and words in its cells."""
    writer = new_writer(rng, sheet, supplies, low=10, high=56)
    width = writer.height * rng.uniform(1.3, 6.5)
    tall = writer.height * rng.uniform(1.2, 2.8)
    darkness, line = rng.uniform(0.2, 1), int(rng.choice([1, 1, 2, 3, 5]))
    left, top = rng.uniform(-width, 0.3 * width), rng.uniform(-tall, 0.3 * tall)
    skip_horizontal = rng.random() < 0.2
    lines = [np.arange(left, sheet.full + width, width), np.arange(top, sheet.full + tall, tall)]
    for x in lines[0]:
        sheet.line((x, top), (x + rng.normal(0, 1.5), sheet.full), darkness, line)
    for y in lines[1] if not skip_horizontal else lines[1][:1]:
        sheet.line((left, y), (sheet.full, y + writer.slope * sheet.full * 0.3), darkness, line)
    printer = new_printer(
        rng, sheet, supplies, min(0.45 * tall, writer.height) * rng.uniform(0.5, 0.9)
    )
    pattern = _pattern_for(rng, width / writer.height)
    header = rng.random() < 0.4
    shaded = rng.choice([0.0, 0.3], p=[0.8, 0.2])
    crossed, empty = rng.choice([0.0, 0.12, 0.4], 2, p=[0.4, 0.45, 0.15])
    for row, y in enumerate(lines[1][:-1]):
        for column, x in enumerate(lines[0][:-1]):
            if sheet.is_full:
                return
            cell = box_of(x, y, width, tall)
            if rng.random() < shaded:
                sheet.shade(cell, rng.uniform(0.05, 0.35))
            if header and (row == 0 or (column == 0 and rng.random() < 0.7)):
                word = texts.word(rng, 5) if rng.random() < 0.7 else str(row + 1)
                printer.write(word, x + 0.1 * width, y + 0.65 * tall)
            elif rng.random() >= empty:
                _write_table_cell(rng, writer, cell, pattern, crossed)


def _pattern_for(rng: np.random.Generator, room: float) -> str:
    """Choose what the cells of a table hold, by their width in heights."""
    patterns = ["d"]
    if room > 2:
        patterns += ["dd", "dd", "h"]
    if room > 3:
        patterns += ["d.dd", "d·dd", "ddd", "dd.d", "-d"]
    if room > 4.5:
        patterns += ["dddd", "d,ddd", "dd.dd", "dd/dd"]
    return patterns[rng.integers(len(patterns))]


def _write_table_cell(rng, writer: Writer, cell: Box, pattern: str, crossed: float) -> None:
    height = writer.height
    writer.sheet.number += 1
    x = cell.left + rng.uniform(0.05, 0.3) * cell.width
    baseline = cell.centre[1] + height * (0.5 + rng.normal(0, 0.1))
    if pattern == "d" or rng.random() < crossed:
        write_in_cell(rng, writer, cell)
    elif pattern == "h":
        write_half(rng, writer, x, baseline)
    elif rng.random() < 0.06:
        writer.scaled(0.7).write(texts.word(rng, 4), x, baseline)
    else:
        writer.write(texts.fill(rng, pattern), x, baseline, rng.uniform(-0.08, 0.2))


def cheque(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw parts of a cheque: print, words on lines, an amount in a box, a date, a number."""
    writer = new_writer(rng, sheet, supplies, low=11, high=34)
    printer = new_printer(rng, sheet, supplies, writer.height * rng.uniform(0.35, 0.7))
    darkness, line = rng.uniform(0.3, 1), int(rng.integers(1, 4))
    y = rng.uniform(0, 40)
    while y < sheet.full + writer.height:
        chance = rng.random()
        x = rng.uniform(-60, 80)
        if chance < 0.2:
            printer.write(" ".join(texts.word(rng) for _ in range(4)), x, y)
            y -= 0.6 * writer.height
        elif chance < 0.45:
            x = printer.write(texts.label(rng), x, y) + 5
            draw_guide(rng, sheet, x, sheet.full, y + 2, 0)
            words = " ".join(texts.word(rng) for _ in range(int(rng.integers(1, 4))))
            writer.write(words, x + 5, y)
        elif chance < 0.7:
            _write_amount(rng, writer, printer, x, y, darkness, line)
        elif chance < 0.85:
            date = rng.choice(["dd/dd/dddd", "dd/dd/dd", "dd-dd-dd", "dd.dd.dddd"])
            x = printer.write("Date: ", x, y)
            draw_guide(rng, sheet, x, x + 8 * writer.height, y + 2, 0)
            writer.write(texts.fill(rng, date), x, y, rng.uniform(-0.1, 0.2))
        else:
            numbers = rng.choice(
                ["dddddd  ddddddddd  dd", "ddd ddd ddd", "dddddddddddd", ":dddddd: ddddd"]
            )
            printer.write(texts.fill(rng, numbers), x, y)
        y += writer.height * rng.uniform(1.5, 2.6)


def _write_amount(
    rng, writer: Writer, printer, x: float, y: float, darkness: float, line: int
) -> None:
    height = writer.height
    sign = rng.choice(["$ ", "Rs. ", "£", "", "€ "])
    x = printer.write(sign, x + rng.uniform(0, 90), y)
    amount = rng.choice(
        ["ddd.dd", "d,ddd", "dd,ddd/-", "d,ddd.dd", "dddd-dd", "dddd/-", "ddd", "dd.dd", "dd,ddd="]
    )
    left = x
    end = writer.write(texts.fill(rng, amount), x + 0.4 * height, y, rng.uniform(-0.12, 0.15))
    if rng.random() < 0.7:
        pad = rng.uniform(0.15, 0.5) * height
        sheet_box = Box(left, y - height - pad, max(end + pad, left + 5 * height), y + pad)
        writer.sheet.rectangle(sheet_box, darkness, line)


def cell_crop(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Draw one cell that fills the crop, with its rules at the edges and often print above."""
    count = int(rng.choice([1, 1, 2, 2, 3]))
    writer = new_writer(rng, sheet, supplies, 45, 150 / count**0.4)
    width = writer.height * (0.75 * count + rng.uniform(0.3, 1.5))
    tall = writer.height * rng.uniform(1.1, 2.2)
    x0 = MARGIN + (sheet.side - width) * rng.uniform(0.1, 0.9)
    y0 = MARGIN + (sheet.side - tall) * rng.uniform(0.1, 0.9)
    cell = box_of(x0, y0, width, tall)
    darkness, line = rng.uniform(0.3, 1.0), int(rng.integers(1, 12))
    for side, on in zip(range(4), rng.random(4) < 0.75, strict=True):
        if on:
            _draw_side(rng, sheet, cell, side, darkness, line)
    chance = rng.random()
    if chance < 0.8:
        text = texts.fill(rng, "d" * count)
        left = x0 + rng.uniform(0.1, 0.35) * (width - 0.6 * writer.height * count)
        writer.write(text, left, cell.centre[1] + 0.5 * writer.height, rng.uniform(-0.1, 0.2))
    elif chance < 0.93:
        write_in_cell(rng, writer, cell)
    if rng.random() < 0.2:
        printer = new_printer(rng, sheet, supplies, writer.height * rng.uniform(0.12, 0.3))
        printer.write(texts.label(rng) + " " + texts.word(rng), x0, y0 - 0.15 * writer.height)


def _draw_side(rng, sheet: Sheet, cell: Box, side: int, darkness: float, line: int) -> None:
    """Draw one side of a cell, which may run on beyond the corner."""
    lean = rng.normal(0, 3)
    if side < 2:
        x = (cell.left, cell.right)[side]
        sheet.line(
            (x, 0 if rng.random() < 0.6 else cell.top), (x + lean, sheet.full), darkness, line
        )
    else:
        y = (cell.top, cell.bottom)[side - 2]
        sheet.line(
            (0 if rng.random() < 0.6 else cell.left, y), (sheet.full, y + lean), darkness, line
        )


def circle_marks(rng: np.random.Generator, sheet: Sheet, supplies: Supplies) -> None:
    """Write numbers with rings around some of them, as teachers do."""
    writer = new_writer(rng, sheet, supplies, low=16, high=60)
    leading = writer.height * rng.uniform(2, 4)
    for baseline in np.arange(rng.uniform(0, leading), sheet.full + leading, leading):
        x = rng.uniform(-20, 100)
        while x < sheet.full:
            end = writer.write(texts.number(rng), x, baseline, rng.uniform(0, 0.2))
            if rng.random() < 0.6:
                middle = int((x + end) / 2), int(baseline + writer.slope * x - writer.height / 2)
                axes = (
                    int((end - x) / 2 + 0.4 * writer.height),
                    int(writer.height * rng.uniform(0.8, 1.2)),
                )
                cv2.ellipse(
                    sheet.ink,
                    middle,
                    axes,
                    rng.normal(0, 6),
                    rng.uniform(0, 20),
                    370,
                    float(writer.darkness),
                    max(int(writer.pen), 1),
                    cv2.LINE_AA,
                )
            x = end + writer.height * rng.uniform(1.5, 4)
