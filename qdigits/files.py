"""Find the model file that is meant; read within bounds; write in one step."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO, Any

from qdigits.errors import ConfigError, ModelFileError, QDigitsError

ROOT = Path(__file__).parent  # of the package
CLONE = ROOT.parent  # holds the bundled models where the package is not installed
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")  # to a spreadsheet
DEFAULT_MODEL = "mnist_model.pth"
FASTEST_MODEL = "mnist_model.onnx"  # the same network; it starts without torch
QUICK_MODEL = "mnist_small.onnx"  # asked before FASTEST_MODEL
BUNDLED = [CLONE, CLONE / "weights", ROOT / "weights"]
MODEL_FILES = ("mnist_*.*", "page_net.*")
NAMES_SHOWN = 6  # of a folder, in a message


def bundled_models() -> dict[str, Path]:
    """Return the model files that come with the package, by name."""
    found = [file for folder in BUNDLED for name in MODEL_FILES for file in folder.glob(name)]
    return {file.name: file for file in sorted(found)}


def resolve(path: str | Path, root: str | Path | None = None) -> Path:
    """Return the model file that is meant: the path as it stands, or a bundled model.

    Args:
        path: A path, or the name of a bundled model.
        root: The folder that the path may not leave, where strangers choose it. The environment
            variable QDIGITS_MODEL_ROOT sets one for every call.

    Raises:
        ModelFileError: The file is missing or forbidden, in the same words for both.
    """
    path = Path(path)
    root = root or os.environ.get("QDIGITS_MODEL_ROOT")
    bundled = bundled_models()
    if is_readable(path, root, bundled):
        return path
    if str(path) in bundled:
        return bundled[str(path)]
    raise ModelFileError(
        f"{path}: no such model here; bundled are {', '.join(bundled) or 'none yet'}"
    )


def is_readable(path: Path, root: str | Path | None, bundled: dict[str, Path]) -> bool:
    """Say whether a path exists where it may be read."""
    try:
        inside = root is None or path.resolve().is_relative_to(Path(root).resolve())
        return path.exists() and (inside or path in bundled.values())
    except (OSError, ValueError, RuntimeError):
        return False  # a name that no file system could hold, a link to itself


def read_file(path: str | os.PathLike, max_bytes: int, error: type[QDigitsError]) -> bytes:
    """Read a regular file.

    Args:
        path: The file.
        max_bytes: The most that is read; a longer file is refused before it is opened.
        error: The class of the exception to raise; its message names path and cause.
    """
    try:
        found = os.stat(path)  # before opening: a named pipe would wait for ever
        if not stat.S_ISREG(found.st_mode):
            raise error(f"{path}: not a file")
        if not 0 < found.st_size <= max_bytes:  # those of /proc have no size, and some no end
            raise error(f"{path}: {found.st_size:,} bytes; 1 to {max_bytes:,} can be read")
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as cause:
        raise error(f"{path}: cannot be read ({reason_of(cause)})") from cause


def write_atomically(path: Path, data: bytes) -> None:
    """Write the whole new file or leave the whole old one, whenever the power fails.

    Raises:
        QDigitsError: A full disk, a missing folder; the old file is untouched then.
    """
    try:
        remove_stale_copies(path)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise QDigitsError(
            f"{path}: cannot be written ({error.strerror}); what was there is untouched"
        ) from error


def remove_stale_copies(path: Path) -> None:
    """Remove what writers of the same file left behind when they were killed."""
    for stale in path.parent.glob(f".{escape(path.name)}.*.tmp"):
        stale.unlink()


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk: a new name, too, must outlive a power cut."""
    if os.name == "nt":
        return  # Windows opens no folders, and writes their entries by itself
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def new_file(path: Path, mode: str) -> IO[Any]:
    """Open a file that was not there before: no answer is worth another's work.

    Args:
        path: The file.
        mode: x for text, xb for bytes.

    Raises:
        ConfigError: The file is there already.
        QDigitsError: It cannot be written.
    """
    as_text = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
    options: dict[str, Any] = {} if "b" in mode else as_text
    try:
        return path.open(mode, **options)
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already; name a new file") from error
    except (OSError, ValueError) as error:
        raise QDigitsError(f"{path}: cannot be written ({reason_of(error)})") from error


def new_folder(path: Path) -> Path:
    """Return the folder; make it if it is not there.

    Raises:
        QDigitsError: It cannot be made; the message names path and cause.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise QDigitsError(f"{path}: cannot be made ({reason_of(error)})") from error
    return path


def reason_of(error: Exception) -> str:
    """Return the system's words for an error, or the error's own."""
    return getattr(error, "strerror", None) or str(error)


def describe_folder(folder: Path) -> str:
    """Tell in one line what lies in a folder, for a message that something is missing there."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        return f"it cannot be looked into ({reason_of(error)})"
    if not paths:
        return "it is empty"
    names = [path.name + "/" * path.is_dir() for path in paths[:NAMES_SHOWN]]
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in names)
    more = len(paths) - len(names)
    return f"it holds {shown}" + (f" and {more:,} more" if more else "")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made if it is not there, for one process at a time.

    Raises:
        ConfigError: Another process holds it.
        QDigitsError: It cannot be written to.
    """
    try:
        lock = (new_folder(folder) / "lock").open("w")
    except OSError as error:
        raise QDigitsError(f"{folder}: cannot be written to ({error.strerror})") from error
    with lock:
        try:
            take_lock(lock)
        except OSError as error:
            raise ConfigError(
                f"{folder} is in use by another process; choose another folder"
            ) from error
        yield


def take_lock(lock: IO[str]) -> None:
    """Lock an open file until it is closed. Raises OSError where another process has it."""
    try:
        import fcntl  # POSIX only
    except ImportError:
        logging.getLogger(__name__).warning(
            "this system has no file locks: start no second training in the same folder"
        )
        return
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def inert_cell(text: str) -> str:
    """Return a cell of a table that no spreadsheet takes for a formula; numbers stay as they are.

    A number may be in doubt: "-37?". Two rows in a cell, "-37 / 12", are no number: a spreadsheet
    would divide.

    Source: OWASP, CSV Injection.
    """
    is_number = re.fullmatch(r"[-+]?[0-9.,]+([ :/][0-9.,]+)*\??", text) is not None
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not is_number else text
