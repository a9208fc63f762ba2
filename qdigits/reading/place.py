"""Where a page that was read lies on the original picture: it may have been turned on the way."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from qdigits.reading.result import Box


class Place(NamedTuple):
    """A page as it was read, on the original picture."""

    to_original: np.ndarray  # float (2, 3): from the page's pixels to the original's
    width: float  # of the original picture, pixels
    height: float

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return the box on the original picture that holds a box of the page."""
        corners = np.array([[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]])
        x, y = self.to_original @ corners
        across = np.clip([x.min(), x.max()], 0, self.width)
        down = np.clip([y.min(), y.max()], 0, self.height)
        return Box(*(round(float(edge)) for edge in (across[0], down[0], across[1], down[1])))

    def after(self, step: np.ndarray) -> Place:
        """Return the place of a page that was moved once more.

        Args:
            step: float (2, 3), from the pixels of the moved page to those of the page before.
        """
        return self._replace(to_original=self.to_original @ np.vstack([step, (0, 0, 1)]))


class Placed(NamedTuple):
    """A picture, and where it lies on the original one."""

    photo: np.ndarray  # uint8 (H, W, 3), RGB
    place: Place


def place_photo(photo: np.ndarray, downscale: float) -> Placed:
    """Take a photo as it was opened; `downscale` original pixels make one of its own."""
    height, width = photo.shape[:2]
    to_original = np.array([[downscale, 0, 0], [0, downscale, 0]], float)
    return Placed(photo, Place(to_original, width * downscale, height * downscale))


def put_on_paper(placed: Placed, room: int) -> Placed:
    """Put `room` pixels of paper around a photo."""
    photo = placed.photo
    sides = (room, room, room, room)
    larger = cv2.copyMakeBorder(photo, *sides, cv2.BORDER_CONSTANT, value=colour_of_edges(photo))
    back = np.array([[1, 0, -room], [0, 1, -room]], float)
    return Placed(larger, placed.place.after(back))


def turn_quarters(placed: Placed, quarters: int) -> Placed:
    """Turn a photo clockwise by some quarters."""
    photo, place = placed
    for _ in range(quarters):
        height = photo.shape[0]
        photo = np.rot90(photo, -1)
        back = np.array([[0, 1, 0], [-1, 0, height]], float)
        place = place.after(back)
    return Placed(np.ascontiguousarray(photo), place)


def straighten(placed: Placed, slope: float) -> Placed:
    """Turn a photo until lines that fall by `slope` pixels for each one to the right are level."""
    return rotate(placed, float(np.degrees(np.arctan(slope))))


def rotate(placed: Placed, angle: float) -> Placed:
    """Turn a photo counter-clockwise by some degrees, on a larger sheet of its edges' colour."""
    photo = placed.photo
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    cosine, sine = abs(turn[0, :2])
    size = (round(width * cosine + height * sine), round(width * sine + height * cosine))
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(
        photo, turn, size, flags=cv2.INTER_CUBIC, borderValue=colour_of_edges(photo)
    )
    return Placed(turned, placed.place.after(cv2.invertAffineTransform(turn)))


def colour_of_edges(photo: np.ndarray) -> tuple[float, ...]:
    """Return the usual colour of a photo's edges, which mostly is that of paper."""
    edges = [photo[0], photo[-1], photo[:, 0], photo[:, -1]]
    return tuple(map(float, np.median(np.concatenate(edges), axis=0)))
