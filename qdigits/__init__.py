"""Reads handwritten digits from any photograph, tile or drawing, and says honestly how sure it is.

>>> from qdigits import load_model, read
>>> print(read(load_model(), "photo.jpg").text)
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdigits.errors import ConfigError, DataError, ImageError, ModelFileError, QDigitsError
    from qdigits.predictor import (
        Number,
        Prediction,
        Reading,
        load_model,
        predict,
        predict_many,
        read,
        test_single_image,
    )

__version__ = "0.1.0"

# torch's oneDNN keeps what it prepared for every batch size it met; at its own 1,024 that is a gigabyte
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")

__all__ = [
    "ConfigError",
    "DataError",
    "ImageError",
    "ModelFileError",
    "Number",
    "Prediction",
    "QDigitsError",
    "Reading",
    "load_model",
    "predict",
    "predict_many",
    "read",
    "test_single_image",
]


def __getattr__(name: str) -> Any:
    """Each public name on first use: importing the package loads nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'qdigits' has no attribute {name!r}")
    return getattr(
        importlib.import_module(".errors" if name.endswith("Error") else ".predictor", __name__),
        name,
    )
