"""Any input -> upright RGB: the one border where strangers' pictures come in."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from typing import Any

from PIL import Image, UnidentifiedImageError

from qdigits.errors import ImageError
from qdigits.files import read_file
from qdigits.imaging.archive import list_members, open_archive, read_member
from qdigits.imaging.constants import MAX_FILE_BYTES
from qdigits.imaging.formats import (
    how_to_read,
    is_picture_name,
    is_readable,
    readable_formats,
    recognise_format,
)
from qdigits.imaging.frames import MovingPicture, decode_part
from qdigits.imaging.image_file import Photo, decode_image
from qdigits.imaging.parts import (
    Part,
    SeveralPicturesError,
    part_number,
    several_pictures,
    split_part,
)
from qdigits.imaging.pdf import draw_page
from qdigits.imaging.pixels import to_rgb
from qdigits.imaging.plain_png import decode_plain_png

MAX_PAGES = 10_000  # of a PDF


def open_photo(source: Any) -> Photo:
    """Open any picture as upright RGB; a file is decoded no larger than reading needs.

    Args:
        source: A path, bytes, file object, Pillow image, numpy array or tensor (grey, RGB or RGBA,
            channels first or last). "scan.pdf#2" is the second page, "photos.zip#a.jpg" one file
            of an archive.

    Raises:
        ImageError: Absent, unreadable, empty or too large; several pictures; an array that is no
            picture.
    """
    part = read_source(source)
    try:
        with warnings.catch_warnings():  # of damage, of many pixels: our own errors say so
            warnings.simplefilter("ignore")
            return decode(part.source, part.name)
    except ImageError:
        raise
    except Exception as error:  # Pillow raises far more than OSError on a damaged file
        cause = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"not a picture that can be read ({cause}); save it anew") from error


def decode(source: Any, part: str) -> Photo:
    """Decode what was read, by its type."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode_file(bytes(source), part)
    if isinstance(source, zipfile.ZipFile):
        return decode_member(source, part)
    if isinstance(source, MovingPicture):
        return source.decode(part_number(part))
    if isinstance(source, Image.Image):
        return decode_image(source)
    return Photo(to_rgb(source), 1.0)


def read_source(source: Any) -> Part:
    """Read a path or a file object into memory, within bounds; leave the rest as it is.

    Returns:
        The bytes, open archive, moving picture, image or array; and the name of the part that is
        meant, if any.
    """
    if isinstance(source, Part):
        return source
    if isinstance(source, (str, os.PathLike)):
        path, name = split_part(os.fsdecode(source))
        if path.lower().endswith(".zip"):  # an archive may be larger than any one picture
            return Part(open_archive(path), name)
        return Part(read_file(path, MAX_FILE_BYTES, ImageError), name)
    if hasattr(source, "read"):
        return Part(source.read(MAX_FILE_BYTES + 1), "")
    return Part(source, "")


def decode_file(data: bytes, part: str) -> Photo:
    """Decode a file, or one part of it, by what it holds and not by its name."""
    if not 0 < len(data) <= MAX_FILE_BYTES:
        raise ImageError(f"picture of {len(data)} bytes: 1 to {MAX_FILE_BYTES:,} can be read")
    form = recognise_format(data[:100])
    if form is None:
        raise ImageError(f"not a picture that is read here; give one of {readable_formats()}")
    if not is_readable(form):
        raise ImageError(how_to_read(form))
    if form == "ZIP":
        return decode_member(open_archive(io.BytesIO(data)), part)
    if form == "PDF":
        return decode_page(data, part)
    if form == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    if form == "PNG" and not part:
        pixels = decode_plain_png(data)
        if pixels is not None:
            return Photo(to_rgb(pixels), 1.0)
    try:
        return decode_part(data, form, part)
    except UnidentifiedImageError as error:
        raise ImageError(f"a damaged {form} file; save it anew") from error


def decode_member(archive: zipfile.ZipFile, name: str) -> Photo:
    """Decode one picture of an archive.

    Raises:
        SeveralPicturesError: No picture was named, and the archive has several.
    """
    members = list_members(archive)
    pictures = [member for member in members if is_picture_name(member)]
    if not pictures:
        raise ImageError("an archive without pictures")
    if not name and len(pictures) > 1:
        raise SeveralPicturesError(
            f"an archive of {len(pictures)} pictures; name one, as in photos.zip#{pictures[0]}",
            [Part(archive, picture) for picture in pictures],
            sorted(set(members) - set(pictures)),
        )
    name = name or pictures[0]
    part = ""
    if name not in members:
        name, _, part = name.rpartition("#")
    data = read_member(archive, name)
    if recognise_format(data[:100]) == "ZIP":
        raise ImageError("an archive inside an archive; unpack it first")
    return decode_file(data, part)


def decode_page(data: bytes, part: str) -> Photo:
    """Decode one page of a PDF; its pixels are those of the page drawn 2,400 pixels long.

    Raises:
        SeveralPicturesError: No page was named, and the file has several.
    """
    page = draw_page(data, part_number(part) if part else 0)
    if page.pixels is not None:
        return Photo(page.pixels, 1.0)
    if not 0 < page.pages <= MAX_PAGES:
        raise ImageError(f"a PDF of {page.pages:,} pages; 1 to {MAX_PAGES:,} can be read")
    raise several_pictures(data, page.pages, "pages")
