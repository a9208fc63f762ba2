"""The table of picture formats. One entry is all that a new format needs.

The library, the command, the page, the listing of a folder and the error texts follow from it. This
file imports no picture library, so that the help of the command stays quick.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class PictureFormat(NamedTuple):
    """How files of a format are recognised, and what their reading needs."""

    suffixes: tuple[str, ...]  # of file names, lower case
    signature: bytes  # a regular expression for the first bytes of a file
    library: str = ""  # an optional library that reads it
    extra: str = ""  # the extra of qdigits that brings this library
    instead: str = ""  # what a user without the library can do


# The keys of formats that Pillow reads are Pillow's names for them.
FORMATS = {
    "PNG": PictureFormat((".png", ".apng"), rb"\x89PNG\r\n\x1a\n"),
    "JPEG": PictureFormat((".jpg", ".jpeg", ".jpe", ".jfif"), rb"\xff\xd8\xff"),
    "GIF": PictureFormat((".gif",), rb"GIF8[79]a"),
    "BMP": PictureFormat((".bmp", ".dib"), rb"BM"),
    "WEBP": PictureFormat((".webp",), rb"RIFF....WEBP"),
    "TIFF": PictureFormat((".tif", ".tiff"), rb"II[*+]\0|MM\0[*+]"),
    "AVIF": PictureFormat((".avif",), rb"....ftypavi[fs]"),
    "HEIF": PictureFormat(
        (".heic", ".heif", ".hif"),
        rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)",
        library="pillow_heif",
        extra="heic",
        instead="save it as JPEG (an iPhone does so under Settings, Camera, Formats)",
    ),
    "PDF": PictureFormat(
        (".pdf",),
        rb"\s*%PDF-",
        library="pypdfium2",
        extra="pdf",
        instead="save its pages as pictures",
    ),
    "ZIP": PictureFormat((".zip",), rb"PK(?:\x03\x04|\x05\x06)"),
}

PICTURE_SUFFIXES = frozenset(suffix for form in FORMATS.values() for suffix in form.suffixes)

# Pictures that are not read, so that a folder which holds some does not pass for read completely.
OTHER_PICTURE_SUFFIXES = frozenset(
    (
        *(".ai", ".djvu", ".emf", ".eps", ".odg", ".svg", ".wmf"),  # drawings and documents
        *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".raw", ".rw2"),  # raw photos
        *(".dcm", ".heics", ".ico", ".j2k", ".jp2", ".jxl", ".jxr", ".pbm", ".pcx", ".pgm"),
        *(".pnm", ".ppm", ".psd", ".tga", ".xcf"),
    )
)


def recognise_format(data: bytes) -> str | None:
    """Return the format that the first bytes of a file belong to, or None."""
    for name, form in FORMATS.items():
        if re.match(form.signature, data, re.DOTALL):
            return name
    return None


def is_picture_name(name: str | Path) -> bool:
    """Say whether a file name ends as pictures do that are read."""
    return Path(name).suffix.lower() in PICTURE_SUFFIXES


def is_readable(name: str) -> bool:
    """Say whether the library that a format needs is installed."""
    library = FORMATS[name].library
    return not library or find_spec(library) is not None


def how_to_read(name: str) -> str:
    """Explain what a file of a format is, and what lets it be read."""
    form = FORMATS[name]
    return (
        f"a {name} file; `pip install 'qdigits[{form.extra}]'` lets it be read, or {form.instead}"
    )


def readable_formats() -> str:
    """Return the names of all formats that can be read here, for a message."""
    return ", ".join(name for name in FORMATS if is_readable(name))
