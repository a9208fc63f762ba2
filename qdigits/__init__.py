"""Reads handwritten digits from any photograph, tile or drawing, and says honestly how sure it is.

>>> from qdigits import read
>>> print(read("photo.jpg"))

| call                      | gives                                                        |
|---------------------------|--------------------------------------------------------------|
| read(photo)               | a Reading: all numbers on a photo, its text, its digits      |
| predict(image)            | a Prediction: the one digit on a picture                     |
| predict_many(images)      | a list of them, in few calls of the network                  |
| load_model(path)          | a model to give to these as the first argument               |
| test_single_image(image)  | the digit alone: the name that users of the original know    |

A photo may be a path, bytes, a file object, a Pillow image, an array or a tensor. All errors that a
user can cause are QDigitsErrors. logging.getLogger("qdigits") tells what happens.
"""

import importlib
import logging
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

# torch's oneDNN keeps what it prepared for every batch size; at its own 1,024 that is a gigabyte
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


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})


logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until the user wants a log
