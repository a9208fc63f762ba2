"""What `qdigits read` writes for each picture: one class a format, and the annotated pictures."""

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

from qdigits.batch import COLUMNS, STANDARD_INPUT, FileResult, printable, terminal_art
from qdigits.errors import ConfigError
from qdigits.files import new_file, new_folder
from qdigits.imaging.annotate import annotate
from qdigits.imaging.formats import FORMATS

STANDARD_OUTPUT = "-"
ANNOTATED_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


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


@dataclass
class ReadOutput:
    """Where the results of `qdigits read` go, and in which format."""

    format: Any  # one of the classes above
    path: Path | None  # None: standard output
    writer: Any = None

    @classmethod
    def choose(
        cls, output: Path | None, table: Path | None, as_json: bool, with_tiles: bool
    ) -> ReadOutput:
        """Choose by the options of the command.

        Raises:
            ConfigError: They contradict one another, or a suffix stands for no format.
        """
        if as_json + with_tiles + (table is not None) > 1:
            raise ConfigError(
                "--json, --csv and --show are three forms of the same answer; choose one"
            )
        if table and output:
            raise ConfigError("--csv and --output both name a file; choose one")
        path = table or output
        if table:
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


class Annotator:
    """Draws what was found: into one file, or into a folder for many pictures."""

    def __init__(self, target: Path, overwrite: bool, files: Sequence[str]) -> None:
        self.target = target
        self.common_folder = find_common_folder(files)
        self.mode = "wb" if overwrite else "xb"
        self.format = annotated_format(target)
        if self.format and len(files) > 1:
            raise ConfigError(f"--annotate {target} draws on one picture; name a folder")
        self.is_used = False

    def add(self, result: FileResult) -> None:
        """Draw one picture, if it was read.

        Raises:
            ConfigError: A file is there already, or one file is named for several pictures.
        """
        if result.reading is None:
            return
        if self.format and self.is_used:
            raise ConfigError(f"--annotate {self.target} draws on one picture; name a folder")
        self.is_used = True
        path = (
            self.target
            if self.format
            else self.target / annotated_name(result.file, self.common_folder)
        )
        new_folder(path.parent)
        with new_file(path, self.mode) as file:
            annotate(result.photo, result.reading).save(file, self.format or "PNG")


def annotated_format(path: Path) -> str | None:
    """Return Pillow's name of the format that a file's suffix stands for; None for a folder."""
    for name in ANNOTATED_FORMATS:
        if path.suffix.lower() in FORMATS[name].suffixes:
            return name
    return None


def find_common_folder(files: Sequence[str]) -> str:
    """Return the deepest folder that holds all files."""
    folders = {os.path.dirname(os.path.abspath(file)) for file in files}
    return os.path.commonpath(folders) if folders else os.curdir


def annotated_name(file: str, common_folder: str) -> str:
    """Return where in a folder the annotated picture goes: below the same folders, as a PNG.

    No name leads out of the folder, whatever an archive calls its files.
    """
    if file == STANDARD_INPUT:
        return "standard-input.png"
    path = PurePath(os.path.relpath(os.path.abspath(file), common_folder))
    parts = [printable(part) for part in path.parts if part not in ("..", path.anchor)]
    name = "/".join(parts)
    return name if name.lower().endswith(".png") else f"{name}.png"
