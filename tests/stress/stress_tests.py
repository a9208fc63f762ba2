"""Faults by the thousand: files here, processes in faults.py. Prints the table for docs/security.md.

python -m tests.stress.stress_tests                       every row, in full
python -m tests.stress.stress_tests models  kills -n 50   these rows, fifty of each
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from qdigits import load_model, predict
from qdigits.data.formats import IMAGES, read_idx, read_kaggle
from qdigits.data.loading import Split, load_test
from qdigits.errors import DataError, ImageError, ModelFileError
from qdigits.models.checkpoint import describe, load_model_file, save_model
from qdigits.models.registry import MODELS
from qdigits.predictor import read
from tests.attacks import (
    Outcome,
    idx_files,
    kaggle_pickles,
    model_files,
    mutants,
    onnx_files,
    pictures,
    tried,
)
from tests.stress import process_faults as faults
from tests.stress import web_attacks as outside

ROOT = Path(__file__).parents[2]
torch.set_num_threads(1)


class Tally:
    """Outcomes of many attacks: how many, the worst, and every one that was wrong."""

    def __init__(self) -> None:
        self.count, self.refused, self.seconds, self.megabytes = 0, 0, 0.0, 0.0
        self.wrong: list[str] = []

    def add(
        self, what: str, outcome: Outcome, fine: Callable[[object], bool], error: type[Exception]
    ) -> None:
        self.count += 1
        refused = isinstance(outcome.value, error) and len(str(outcome.value).splitlines()) == 1
        self.refused += refused
        self.seconds, self.megabytes = (
            max(self.seconds, outcome.seconds),
            max(self.megabytes, outcome.megabytes),
        )
        if not refused and not (not isinstance(outcome.value, Exception) and fine(outcome.value)):
            self.wrong.append(f"{what}: {outcome}")

    def __str__(self) -> str:
        worst = f"worst {self.seconds:.2f} s" + f", {self.megabytes:.0f} MB" * bool(self.megabytes)
        trouble = f"; WRONG {len(self.wrong)}: {self.wrong[0][:200]}" if self.wrong else ""
        return f"{self.count:,}: {self.refused:,} refused, {self.count - self.refused:,} right; {worst}{trouble}"


def never(_: object) -> bool:
    return False


def models(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    model_files.CANARY.unlink(missing_ok=True)
    tried(lambda: load_model("nowhere"))
    tally, by_command = Tally(), Tally()
    for index, (what, path) in enumerate(
        chain(model_files.files(folder), onnx_files.files(folder))
    ):
        tally.add(what, tried(lambda path=path: load_model(path)), never, ModelFileError)
        if index % 50 == 0 and path.exists():
            by_command.add(
                what, _command("read", "examples/seven.png", "--model", str(path)), never, Refused
            )
    yield (
        "malicious model files, by the library",
        f"{tally}; payloads run: {model_files.CANARY.exists():d}",
    )
    yield (
        "malicious model files, by the command",
        f"{by_command}; payloads run: {model_files.CANARY.exists():d}",
    )


class Refused(Exception):
    """The command ended with 1 and one line."""


def _command(*words: str) -> Outcome:
    began = time.monotonic()
    qdigits = [sys.executable, "-m", "qdigits"]
    run = subprocess.run([*qdigits, *words], capture_output=True, text=True, cwd=ROOT, timeout=120)
    fine = run.returncode == 1 and not run.stdout and run.stderr.startswith("qdigits: ")
    value = Refused(run.stderr.strip()) if fine else run.stderr or run.stdout
    return Outcome(value, time.monotonic() - began, 0)


def model_mutants(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    model, path = MODELS["mlp"](16, 16), folder / "m.pth"
    expected, about = model.state_dict(), describe(model, {"note": "x" * 300})
    save_model(model, path, {"note": "x" * 300})

    def same(loaded: object) -> bool:
        state = loaded.state_dict()  # type: ignore[attr-defined]
        return state.keys() == expected.keys() and all(
            torch.equal(state[name], expected[name]) for name in state
        )

    for kind, good in (
        (".pth", path.read_bytes()),
        (".safetensors", safetensors.torch.save(expected, about)),
    ):
        tally = Tally()
        for data in mutants(good, n or (20_000 if kind == ".pth" else 5_000)):
            path.write_bytes(data)
            tally.add(
                kind, tried(lambda: load_model_file(path), memory=False), same, ModelFileError
            )
        yield f"damaged model files, {kind}", str(tally)
    path, tally, good = folder / "m.onnx", Tally(), (ROOT / "mnist_model.onnx").read_bytes()
    for data in mutants(good, n or 5_000):
        path.write_bytes(data)
        outcome = tried(lambda: load_model(path), memory=False)
        tally.add(".onnx", outcome, lambda _, data=data: data == good, ModelFileError)
    yield "damaged model files, .onnx", str(tally)


def kaggle(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    path, tally, digits, genuine = folder / "MNIST-120k", Tally(), kaggle_pickles.digits(), 0
    for protocol in (2, 3, 4, 5):
        for numpy in (1, 2):
            path.write_bytes(kaggle_pickles.genuine(digits, protocol, numpy))
            genuine += all(
                np.array_equal(a, b.reshape(a.shape))
                for a, b in zip(read_kaggle(path), digits.values(), strict=True)
            )
    for what, data in kaggle_pickles.files():
        path.write_bytes(data)
        tally.add(what, tried(lambda: load_test("mnist120k", folder)), never, DataError)
    yield "Kaggle-style pickles", f"{genuine} of 8 genuine bit-equal; attacks {tally}"
    tally, end, seed = Tally(), time.monotonic() + (n or 300), 0
    while time.monotonic() < end:
        good = kaggle_pickles.genuine(kaggle_pickles.digits(2), 2 + seed % 4, 1 + seed % 2)
        for data in mutants(good, 200, seed):
            path.write_bytes(data)
            outcome = tried(lambda: load_test("mnist120k", folder), memory=False)
            tally.add("fuzz", outcome, lambda value: isinstance(value, Split), DataError)
        seed += 1
    yield f"Kaggle-style pickles, fuzzed for {n or 300} s", str(tally)


def idx(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    path, tally = folder / "file", Tally()
    for what, data in idx_files.files():
        path.write_bytes(data)
        tally.add(what, tried(lambda: read_idx(path, IMAGES)), never, DataError)
    yield "IDX and gz files, crafted", str(tally)
    good, tally = idx_files.images(20), Tally()
    for data in mutants(gzip.compress(good), n or 20_000):
        path.write_bytes(data)
        outcome = tried(lambda: read_idx(path, IMAGES), memory=False)
        tally.add("gz", outcome, lambda value: value.tobytes() == good[16:], DataError)  # type: ignore[attr-defined]
    yield "IDX and gz files, damaged", str(tally)


def photos(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    model, tile = load_model(), load_test("sample").images[0].numpy()
    tally = Tally()
    for what, picture in chain(pictures.zoo(tile), pictures.large()):
        tally.add(
            what, tried(lambda picture=picture: read(model, picture)), lambda _: True, ImageError
        )
    yield "odd pictures", str(tally)
    tally, kinds = Tally(), list(pictures.encodings(tile))
    each = -(-(n or 50_000) // len(kinds))

    def damaged() -> None:
        for what, good in kinds:
            for data in mutants(good, each):
                tally.add(
                    what,
                    tried(lambda data=data: read(model, data), memory=False),
                    lambda _: True,
                    ImageError,
                )

    tally.megabytes = tried(damaged).megabytes
    yield "damaged pictures", str(tally)


def encodings(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    model, digits = load_model(), load_test("sample").images
    chosen = digits[
        torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))[: n or 100]
    ].numpy()
    different: list[str] = []
    for index, tile in enumerate(chosen):
        answers = {what: predict(model, data).digit for what, data in pictures.encodings(tile)}
        different += [
            f"{index} as {what}" for what, digit in answers.items() if digit != answers["PNG grey"]
        ]
    verdict = (
        "the same answer in every one"
        if not different
        else f"WRONG {len(different)}: {', '.join(different[:5])}"
    )
    yield f"{len(chosen)} digits in {len(answers)} encodings", verdict


FILES = {row.__name__: row for row in (models, model_mutants, kaggle, idx, photos, encodings)}
ROWS = FILES | outside.ROWS | faults.ROWS


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("-n", type=int, help="how many of each (for the fuzzer: how many seconds)")
    asked = parser.parse_args()
    wrong = False
    print("| fault | what came of it | seconds |\n|---|---|---|")
    for name in asked.rows or ROWS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for fault, verdict in ROWS[name](Path(folder), asked.n):
                wrong |= "WRONG" in verdict
                print(f"| {fault} | {verdict} | {time.monotonic() - began:.0f} |", flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
