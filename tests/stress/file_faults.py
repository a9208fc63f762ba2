"""Files by the thousand, crafted and damaged: models, data sets, pictures."""

import gzip
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from qdigits import load_model, predict, read
from qdigits.data.idx import IMAGES, read_idx
from qdigits.data.kaggle import read_kaggle
from qdigits.data.loading import load_test, load_training
from qdigits.errors import DataError, ImageError, ModelFileError
from qdigits.models.checkpoint import describe, load_model_file, save_model
from qdigits.models.registry import MODELS
from tests.attacks import (
    Outcome,
    digit_tables,
    documents,
    idx_files,
    kaggle_pickles,
    model_files,
    mutants,
    onnx_files,
    pictures,
    tried,
)
from tests.stress.support import ROOT, Row, Tally

FUZZ_SECONDS = 300
torch.set_num_threads(1)


class Refused(Exception):
    """The command ended with exit 1 and one line."""


def run_read_command(*words: str) -> Outcome:
    """Run `qdigits read` in a process of its own."""
    began = time.monotonic()
    command = [sys.executable, "-m", "qdigits", "read", *words]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    is_refused = run.returncode == 1 and not run.stdout and run.stderr.startswith("qdigits: ")
    value = Refused(run.stderr.strip()) if is_refused else run.stderr or run.stdout
    return Outcome(value, time.monotonic() - began, 0)


def models(folder: Path, count: int | None) -> Iterator[Row]:
    """Load every malicious model file, some of them with the command, too."""
    model_files.CANARY.unlink(missing_ok=True)
    tried(lambda: load_model("nowhere"))  # what the first call imports is not the attack's
    by_library = Tally()
    by_command = Tally()
    attacks = chain(model_files.files(folder), onnx_files.files(folder))
    for index, (attack, path) in enumerate(attacks):
        by_library.add(attack, tried(lambda path=path: load_model(path)), ModelFileError)
        if index % 50 == 0 and path.exists():
            outcome = run_read_command("examples/seven.png", "--model", str(path))
            by_command.add(attack, outcome, Refused)
    note = f"; payloads run: {model_files.CANARY.exists():d}"
    yield by_library.make_row("malicious model files, by the library", note)
    yield by_command.make_row("malicious model files, by the command", note)


def model_mutants(folder: Path, count: int | None) -> Iterator[Row]:
    """Load damaged model files: refused, or exactly the weights that were saved."""
    model = MODELS["mlp"](16, 16)
    expected = model.state_dict()
    description = describe(model, {"note": "x" * 300})
    path = folder / "m.pth"
    save_model(model, path, {"note": "x" * 300})

    def has_same_weights(loaded: object) -> bool:
        state = loaded.state_dict()  # type: ignore[attr-defined]
        names_fit = state.keys() == expected.keys()
        return names_fit and all(torch.equal(state[name], expected[name]) for name in state)

    safe = safetensors.torch.save(expected, description)
    for suffix, good, most in ((".pth", path.read_bytes(), 20_000), (".safetensors", safe, 5_000)):
        tally = Tally()
        for data in mutants(good, count or most):
            path.write_bytes(data)
            outcome = tried(lambda: load_model_file(path), memory=False)
            tally.add(suffix, outcome, ModelFileError, has_same_weights)
        yield tally.make_row(f"damaged model files, {suffix}")

    path = folder / "m.onnx"
    tally = Tally()
    good = next((ROOT / "weights").glob("mnist_model.onnx")).read_bytes()
    for data in mutants(good, count or 5_000):
        path.write_bytes(data)
        outcome = tried(lambda: load_model(path), memory=False)
        tally.add(".onnx", outcome, ModelFileError, lambda _, data=data: data == good)
    yield tally.make_row("damaged model files, .onnx")


def are_digits(value: object) -> bool:
    """Return whether a fuzzed pickle was read as images and their labels."""
    images, labels = value  # type: ignore[misc]
    return images.shape[1:] == (28, 28) and len(images) == len(labels)


def kaggle(folder: Path, count: int | None) -> Iterator[Row]:
    """Read Kaggle's pickles: those that numpy 1 and 2 write, every attack, and fuzzed ones."""
    path = folder / "MNIST-120k"
    content = kaggle_pickles.digits()
    wrong = []
    for protocol in (2, 3, 4, 5):
        for numpy in (1, 2):
            path.write_bytes(kaggle_pickles.genuine(content, protocol, numpy))
            images, labels = read_kaggle(path)
            is_same = np.array_equal(images, content["data"])
            if not is_same or labels.tolist() != content["labels"].ravel().tolist():
                wrong.append(f"protocol {protocol}, numpy {numpy}")
    yield Row("Kaggle-style pickles, genuine", "8 of 8 bit-equal", wrong)

    tally = Tally()
    for attack, data in kaggle_pickles.files():
        path.write_bytes(data)
        tally.add(attack, tried(lambda: load_test("mnist120k", folder)), DataError)
    yield tally.make_row("Kaggle-style pickles, crafted")

    tally = Tally()
    seed = 0
    end = time.monotonic() + (count or FUZZ_SECONDS)
    while time.monotonic() < end:
        digits = kaggle_pickles.digits(2)
        good = kaggle_pickles.genuine(digits, 2 + seed % 4, 1 + seed % 2)
        for data in mutants(good, 200, seed):
            path.write_bytes(data)
            outcome = tried(lambda: read_kaggle(path), memory=False)
            tally.add("fuzzed", outcome, DataError, are_digits)
        seed += 1
    yield tally.make_row(f"Kaggle-style pickles, fuzzed for {count or FUZZ_SECONDS} s")


def idx(folder: Path, count: int | None) -> Iterator[Row]:
    """Read IDX files that lie, and damaged ones."""
    path = folder / "file"
    tally = Tally()
    for attack, data in idx_files.files():
        path.write_bytes(data)
        tally.add(attack, tried(lambda: read_idx(path, IMAGES)), DataError)
    yield tally.make_row("IDX and gz files, crafted")

    good = idx_files.images(20)
    tally = Tally()

    def is_good(value: object) -> bool:
        return value.tobytes() == good[16:]  # type: ignore[attr-defined]

    for data in mutants(gzip.compress(good), count or 20_000):
        path.write_bytes(data)
        outcome = tried(lambda: read_idx(path, IMAGES), memory=False)
        tally.add("gz", outcome, DataError, is_good)
    yield tally.make_row("IDX and gz files, damaged")


DIGIT_TABLES = (  # source, file, crafted ones, a good one, how many damaged ones
    ("mnist", "mnist.npz", digit_tables.npz_files, digit_tables.keras, 5_000),
    ("mnist42k", "train.csv", digit_tables.csv_files, digit_tables.csv, 5_000),
    ("mnist", "train-0.parquet", digit_tables.parquet_files, digit_tables.good_parquet, 500),
)


def tables(folder: Path, count: int | None) -> Iterator[Row]:
    """Read npz, CSV and parquet tables that lie, and damaged ones."""
    for source, name, crafted, good, most in DIGIT_TABLES:
        inside = folder / name
        inside.mkdir()

        def load(data: bytes, source: str = source, path: Path = inside / name) -> Outcome:
            path.write_bytes(data)
            return documents.tried_with_children(lambda: load_training(source, path.parent))

        tally = Tally()
        for attack, data in crafted():
            tally.add(attack, load(data), DataError)
        yield tally.make_row(f"tables of digits, {name}, crafted")

        tally = Tally()
        for data in mutants(good(), count or most):
            tally.add(name, load(data), DataError, lambda splits: True)
        yield tally.make_row(f"tables of digits, {name}, damaged")


def crafted_documents(folder: Path, count: int | None) -> Iterator[Row]:
    """Read PDF, HEIC and zip files that ask for too much."""
    model = load_model()
    tally = Tally()
    for attack, data in documents.all_documents(draw_tile()):
        outcome = documents.tried_with_children(lambda data=data: read(model, data))
        tally.add(attack, outcome, ImageError, lambda reading: True)
    yield tally.make_row("PDF, HEIC and zip files, crafted")


def damaged_documents(folder: Path, count: int | None) -> Iterator[Row]:
    """Read damaged PDF, HEIC and zip files."""
    model = load_model()
    for kind, good, most in documents.good_ones(draw_tile()):
        tally = Tally()
        for data in mutants(good, count or most):
            outcome = documents.tried_with_children(lambda data=data: read(model, data))
            tally.add(kind, outcome, ImageError, lambda reading: True)
        yield tally.make_row(f"damaged {kind} files")


def odd_pictures(folder: Path, count: int | None) -> Iterator[Row]:
    """Read pictures that claim too much, hold too little, or are no pictures."""
    model = load_model()
    tally = Tally()
    for attack, picture in chain(pictures.zoo(draw_tile()), pictures.large()):
        outcome = tried(lambda picture=picture: read(model, picture))
        tally.add(attack, outcome, ImageError, lambda reading: True)
    yield tally.make_row("odd pictures")


def damaged_pictures(folder: Path, count: int | None) -> Iterator[Row]:
    """Read fifty thousand damaged pictures in one process."""
    model = load_model()
    tally = Tally()
    encodings = list(pictures.encodings(draw_tile()))
    count_each = -(-(count or 50_000) // len(encodings))

    def read_all() -> None:
        for encoding, good in encodings:
            for data in mutants(good, count_each):
                outcome = tried(lambda data=data: read(model, data), memory=False)
                tally.add(encoding, outcome, ImageError, lambda reading: True)

    tally.megabytes = tried(read_all).megabytes
    yield tally.make_row("damaged pictures")


def encodings(folder: Path, count: int | None) -> Iterator[Row]:
    """Read the same digits in every way that people keep pictures."""
    model = load_model()
    digits = load_test("sample").images.numpy()
    chosen = random.Random(0).sample(range(len(digits)), count or 100)
    wrong: list[str] = []
    for index in chosen:
        pairs = pictures.encodings(digits[index])
        answers = {encoding: predict(model, data).digit for encoding, data in pairs}
        expected = answers["PNG grey"]
        wrong += [f"{index} as {name}" for name, digit in answers.items() if digit != expected]
    fault = f"{len(chosen)} digits in {len(answers)} encodings"
    yield Row(fault, "the same answer in every one", wrong)


def draw_tile() -> np.ndarray:
    """Return the first digit of the sample, uint8 (28, 28)."""
    return load_test("sample").images[0].numpy()


STRESS = (
    models,
    model_mutants,
    kaggle,
    idx,
    tables,
    crafted_documents,
    damaged_documents,
    odd_pictures,
    damaged_pictures,
    encodings,
)
