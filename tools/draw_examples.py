"""Draw the pictures of examples/: every digit is a few points and a smooth line through them.

python -m tools.draw_examples
"""

from pathlib import Path

import cv2
import numpy as np

from qdigits.reading.place import place_photo, rotate

# Strokes in a unit box, y downwards; a repeated point is a sharp corner.
STROKES = {
    "0": ["55,2 20,18 8,55 25,92 55,97 86,74 90,38 74,8 48,3"],
    "1": ["32,24 56,3 56,3 50,50 48,98"],
    "2": ["12,26 30,5 64,3 82,24 62,56 10,96 10,96 50,91 92,96"],
    "3": ["15,10 48,1 80,18 68,40 38,47 38,47 78,55 86,80 52,99 10,90"],
    "4": ["38,2 10,62 10,62 92,60", "70,30 64,98"],
    "5": ["26,5 20,45 20,45 54,38 86,60 74,92 42,99 10,90", "26,5 84,3"],
    "6": ["70,2 36,25 12,65 25,94 58,98 82,76 60,54 28,60 14,76"],
    "7": ["10,6 88,3 88,3 62,45 42,98"],
    "8": ["74,16 50,1 24,15 36,40 70,60 80,84 50,99 20,84 36,58 68,36 75,12"],
    "9": ["80,20 52,3 20,20 30,47 62,42 80,15 80,15 77,60 62,98"],
    "star": ["50,0 80,95 80,95 2,36 2,36 98,36 98,36 20,95 20,95 50,0"],
}


def smooth(points, steps=12):
    """A Catmull-Rom line through the points."""
    p = np.vstack([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, steps)[:, None]
    return np.vstack(
        [
            (
                (2 * b)
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
            / 2
            for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
        ]
    )


def write(ink, name, left, top, height, pen, rng):
    """One shape onto the ink layer, a little different each time."""
    slant, wide = rng.normal(0.08, 0.05), rng.normal(0.62, 0.04)
    for stroke in STROKES[name]:
        points = np.array([pair.split(",") for pair in stroke.split()], float) / 100
        corner = np.r_[False, (np.diff(points, axis=0) == 0).all(1)]
        points = points + rng.normal(0, 0.018, points.shape)
        points[corner] = points[np.r_[corner[1:], False]]
        for piece in np.split(points, np.flatnonzero(corner)):
            x, y = smooth(piece).T
            line = np.stack([left + height * (wide * x + slant * (1 - y)), top + height * y], 1)
            cv2.polylines(ink, [np.int32(line * 16)], False, 255, pen, cv2.LINE_AA, shift=4)


def paper(height, width, rng, ruled=0):
    """Return photographed paper, float32 0..1, RGB: light from one corner, grain, perhaps lines."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    light = 0.96 - 0.30 * (0.6 * x + 0.4 * y) ** 1.5
    grain = cv2.GaussianBlur(rng.normal(0, 0.02, (height, width)), (0, 0), 1.2)
    sheet = (light + grain)[..., None] * np.array([1, 0.98, 0.93])
    if ruled:
        sheet[ruled::ruled] *= np.array([0.88, 0.93, 0.98])
    return sheet


def page(rows, size, height, pen, rng, ruled=0, ink_colour=(0.10, 0.16, 0.42), boxed=False):
    """Rows of shapes on paper, as a phone would see them, or in the boxes of a form. uint8 RGB."""
    sheet = paper(*size, rng, ruled)
    ink = np.zeros(size, np.uint8)
    down = size[0] / len(rows)
    for r, row in enumerate(rows):
        advance = [height * (1.9 if name == " " else 0.95) for name in row]
        left = (size[1] - sum(advance)) / 2 + 0.15 * height
        for name, step in zip(row, advance, strict=True):
            if name != " ":
                top = down * r + (down - height) / 2 + rng.normal(0, height * 0.03)
                write(ink, name, left, top, height * rng.normal(1, 0.04), pen, rng)
                if boxed:
                    box = left - 0.15 * height, down * (r + 0.1), 0.95 * height, 0.8 * down
                    cv2.rectangle(sheet, np.int32(box).tolist(), (0.4, 0.4, 0.4), 2)
            left += step
    cover = cv2.GaussianBlur(ink, (0, 0), 0.8)[..., None] / 255 * 0.92
    return np.uint8(np.clip(sheet * (1 - cover) + np.array(ink_colour) * cover, 0, 1) * 255)


def turn_photo(photo: np.ndarray, angle: int) -> np.ndarray:
    """Turn a photo counter-clockwise on a larger canvas of its border's colour."""
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(photo, angle // 90))
    return rotate(place_photo(photo, 1.0), angle).photo


def main():
    here, rng = Path(__file__).parents[1] / "examples", np.random.default_rng(2026)
    tile = np.zeros((280, 280), np.uint8)
    write(tile, "7", 75, 40, 200, 20, rng)
    pictures = {
        "seven.png": cv2.resize(tile, (28, 28), interpolation=cv2.INTER_AREA),
        "photo.jpg": page([["4"]], (420, 560), 230, 9, rng, ink_colour=(0.22, 0.22, 0.24)),
        "year.jpg": page(["2026"], (360, 800), 190, 8, rng, ruled=60),
        "page.jpg": page(
            ["31 415", "92 653", "58 979", "32 384"], (900, 1000), 120, 6, rng, ruled=75
        ),
        "star.jpg": page([["star"]], (420, 560), 230, 9, rng),
        "form.jpg": page(["31 12 2026", "314 159"], (420, 1300), 100, 6, rng, boxed=True),
    }
    for name, picture in pictures.items():
        cv2.imwrite(str(here / name), picture[..., ::-1] if picture.ndim == 3 else picture)


if __name__ == "__main__":
    main()
