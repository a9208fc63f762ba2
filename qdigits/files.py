"""Which model file is meant; how a stranger's file is read, and ours written so that no power cut can halve it."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO, Any

from qdigits.errors import ConfigError, ModelFileError, QDigitsError

ROOT = Path(__file__).parent  # of the package; in a clone the models lie beside it
BUNDLED = [ROOT.parent, ROOT.parent / "weights", ROOT / "weights"]


def resolve(path: str | Path, root: str | Path | None = None) -> Path:
    """The model file meant: the path as it stands, or the bundled model of that name.

    Takes   a path; the folder it may not leave, where strangers choose it (QDIGITS_MODEL_ROOT sets one for all).
    Raises  ModelFileError, in the same words whether the file is missing or forbidden.
    """
    path, root = Path(path), root or os.environ.get("QDIGITS_MODEL_ROOT")
    bundled = {file.name: file for folder in BUNDLED for file in sorted(folder.glob("mnist_*.*"))}
    try:
        inside = root is None or path.resolve().is_relative_to(Path(root).resolve())
        if path.exists() and (inside or path in bundled.values()):
            return path
    except (OSError, ValueError, RuntimeError):
        pass  # a name no file system could hold, a link to itself
    if str(path) in bundled:
        return bundled[str(path)]
    raise ModelFileError(
        f"{path}: no such model here; bundled are {', '.join(bundled) or 'none yet'}"
    )


def read_file(path: str | os.PathLike, most: int, error: type[QDigitsError]) -> bytes:
    """A regular file's bytes, at most so many. Raises the error given, naming path and cause."""
    try:
        found = os.stat(path)  # before opening: a named pipe would wait for ever
        if not stat.S_ISREG(found.st_mode):
            raise error(f"{path}: not a file")
        if not 0 < found.st_size <= most:  # those of /proc have no size, and some no end
            raise error(f"{path}: {found.st_size:,} bytes; 1 to {most:,} can be read")
        return Path(path).read_bytes()
    except (OSError, ValueError) as cause:
        raise error(
            f"{path}: cannot be read ({getattr(cause, 'strerror', None) or cause})"
        ) from cause


def write_atomically(path: Path, data: bytes) -> None:
    """The whole new file or the whole old one, whenever the power fails.

    Raises  QDigitsError naming path and cause (a full disk, a missing folder); the old file is then untouched.
    """
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        for stale in path.parent.glob(f".{escape(path.name)}.*.tmp"):
            stale.unlink()
        try:
            with open(temp, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temp, path)
        finally:
            temp.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, must outlive a power cut
        finally:
            os.close(folder)
    except OSError as error:
        raise QDigitsError(
            f"{path}: cannot be written ({error.strerror}); what was there is untouched"
        ) from error


def new_file(path: Path, mode: str) -> IO[Any]:
    """A file to write, in mode x or xb, that was not there before: no answer is worth another's work.

    Raises  ConfigError: it is there; QDigitsError naming path and cause.
    """
    text: dict[str, Any] = (
        {} if "b" in mode else {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
    )
    try:
        return path.open(mode, **text)
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already; name a new file") from error
    except (OSError, ValueError) as error:
        raise QDigitsError(
            f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})"
        ) from error


def new_folder(path: Path) -> Path:
    """The folder, made if it is not there. Raises QDigitsError naming path and cause."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise QDigitsError(
            f"{path}: cannot be made ({getattr(error, 'strerror', None) or error})"
        ) from error
    return path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made if it is not there, for one process at a time. Raises ConfigError: another has it."""
    try:
        lock = (new_folder(folder) / "lock").open("w")
    except OSError as error:
        raise QDigitsError(f"{folder}: cannot be written to ({error.strerror})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"{folder} is in use by another process; choose another folder"
            ) from error
        yield
