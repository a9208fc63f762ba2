"""Who writes on a sheet: a person with a pen, or a printer with a font."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from qdigits.augment.pages.chance import happens, log_uniform, pick
from qdigits.augment.pages.marks import OTHER, kind_of
from qdigits.augment.pages.pens import stretch_tail, tight, write_glyph, write_tile
from qdigits.augment.pages.sheet import Sheet
from qdigits.augment.pages.skeletons import write_line
from qdigits.augment.pages.strokes import MIDDLE_DOT, SHAPES, SIGN_STROKES, draw_symbol
from qdigits.augment.pages.supplies import Digits, Font, Supplies

TAILED = (1, 3, 4, 5, 7, 9)
"""Digits whose last stroke runs down, and may run far below the line."""
SMALLEST = 0.4
"""Height of the smallest digit beside its neighbours; zeros are often that small."""


@dataclass(frozen=True)
class Writer:
    """One person's handwriting on a sheet."""

    rng: Generator
    sheet: Sheet
    supplies: Supplies
    font: Font
    """For letters."""
    height: float
    """Pixels of a digit."""
    slant: float
    thickness: float
    darkness: float
    european: float
    """Share of digits in European forms."""
    from_font: float
    """Share of digits from the font of the letters."""
    fine_pen: float = 0.0
    """Width of the pen in heights, where digits are written as lines; 0 writes them as tiles."""
    uneven: float = 0.0
    """Share of digits that are far smaller than their neighbours, or have a long tail."""
    slope: float = 0.0
    """Of the writing line; positive falls to the right."""
    bounce: float = 0.05
    """How far digits leave the line, in heights."""

    @property
    def pen(self) -> float:
        """Pixels of a stroke."""
        share = self.fine_pen or 0.1 + 0.045 * self.thickness
        return max(self.height * share, 1.0)

    def between(self, low: float, high: float) -> float:
        """Draw a length of `low` to `high` heights of a digit, in pixels."""
        return self.height * self.rng.uniform(low, high)

    def about(self, deviation: float) -> float:
        """Draw a normal offset whose standard deviation is given in heights, in pixels."""
        return self.height * self.rng.normal(0, deviation)

    def scaled(self, factor: float) -> Writer:
        """Return the same writer with larger or smaller digits."""
        return replace(self, height=self.height * factor)

    def write(self, text: str, x: float, baseline: float, gap: float = 0.15) -> float:
        """Write a text from x on; return where it ends.

        Args:
            text: Digits, signs, symbols and letters.
            x: Pixels of the first mark's left edge.
            baseline: Pixels of the line it stands on, at x = 0.
            gap: Between digits, in heights; negative digits touch.
        """
        rng = self.rng
        self.sheet.number += 1
        for character in text:
            if x > self.sheet.full:
                break
            line = baseline + self.slope * x
            if character == " ":
                self.sheet.number += 1
                x += self.between(0.4, 0.9)
            elif character.isdigit():
                x += self._digit(int(character), x, line)
                x += gap * self.height * rng.uniform(0.6, 1.4)
            elif character in SHAPES and not self._takes_from_font(character):
                x += self._symbol(character, x, line)
                x += max(gap, 0.08) * self.height
            else:
                x += self._letter(character, x, line)
        return x

    def _takes_from_font(self, character: str) -> bool:
        """Choose between the strokes and the glyph of a symbol; signs are always strokes."""
        return character not in SIGN_STROKES and happens(self.rng, 0.45)

    def digit(self, digit: int, height: float | None = None) -> np.ndarray:
        """Draw one digit, float32 ink (H, W)."""
        rng = self.rng
        height = (height or self.height) * rng.uniform(0.86, 1.14)
        if happens(rng, self.from_font):
            return self._font_digit(digit, height)
        if self.fine_pen and rng.random() > self.european:
            return self._line(digit, height)
        is_european = happens(rng, self.european)
        drawn = self.supplies.drawn
        if is_european and drawn.has(digit):
            return self._tile_digit(drawn, digit, height)
        return self._tile_digit(self.supplies.writers, digit, height)

    def _font_digit(self, digit: int, height: float) -> np.ndarray:
        """Draw a digit of the font of the letters."""
        ink = self.font.glyphs[str(digit)].ink
        scale = height / self.font.digit_height
        widen = self.rng.uniform(0.85, 1.2)
        return write_glyph(ink, scale, widen, self.slant / 2, self.thickness)

    def _tile_digit(self, bank: Digits, digit: int, height: float) -> np.ndarray:
        """Draw a digit from a tile; tiles of which nothing is left are drawn again."""
        rng = self.rng
        while True:
            ink = write_tile(
                bank.random_tile(rng, digit),
                height,
                widen=rng.uniform(0.8, 1.2),
                turn=rng.normal(0, 0.05),
                slant=self.slant + rng.normal(0, 0.06),
                thickness=self.thickness + rng.normal(0, 0.1),
            )
            if ink is not None:
                return ink

    def _uneven_digit(self, digit: int) -> tuple[np.ndarray, float]:
        """Draw a digit far smaller than its neighbours, or with a long tail below the line.

        Returns:
            Its ink, and how far it sinks below the line in pixels.
        """
        rng = self.rng
        if digit in TAILED and happens(rng, 0.7):
            ink = stretch_tail(self.digit(digit), rng.uniform(1.2, 3.0))
            longer = ink.shape[0] - self.height
            return ink, rng.uniform(0.4, 1.1) * longer
        share = rng.uniform(SMALLEST, 0.6 if digit == 0 else 0.9)
        ink = self.digit(digit, share * self.height)
        return ink, -self.between(0, 1 - share)

    def _line(self, digit: int, height: float) -> np.ndarray:
        """Draw a digit from the line of its pen."""
        rng = self.rng
        field = self.supplies.lines.random_tile(rng, digit)
        pen = max(height * self.fine_pen * rng.uniform(0.85, 1.15), 0.7)
        slant = self.slant + rng.normal(0, 0.06)
        widen = rng.uniform(0.8, 1.2)
        turn = rng.normal(0, 0.05)
        ink = write_line(field, height, widen, turn, slant, pen)
        found = tight(ink)
        return ink if found is None else found

    def _digit(self, digit: int, x: float, line: float) -> float:
        """Write a digit; return its width."""
        if happens(self.rng, self.uneven):
            ink, sunk = self._uneven_digit(digit)
            line += sunk
        else:
            ink = self.digit(digit)
        top = line - ink.shape[0] + self.about(self.bounce)
        self.sheet.add(ink, digit, x, top, self._pressure())
        return ink.shape[1]

    def _symbol(self, character: str, x: float, line: float) -> float:
        """Write a sign or a symbol as strokes; return its width."""
        drawing = draw_symbol(self.rng, character, self.height, self.pen)
        if drawing is None:
            return 0.0
        kind = kind_of("." if character == MIDDLE_DOT else character)
        top = line - drawing.rise
        self.sheet.add(drawing.ink, kind, x, top, self._pressure())
        return drawing.ink.shape[1]

    def _letter(self, character: str, x: float, line: float) -> float:
        """Write a letter or a symbol from a font; return how far it takes the pen."""
        font = self.font
        thickness = self.thickness
        if not character.isalpha():  # symbols of all fonts: they are rarer than letters
            font = pick(self.rng, self.supplies.printed + self.supplies.handwriting)
            thickness = self.rng.uniform(0, 1.5)
        glyph = font.glyphs.get(character)
        if glyph is None:
            return 0.0
        scale = self.height / font.digit_height
        ink = write_glyph(glyph.ink, scale, thickness=thickness)
        left = x + glyph.left * scale
        top = line - glyph.top * scale
        self.sheet.add(ink, kind_of(character), left, top, self.darkness)
        return glyph.advance * scale

    def drawn_letter(self, x: float, line: float) -> float:
        """Write one letter of a foreign alphabet, which is no digit; return its width."""
        rng = self.rng
        ink = write_tile(
            pick(rng, self.supplies.letters.tiles),
            self.height,
            widen=rng.uniform(0.8, 1.2),
            turn=rng.normal(0, 0.05),
            slant=0.0,
            thickness=self.thickness,
        )
        if ink is None:
            return 0.0
        self.sheet.add(ink, OTHER, x, line - ink.shape[0], self._pressure())
        return ink.shape[1]

    def _pressure(self) -> float:
        """Draw how dark one mark becomes."""
        return self.darkness * self.rng.uniform(0.82, 1.0)


@dataclass(frozen=True)
class Printer:
    """A font on a sheet; every mark it makes is printed."""

    rng: Generator
    sheet: Sheet
    font: Font
    height: float
    """Pixels of a digit."""
    darkness: float
    slope: float = 0.0
    spacing: float = 0.0
    """Between characters, in heights."""

    @property
    def scale(self) -> float:
        """Pixels of the sheet for each pixel of the font's glyphs."""
        return self.height / self.font.digit_height

    def write(self, text: str, x: float, baseline: float) -> float:
        """Print a text from x on; return where it ends."""
        scale = self.scale
        self.sheet.number += 1
        for character in text:
            if x > self.sheet.full:
                break
            glyph = self.font.glyphs.get(character)
            if glyph is None:
                self.sheet.number += 1
                x += 0.55 * self.height
                continue
            ink = write_glyph(glyph.ink, scale)
            left = x + glyph.left * scale
            top = baseline + self.slope * x - glyph.top * scale
            self.sheet.add(ink, kind_of(character), left, top, self.darkness, printed=True)
            x += glyph.advance * scale + self.spacing * self.height
        return x


def new_writer(
    rng: Generator,
    sheet: Sheet,
    supplies: Supplies,
    low: float = 10,
    high: float = 48,
) -> Writer:
    """Return a writer of random style whose digits are `low` to `high` pixels high."""
    height = log_uniform(rng, low, high)
    thinnest, thickest = (-1, 0.8) if height > 18 else (-0.6, 0.6)
    thickness = rng.uniform(thinnest, thickest)
    return Writer(
        rng,
        sheet,
        supplies,
        font=pick(rng, supplies.handwriting),
        height=height,
        slant=rng.normal(0.03, 0.13),
        thickness=thickness,
        darkness=_draw_darkness(rng),
        european=rng.choice([0.1, 0.85], p=[0.7, 0.3]),
        fine_pen=_draw_fine_pen(rng, height),
        uneven=rng.choice([0.02, 0.4, 0.8], p=[0.55, 0.3, 0.15]),
        from_font=rng.choice([0.0, 0.7], p=[0.94, 0.06]),
        slope=rng.normal(0, 0.03),
        bounce=rng.uniform(0.01, 0.08),
    )


def _draw_darkness(rng: Generator) -> float:
    """Draw how dark a writer's ink is; that of every second one is surely dark."""
    may_be_faint = happens(rng, 0.5)
    least = 0.35 if may_be_faint else 0.75
    return rng.uniform(least, 1.0)


def _draw_fine_pen(rng: Generator, height: float) -> float:
    """Draw the width of a writer's pen in heights; 0 for those who write as tiles show it."""
    has_fine_pen = happens(rng, 0.4)
    if has_fine_pen and height > 14:
        return rng.uniform(0.015, 0.11)
    return 0.0


def new_printer(
    rng: Generator,
    sheet: Sheet,
    supplies: Supplies,
    height: float,
    slope: float = 0.0,
) -> Printer:
    """Return a printer of random font whose digits are `height` pixels high."""
    font = pick(rng, supplies.printed)
    is_spaced = happens(rng, 0.2)
    return Printer(
        rng,
        sheet,
        font=font,
        height=height,
        slope=slope,
        spacing=rng.uniform(0, 0.2) if is_spaced else 0.0,
        darkness=rng.uniform(0.5, 1.0),
    )
