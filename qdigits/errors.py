"""Everything that can go wrong by the user's doing, and nothing else.

QDigitsError
├── DataError        a data file is absent, damaged, or not what it claims
├── ImageError       a picture cannot be read, or holds nothing to read
├── ModelFileError   a model file is absent, damaged, unknown or unsafe
└── ConfigError      settings that contradict one another or are unknown

Each message says what, where and what to do. Any other exception is a bug and keeps its traceback.
"""


class QDigitsError(Exception):
    """Raised for everything a user can cause; the command and the page catch this class alone.

    Raised itself where a file or folder cannot be written, or a training diverges.
    """


class DataError(QDigitsError):
    """Raised when a data file is absent, damaged, or not what it claims to be."""


class ImageError(QDigitsError):
    """Raised when a picture cannot be read, or is none."""


class ModelFileError(QDigitsError):
    """Raised when a model file is absent, damaged, unknown or unsafe."""


class ConfigError(QDigitsError):
    """Raised when settings contradict one another, are unknown, or something is not installed."""
