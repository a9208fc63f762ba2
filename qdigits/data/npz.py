"""Read mnist.npz, in which Keras keeps MNIST: four arrays in a zip. Nothing in it is run."""

import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdigits.data.idx import MAX_ROWS
from qdigits.errors import DataError, ImageError
from qdigits.imaging.archive import open_archive, read_member


class ArrayNames(NamedTuple):
    """The files of one part inside the zip."""

    images: str
    labels: str


ARRAYS = {
    "train": ArrayNames("x_train.npy", "y_train.npy"),
    "test": ArrayNames("x_test.npy", "y_test.npy"),
}


def read_npz(path: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one part of mnist.npz.

    Args:
        path: A regular file.
        part: "train" or "test".

    Returns:
        Tiles, uint8 (N, 28, 28), and labels, integers (N,).

    Raises:
        DataError: The file is damaged, or holds other arrays.
    """
    names = ARRAYS[part]
    try:
        with open_archive(str(path)) as archive:
            images = parse_npy(read_member(archive, names.images), row=(28, 28))
            labels = parse_npy(read_member(archive, names.labels), row=())
    except (ImageError, DataError) as error:
        raise DataError(f"{path}: not Keras' mnist.npz: {error}") from error
    except Exception as error:  # a damaged array may raise anything
        raise DataError(f"{path}: damaged, or not Keras' mnist.npz") from error
    return images.astype(np.uint8), labels


def parse_npy(data: bytes, row: tuple[int, ...]) -> np.ndarray:
    """Turn the bytes of one .npy file into an array of integers.

    Args:
        data: The file; its header may claim anything.
        row: The shape that each row has to have.

    Raises:
        DataError: It is not such an array.
        Exception: The header is damaged.
    """
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise DataError("an array of another version")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.kind not in "iu" or is_fortran or shape[1:] != row:
        raise DataError(f"an array of {dtype} {shape}; expected integers, rows of {row}")
    if not 1 <= shape[0] <= MAX_ROWS:
        raise DataError(f"an array of {shape[0]} rows; expected 1 to {MAX_ROWS}")
    size = math.prod(shape) * dtype.itemsize
    body = stream.read(size + 1)  # one more byte shows that there is more
    if len(body) != size:
        raise DataError("an array that is cut off, or longer than its header says")
    array = np.frombuffer(body, dtype).reshape(shape)
    if array.min() < 0 or array.max() > 255:
        raise DataError(f"numbers from {array.min()} to {array.max()}; expected 0 to 255")
    return array
