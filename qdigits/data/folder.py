"""Read one's own pictures: a folder for each digit, 0 to 9."""

import logging
from pathlib import Path

import numpy as np

from qdigits.errors import DataError, ImageError
from qdigits.files import describe_folder
from qdigits.imaging.formats import is_picture_name
from qdigits.imaging.tile import prepare

TRAINING_FOLDERS = ("", "training", "train")  # looked in, in this order
MIN_CONTRAST = 64  # of a tile's 256 greys; a blank sheet has less
NAMES_SHOWN = 5

log = logging.getLogger(__name__)


def read_folder(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the pictures in the folders 0 to 9, each as the tile of one digit.

    Files that are no pictures, and pictures of blank paper, are left out with a warning.

    Args:
        root: The folder that holds the folders, or a folder `training` that does.

    Returns:
        Tiles, uint8 (N, 28, 28), and labels (N,).

    Raises:
        DataError: There is no picture, or one cannot be read.
    """
    pictures = _find_pictures(root)
    tiles = []
    labels = []
    blank = []
    for path in pictures:
        tile = _read_tile(path)
        if tile is None:
            blank.append(path)
        else:
            tiles.append(tile)
            labels.append(int(path.parent.name))
    if blank:
        log.warning("%s: no digit on %s; left out", root, _name_some(blank, root))
    if not tiles:
        raise DataError(f"{root}: no digit on any picture in folders 0 to 9")
    return np.stack(tiles), np.array(labels)


def _find_pictures(root: Path) -> list[Path]:
    """Return the pictures of the first folder that has folders 0 to 9."""
    for name in TRAINING_FOLDERS:
        files = [path for path in sorted((root / name).glob("[0-9]/[!.]*")) if path.is_file()]
        pictures = [path for path in files if is_picture_name(path)]
        if pictures:
            break
    else:
        raise DataError(f"{root}: no pictures in folders 0 to 9; {describe_folder(root)}")
    if name:
        log.warning("%s: only the folders in %s are read", root, name)
    strays = sorted(set(files) - set(pictures))
    if strays:
        log.warning("%s: no picture: %s; passed over", root, _name_some(strays, root))
    return pictures


def _read_tile(path: Path) -> np.ndarray | None:
    """Return the tile of a picture; None where there is no digit on it."""
    try:
        prepared = prepare(path)
    except ImageError as error:
        raise DataError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    is_blank = prepared.box is None or np.ptp(prepared.tile) < MIN_CONTRAST
    return None if is_blank else prepared.tile


def _name_some(paths: list[Path], root: Path) -> str:
    names = [str(path.relative_to(root)) for path in paths[:NAMES_SHOWN]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
