"""Everything that can go wrong by the user's doing, and nothing else.

QDigitsError
├── DataError        a data file is absent, damaged, or not what it claims
├── ImageError       a picture cannot be read, or holds nothing to read
├── ModelFileError   a model file is absent, damaged, unknown or unsafe
└── ConfigError      settings that contradict one another or are unknown

Each message says what, where and what to do. Any other exception is a bug and keeps its traceback.
"""


class QDigitsError(Exception):
    """The one exception the command and the page catch."""


class DataError(QDigitsError): ...


class ImageError(QDigitsError): ...


class ModelFileError(QDigitsError): ...


class ConfigError(QDigitsError): ...
