"""The command: parse, call one verb, print. Data goes to stdout; progress and complaints go to stderr."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from csv import writer
from dataclasses import dataclass
from importlib.util import find_spec
from io import TextIOWrapper
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, Suppress, arg

from qdigits import __version__
from qdigits.errors import ConfigError, QDigitsError
from qdigits.files import new_file
from qdigits.training.config import TrainConfig
from qdigits.training.page_config import PageConfig
from qdigits.training.recipes import PAGE_RECIPES, RECIPES

DEFAULT_MODEL = "mnist_model.pth"
FASTEST_MODEL = (
    "mnist_model.onnx" if find_spec("onnxruntime") else DEFAULT_MODEL
)  # the same network; torch takes seconds to start


@dataclass(frozen=True)
class Recipe:
    name: Suppress[str]
    settings: TrainConfig


@dataclass(frozen=True)
class PageRecipe:
    name: Suppress[str]
    settings: PageConfig


NamedRecipe: Any = tyro.extras.subcommand_type_from_defaults(
    {name: Recipe(name, settings) for name, settings in RECIPES.items()}
    | {name: PageRecipe(name, settings) for name, settings in PAGE_RECIPES.items()},
    {name: f"{c.model}, {c.epochs} epochs, {c.optimizer}" for name, c in RECIPES.items()}
    | {name: f"page network, {c.epochs} epochs" for name, c in PAGE_RECIPES.items()},
)


def train(recipe: NamedRecipe, run_dir: Path | None = None, resume: bool = False) -> int:
    """Train a network by a recipe. `qdigits train RECIPE --help` lists its settings; each may be changed.

    Args:
        run_dir: Where the run is kept; runs/RECIPE by default.
        resume: Go on with the run that is there.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run_dir = run_dir or Path("runs", recipe.name)
    if isinstance(recipe, PageRecipe):
        return _train_pages(recipe.settings, run_dir, resume)
    from qdigits.training.trainer import fit

    history = fit(recipe.settings, run_dir, resume)
    if os.environ.get("RANK", "0") == "0":  # the first of the processes that torchrun started
        if find_spec("matplotlib"):
            from qdigits.evaluation.plots import save_curves

            save_curves(history, run_dir)
        best = history.best()
        print(
            f"{run_dir / 'best.pth'}\t{best['validation_accuracy']:.2%} of held-out digits\tepoch {best['epoch']}"
        )
    return 0


def _train_pages(settings: PageConfig, run_dir: Path, resume: bool) -> int:
    from qdigits.training.page_trainer import fit_pages

    history = fit_pages(settings, run_dir, resume)
    best = max(history, key=lambda epoch: epoch["f1"])
    print(f"{run_dir / 'best.pth'}\tF1 {best['f1']:.2%} on held-out pages\tepoch {best['epoch']}")
    return 0


def evaluate(
    model: Positional[str] = DEFAULT_MODEL,
    data: str = "qmnist",
    data_dir: Path | None = None,
    split: Literal["official", "writer", "random"] = "official",
    seed: int = 0,
    out: Path | None = None,
) -> int:
    """Measure a model on test digits.

    Args:
        model: Model file, or the name of a bundled one.
        data: Data source; `qdigits data` lists them.
        data_dir: Folder that holds the data files already.
        split: As it was in training.
        seed: As it was in training: it draws the writer and random splits.
        out: Folder for report.json and its pictures.
    """
    from qdigits.evaluation.evaluate import evaluate as measure
    from qdigits.predictor import load_model

    if out:
        _need("matplotlib", "train")
    report = measure(load_model(model), data, data_dir, split, seed, Path(model).stem)
    print(report)
    if out:
        from qdigits.evaluation.plots import save_report

        save_report(report, out)
    return 0


def read(
    files: Annotated[tuple[str, ...], Positional, arg(metavar="FILE|FOLDER|-")],
    model: str = FASTEST_MODEL,
    json: bool = False,
    csv: Path | None = None,
    annotate: Path | None = None,
    show: bool = False,
) -> int:
    """Read the digits on pictures. Prints file, text, and the confidence of the least sure digit.

    Args:
        files: Pictures, folders of pictures, or - for a picture on standard input.
        model: Model file, or the name of a bundled one.
        json: Print one JSON object a line: every digit with its box and its ten probabilities.
        csv: Write a table instead, to a file that is not there yet.
        annotate: Also draw what was found on the picture, into a file that is not there yet.
        show: Also print the tiles that the network saw.
    """
    from tqdm import tqdm

    from qdigits.batch import COLUMNS, expand_paths, read_files, terminal_art
    from qdigits.imaging.annotate import annotate as drawn
    from qdigits.predictor import load_model

    if json + show + bool(csv) > 1:
        raise ConfigError("--json, --csv and --show are three forms of the same answer; choose one")
    names = expand_paths(files)
    if not names:
        raise ConfigError(
            "nothing to read; name pictures, a folder of pictures, or - for standard input"
        )
    if annotate and len(names) > 1:
        raise ConfigError(f"--annotate draws on one picture, and here are {len(names)}")
    failed, network = False, load_model(model)
    with ExitStack() as files_to_write:
        table = writer(files_to_write.enter_context(new_file(csv, "x"))) if csv else None
        if table:
            table.writerow(COLUMNS)
        answers = read_files(network, names)
        for answer in tqdm(
            answers, total=len(names), unit="file", disable=None if len(names) > 1 else True
        ):
            if table:
                table.writerow(answer.row())
            elif json:
                print(dumps(answer.record()))
            elif answer.reading:
                print(*answer.row()[:3], sep="\t")
            if answer.reading is None:
                failed = True
                print(f"qdigits: {answer.file}: {answer.error}", file=sys.stderr)
                continue
            if show:
                print(*(terminal_art(digit.tile) for digit in answer.reading.digits), sep="\n")
            if annotate:
                drawn(answer.photo, answer.reading).save(
                    files_to_write.enter_context(new_file(annotate, "xb")), "PNG"
                )
    return int(failed)


def data(
    source: Positional[str | None] = None, data_dir: Path | None = None, fetch: bool = False
) -> int:
    """List the data sources: which are here, whether as published, how many digits of each class, how many writers.

    Args:
        source: One source only.
        data_dir: Folder that holds the data files already; the cache by default.
        fetch: Download the source, each file checked against its published checksum.
    """
    from qdigits.data.download import is_published
    from qdigits.data.sources import SOURCES, list_parts

    if source not in (None, *SOURCES):
        raise ConfigError(f"there is no data source {source!r}; choose one of {', '.join(SOURCES)}")
    if fetch and not source:
        raise ConfigError("--fetch needs to know which source; `qdigits data` lists them")
    if fetch and data_dir:
        raise ConfigError(
            "--fetch fills the cache (QDIGITS_CACHE names it), not a --data-dir; give one of the two"
        )
    failed = False
    print(
        "source",
        "part",
        "digits",
        "checksum",
        "writers",
        *(f"of {digit}" for digit in range(10)),
        sep="\t",
    )
    for name in [source] if source else SOURCES:
        for part in list_parts(name, data_dir, fetch):
            if part.digits is None:
                failed = bool(source)
                print(name, part.name, 0, part.error, sep="\t")
                continue
            checks = {is_published(file) for file in part.files} - {None}
            checksum = "-" if not checks else "right" if checks == {True} else "another"
            writers = "-" if part.digits.writers is None else len(part.digits.writers.unique())
            counts = part.digits.labels.bincount(minlength=10).tolist()
            print(name, part.name, len(part.digits), checksum, writers, *counts, sep="\t")
    return int(failed)


def export(model: Positional[str], out: Positional[Path]) -> int:
    """Write a model for other programs: .onnx or .safetensors.

    Args:
        model: Model file, or the name of a bundled one.
        out: A file that is not there yet; its suffix chooses the format.
    """
    from qdigits.models.checkpoint import load_any
    from qdigits.models.export import export as write

    if out.exists():
        raise ConfigError(f"{out} is there already; name a new file")
    write(load_any(model), out)
    return 0


def app(port: int = 8501, host: bool = False) -> int:
    """Serve the page: draw, photograph, upload, check, train.

    Args:
        port: Where it listens, on this machine only unless --host is given.
        host: Let other devices on this network open it; prints the address and its QR code.
    """
    from qdigits.app.serve import serve

    _need("streamlit", "app")
    if not 1024 <= port <= 65535:
        raise ConfigError(f"--port {port}: choose one from 1024 to 65535")
    return serve(port, host)


VERBS = {verb.__name__: verb for verb in (train, evaluate, read, data, export, app)}


def main(argv: Sequence[str] | None = None) -> int:
    """Gives the exit code: 0 fine, 1 an input failed, 2 wrong usage, 130 interrupted."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv == ["--version"]:
        print(f"qdigits {__version__}")
        return 0
    flat = (
        tyro.conf.OmitArgPrefixes,
        tyro.conf.OmitSubcommandPrefixes,
        tyro.conf.CascadeSubcommandArgs,
        tyro.conf.FlagCreatePairsOff,
    )
    about = "Reads handwritten digits from any photograph, tile or drawing, and says honestly how sure it is."
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(
            errors="surrogateescape"
        )  # file names are bytes, and come out as they went in
    try:
        code = tyro.extras.subcommand_cli_from_dict(
            VERBS, prog="qdigits", description=about, args=argv, config=flat
        )
        sys.stdout.flush()
        return code
    except QDigitsError as error:
        print(f"qdigits: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        print("qdigits: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our answers has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _need(library: str, extra: str) -> None:
    if not find_spec(library):
        raise ConfigError(f"this needs {library}; pip install 'qdigits[{extra}]'")
