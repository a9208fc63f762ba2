"""What `qdigits read` writes: one class a format, a file for each picture, and notes."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any

from qdigits.batch import (
    COLUMNS,
    STANDARD_INPUT,
    FileResult,
    describe_reading,
    printable,
    sheet_table,
    terminal_art,
)
from qdigits.errors import ConfigError
from qdigits.files import inert_cell, new_file, new_folder
from qdigits.imaging.annotate import annotate
from qdigits.imaging.formats import FORMATS

STANDARD_OUTPUT = "-"
ANNOTATED_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
MAX_NOTES = 10  # pictures that are named on standard error


class TextOutput:
    """Lines of file, text and confidence, separated by tabs. Errors go to stderr alone."""

    def __init__(self, file: IO[str], is_new: bool = True) -> None:
        self.file = file

    def add(self, result: FileResult) -> None:
        if result.reading:
            cells = (printable(result.file), result.line, f"{result.reading.confidence:.4f}")
            print(*cells, sep="\t", file=self.file)

    @staticmethod
    def names_in(path: Path) -> set[str]:
        """Return the pictures that a file of this format has already."""
        return {line.split("\t")[0] for line in read_lines(path)}


class TileOutput(TextOutput):
    """The same lines, each followed by the tiles that the network saw."""

    def add(self, result: FileResult) -> None:
        super().add(result)
        if result.reading:
            tiles = [terminal_art(digit.tile) for digit in result.reading.digits]
            print(*tiles, sep="\n", file=self.file)


class JsonOutput:
    """One JSON object a line: every number and digit, with boxes and probabilities."""

    def __init__(self, file: IO[str], is_new: bool = True) -> None:
        self.file = file

    def add(self, result: FileResult) -> None:
        print(json.dumps(result.record()), file=self.file)

    @staticmethod
    def names_in(path: Path) -> set[str]:
        """Return the pictures that a file of this format has already."""
        return {json.loads(line)["file"] for line in read_lines(path)}


class CsvOutput:
    """A table with a row for each picture, and the errors in it."""

    def __init__(self, file: IO[str], is_new: bool = True) -> None:
        self.rows = csv.writer(file)
        if is_new:
            self.rows.writerow(COLUMNS)

    def add(self, result: FileResult) -> None:
        self.rows.writerow(result.row())

    @staticmethod
    def names_in(path: Path) -> set[str]:
        """Return the pictures that a file of this format has already."""
        names = {row[0] for row in csv.reader(read_lines(path)) if row}
        if COLUMNS[0] not in names:
            raise ConfigError(f"{path} is no table that `qdigits read` wrote")
        return names


FORMATS_BY_SUFFIX: dict[str, Any] = {
    ".csv": CsvOutput,
    ".json": JsonOutput,
    ".jsonl": JsonOutput,
    ".txt": TextOutput,
    ".tsv": TextOutput,
}


def read_lines(path: Path) -> list[str]:
    """Return the whole lines of a file; what an interruption left of a last one is dropped."""
    lines = path.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]


def drop_partial_line(path: Path) -> None:
    """Cut off what an interruption left of the last line of a file."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def open_to_write(path: Path, resume: bool, overwrite: bool) -> IO[str]:
    """Open a file for results: a new one, or the old one to go on with or to replace.

    Raises:
        ConfigError: The file is there already, and the user wants neither.
    """
    if path.exists() and not resume and not overwrite:
        raise ConfigError(
            f"{path} is there already; --resume goes on with it, --overwrite replaces it"
        )
    if resume and path.exists():
        drop_partial_line(path)
        return new_file(path, "a")
    return new_file(path, "w" if overwrite else "x")


def check_options(
    output: Path | None, csv_file: Path | None, table: Path | None, as_json: bool, with_tiles: bool
) -> None:
    """Raise ConfigError if the options of the command contradict one another."""
    if as_json + with_tiles + (csv_file is not None) + (table is not None) > 1:
        raise ConfigError(
            "--json, --csv, --table and --show are four forms of the same answer; choose one"
        )
    for option, file in (("--csv", csv_file), ("--table", table)):
        if file and output:
            raise ConfigError(f"{option} and --output both name a file; choose one")


@dataclass
class ReadOutput:
    """Where the results of `qdigits read` go, and in which format."""

    format: Any  # one of the classes above
    path: Path | None  # None: standard output
    writer: Any = None

    @classmethod
    def choose(
        cls, output: Path | None, csv_file: Path | None, as_json: bool, with_tiles: bool
    ) -> ReadOutput:
        """Choose by the options of the command, which check_options has found to agree.

        Raises:
            ConfigError: A suffix stands for no format.
        """
        path = csv_file or output
        if csv_file:
            form: Any = CsvOutput
        elif as_json:
            form = JsonOutput
        elif with_tiles:
            form = TileOutput
        elif path is None or str(path) == STANDARD_OUTPUT:
            form = TextOutput
        else:
            form = format_by_suffix(path)
        return cls(form, None if str(path or STANDARD_OUTPUT) == STANDARD_OUTPUT else path)

    def open(self, open_files: ExitStack, resume: bool, overwrite: bool) -> set[str]:
        """Open the file, and return the names of the pictures that it has already.

        Raises:
            ConfigError: It is there already, or --resume and --overwrite make no sense.
        """
        if resume and overwrite:
            raise ConfigError("--resume keeps what is there, --overwrite replaces it; choose one")
        if self.path is None:
            if resume:
                raise ConfigError("--resume goes on with a file; name it with --csv or --output")
            self.writer = self.format(sys.stdout)
            return set()
        is_new = not (resume and self.path.exists() and self.path.stat().st_size)
        done = set() if is_new else self.format.names_in(self.path)
        file = open_files.enter_context(open_to_write(self.path, resume, overwrite))
        self.writer = self.format(file, is_new)
        return done

    def add(self, result: FileResult) -> None:
        """Write one result."""
        self.writer.add(result)


def format_by_suffix(path: Path) -> Any:
    """Return the output class that a file's suffix stands for.

    Raises:
        ConfigError: It stands for none.
    """
    form = FORMATS_BY_SUFFIX.get(path.suffix.lower())
    if form is None:
        raise ConfigError(f"{path}: choose one of the suffixes {', '.join(FORMATS_BY_SUFFIX)}")
    return form


class FilePerPicture:
    """Writes a file for each picture: the one that is named, or one in the folder that is named."""

    option = ""  # of the command, for messages
    suffixes: tuple[str, ...] = ()  # of a file; the first one is that of files in a folder

    def __init__(self, target: Path, overwrite: bool, files: Sequence[str]) -> None:
        self.target = target
        self.overwrite = overwrite
        self.common_folder = find_common_folder(files)
        self.names_a_file = self.is_file_name(target)
        self.is_used = False
        if self.names_a_file:
            self.refuse_several(len(files))
            if target.exists() and not overwrite:
                raise ConfigError(f"{target} is there already; --overwrite replaces it")

    def is_file_name(self, target: Path) -> bool:
        """Say whether the user named a file, not a folder.

        Raises:
            ConfigError: It is neither a folder nor a file of a suffix that stands for a format.
        """
        if target.is_dir() or not target.suffix:
            return False
        if target.suffix.lower() not in self.suffixes:
            raise ConfigError(
                f"{self.option} {target}: name a folder, or a file that ends in "
                f"{', '.join(self.suffixes)}"
            )
        return True

    def refuse_several(self, count: int) -> None:
        """Raise ConfigError if more than one picture would go into one file."""
        if count > 1:
            raise ConfigError(f"{self.option} {self.target} is for one picture; name a folder")

    def add(self, result: FileResult) -> None:
        """Write the file of one picture, if it was read.

        Raises:
            ConfigError: The file is there already, or one file is named for several pictures.
        """
        if result.reading is None:
            return
        if self.names_a_file:
            self.refuse_several(1 + self.is_used)
            self.is_used = True
            self.write(self.target, result)
            return
        path = self.target / name_in_folder(result.file, self.common_folder, self.suffixes[0])
        new_folder(path.parent)
        self.write(path, result)

    def write(self, path: Path, result: FileResult) -> None:
        """Write the file of a picture that was read."""
        raise NotImplementedError


class Annotator(FilePerPicture):
    """Draws what was found."""

    option = "--annotate"
    suffixes = tuple(suffix for name in ANNOTATED_FORMATS for suffix in FORMATS[name].suffixes)

    def write(self, path: Path, result: FileResult) -> None:
        with new_file(path, "wb" if self.overwrite else "xb") as file:
            annotate(result.photo, result.reading).save(file, annotated_format(path))


class SheetOutput(FilePerPicture):
    """Writes the numbers of a picture as a table, in rows and columns as on the sheet."""

    option = "--table"
    suffixes = (".csv",)

    def open(self, open_files: ExitStack, resume: bool, overwrite: bool) -> set[str]:
        """Return the names of the pictures that are done already: none.

        Raises:
            ConfigError: --resume has nothing to go on with.
        """
        if resume:
            raise ConfigError("--resume goes on with --csv or --output, not with --table")
        return set()

    def is_file_name(self, target: Path) -> bool:
        return str(target) == STANDARD_OUTPUT or super().is_file_name(target)

    def write(self, path: Path, result: FileResult) -> None:
        if str(path) == STANDARD_OUTPUT:
            write_sheet(result, sys.stdout)
            return
        with new_file(path, "w" if self.overwrite else "x") as file:
            write_sheet(result, file)


def write_sheet(result: FileResult, file: IO[str]) -> None:
    """Write the table of a picture that was read as CSV."""
    assert result.reading is not None
    rows = [[inert_cell(cell) for cell in row] for row in sheet_table(result.reading)]
    csv.writer(file).writerows(rows)


class Notes:
    """Says on standard error what a person should know beside the numbers."""

    def __init__(self) -> None:
        self.count = 0  # pictures with a note

    def add(self, result: FileResult) -> None:
        note = describe_reading(result.reading) if result.reading else ""
        if note:
            self.count += 1
            if self.count <= MAX_NOTES:
                print(f"qdigits: {printable(result.file)}: {note}", file=sys.stderr)

    def close(self) -> None:
        """Say how many more pictures there are than were named."""
        if self.count > MAX_NOTES:
            more = self.count - MAX_NOTES
            were = "1 more picture was" if more == 1 else f"{more} more pictures were"
            print(f"qdigits: {were} turned or not read in full; --json says which", file=sys.stderr)


def annotated_format(path: Path) -> str:
    """Return Pillow's name of the format that a file's suffix stands for."""
    return next(name for name in ANNOTATED_FORMATS if path.suffix.lower() in FORMATS[name].suffixes)


def find_common_folder(files: Sequence[str]) -> str:
    """Return the deepest folder that holds all files."""
    folders = {os.path.dirname(os.path.abspath(file)) for file in files}
    return os.path.commonpath(folders) if folders else os.curdir


def name_in_folder(file: str, common_folder: str, suffix: str) -> str:
    """Return where in a folder the file of a picture goes: below the same folders.

    No name leads out of the folder, whatever an archive calls its files.
    """
    if file == STANDARD_INPUT:
        return f"standard-input{suffix}"
    path = PurePath(os.path.relpath(os.path.abspath(file), common_folder))
    parts = [printable(part) for part in path.parts if part not in ("..", path.anchor)]
    name = "/".join(parts)
    return name if name.lower().endswith(suffix) else f"{name}{suffix}"
