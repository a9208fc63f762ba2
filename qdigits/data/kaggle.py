"""Read Kaggle's MNIST-120k, a pickle. It comes from a stranger: nothing in it is run."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from qdigits.errors import DataError
from qdigits.files import read_file
from qdigits.safe_pickle import PickledCall, read_pickle

MAX_FILE_BYTES = 2**28
NUMPY_NAMES = frozenset({"numpy.ndarray", "numpy.dtype", "_codecs.encode"}) | {
    f"numpy.{core}.{name}"
    for core in ("core", "_core")  # numpy 1, numpy 2
    for name in ("multiarray._reconstruct", "numeric._frombuffer")
}
INTEGER_TYPES = re.compile("[<>=|][iu][1248]")


def read_kaggle(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a pickle of {"data": (N, 28, 28), "labels": (N, 1)} without running it.

    Returns:
        Tiles, uint8 (N, 28, 28), and labels, integers (N,).

    Raises:
        DataError: The file is damaged, or wants anything but two arrays of integers.
    """
    data = read_file(path, MAX_FILE_BYTES, DataError)
    try:
        tree = read_pickle(data, NUMPY_NAMES)
        images = _build_array(tree["data"])
        labels = _build_array(tree["labels"]).ravel()
        _check_images(images)
    except pickle.UnpicklingError as error:
        raise DataError(f"{path}: not Kaggle's MNIST-120k: {error}") from error
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{path}: damaged, or not Kaggle's MNIST-120k") from error
    return images.astype(np.uint8), labels


def _check_images(images: np.ndarray) -> None:
    if images.shape[1:] != (28, 28) or not 0 <= images.min() <= images.max() <= 255:
        raise pickle.UnpicklingError(
            f"it has images of {images.shape[1:]}, {images.min()} to {images.max()}"
        )


def _build_array(described: Any) -> np.ndarray:
    """Build from its bytes the array that numpy's pickle describes."""
    match described:
        case PickledCall(
            "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct", _, state
        ):
            _, shape, dtype, is_fortran, raw = state
        case PickledCall(
            "numpy.core.numeric._frombuffer" | "numpy._core.numeric._frombuffer",
            (raw, dtype, shape, order),
        ):
            is_fortran = order == "F"
        case _:
            raise pickle.UnpicklingError("it lacks an array")
    match raw:
        case PickledCall("_codecs.encode", (str(text), "latin1")):
            raw = text.encode("latin1")
    match dtype:
        case PickledCall("numpy.dtype", (str(code), *_), (_, str(byte_order), *_)) if (
            INTEGER_TYPES.fullmatch(byte_order + code)
        ):
            flat = np.frombuffer(raw, byte_order + code)
            array = flat.reshape(shape, order="F" if is_fortran else "C")
            if array.shape == shape:
                return array
    raise pickle.UnpicklingError("it has an array of other things than integers")
