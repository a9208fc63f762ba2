"""Zip archives of pictures: read in place, nothing is written to disk."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import PurePosixPath
from typing import BinaryIO

from qdigits.errors import ImageError
from qdigits.imaging.constants import MAX_FILE_BYTES

MAX_DIRECTORY_BYTES = 4_000_000  # of an archive's list of its files
MAX_MEMBERS = 20_000
END_RECORD = struct.Struct("<4s4H2LH")  # ends an archive and tells how long its list of files is
END_SIGNATURE = b"PK\x05\x06"
LARGE_SIGNATURE = b"PK\x06\x07"  # ends the list of an archive of over 4 GB or 65,535 files
MAX_COMMENT_BYTES = 2**16  # it may follow the end record
SAFE_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA may ask for 4 GB


def open_archive(file: str | BinaryIO) -> zipfile.ZipFile:
    """Open an archive to read from, after a look at how long its list of files is.

    Raises:
        ImageError: It is absent or damaged, lists too many files, or one file many times.
    """
    if isinstance(file, str) and not os.path.isfile(file):  # a named pipe would wait for ever
        raise ImageError(f"{file}: not a file")
    try:
        if isinstance(file, str):
            with open(file, "rb") as opened:
                size = check_directory(opened)
        else:
            size = check_directory(file)
        archive = zipfile.ZipFile(file)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"an archive that cannot be read ({error})") from error
    if len(archive.infolist()) > MAX_MEMBERS:
        raise ImageError(f"an archive of more than {MAX_MEMBERS:,} files; unpack it first")
    if sum(info.compress_size for info in archive.infolist()) > size:  # a few bytes, many files
        raise ImageError("an archive whose files overlap")
    return archive


def check_directory(file: BinaryIO) -> int:
    """Refuse an archive whose list of files would take minutes and gigabytes to read.

    Returns:
        The size of the archive in bytes.

    Raises:
        ImageError: The list is too long, or missing.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - MAX_COMMENT_BYTES - 2 * END_RECORD.size, 0))
    tail = file.read()
    start = tail.rfind(END_SIGNATURE)
    if start < 0 or len(tail) - start < END_RECORD.size:
        raise ImageError("an archive that cannot be read (its end is missing)")
    directory_bytes = END_RECORD.unpack_from(tail, start)[5]
    if directory_bytes > MAX_DIRECTORY_BYTES or LARGE_SIGNATURE in tail[:start][-20:]:
        raise ImageError("an archive of too many or too large files; unpack it first")
    return size


def list_members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of all files in an archive, without hidden ones."""
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    return [name for name in names if not is_hidden(name)]


def is_hidden(name: str) -> bool:
    """Say whether a name inside an archive is none of the user's own."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def read_member(archive: zipfile.ZipFile, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of one file in an archive.

    Args:
        archive: What open_archive returned.
        name: One of its members.
        max_bytes: Where reading ends; one byte more tells that there was more.

    Raises:
        ImageError: It is absent, locked, damaged or compressed in an unusual way.
    """
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise ImageError(f"there is no {name} in this archive") from error
    if info.flag_bits & 1:
        raise ImageError("locked with a password; unpack the archive first")
    if info.compress_type not in SAFE_COMPRESSION:
        raise ImageError("compressed in an unusual way; unpack the archive first")
    try:
        with archive.open(info) as file:
            return file.read(max_bytes + 1)
    except Exception as error:
        raise ImageError(f"damaged inside its archive ({error})") from error
