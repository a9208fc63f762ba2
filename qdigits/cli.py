"""The command: parse, call one verb, print.

Data goes to stdout; progress and complaints go to stderr.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import tyro
from tyro.conf import Positional, Suppress, arg

from qdigits import __version__
from qdigits.errors import ConfigError, QDigitsError
from qdigits.files import DEFAULT_MODEL, FASTEST_MODEL

MAX_NAMED = 10  # files in a line

# Optional, not `|`, and plain tuples: for other types, tyro imports typeguard and with it unittest
# and asyncio, which makes every start a fifth slower.
OptionalPath = Optional[Path]  # noqa: UP045
OptionalCount = Optional[int]  # noqa: UP045
Names = tuple

# Options that several commands share. An empty hint hides a default that says nothing.
ModelFile = Annotated[str, arg(aliases=["-m"], metavar="FILE")]
PositionalModel = Annotated[str, Positional, arg(metavar="MODEL")]
DataFolder = Annotated[OptionalPath, arg(metavar="DIR", help_behavior_hint="")]
OutputFolder = Annotated[OptionalPath, arg(aliases=["-o"], metavar="DIR", help_behavior_hint="")]
OutputFile = Annotated[OptionalPath, arg(metavar="FILE", help_behavior_hint="")]
Flag = Annotated[bool, arg(help_behavior_hint="")]


@dataclass(frozen=True)
class Recipe:
    """A named recipe of `qdigits train`, whose settings the user may change."""

    name: Suppress[str]
    settings: Any


def build_recipe_commands() -> Any:
    """Return the type of a recipe on the command line: one subcommand for each recipe."""
    from qdigits.training.recipes import PAGE_RECIPES, PURPOSES, RECIPES

    all_recipes: dict[str, Any] = {**RECIPES, **PAGE_RECIPES}
    recipes = {name: Recipe(name, settings) for name, settings in all_recipes.items()}
    return tyro.extras.subcommand_type_from_defaults(recipes, PURPOSES)


NamedRecipe = Annotated[Any, arg(constructor_factory=build_recipe_commands)]  # when train is called


def train(recipe: NamedRecipe, run_dir: DataFolder = None, resume: Flag = False) -> int:
    """Train a network by a recipe.

    `qdigits train RECIPE --help` lists the settings of a recipe; each may be changed.

    Examples:
      $ qdigits train baseline --data sample       (a minute, no download)
      $ qdigits train default                      (the network that ships)
      $ qdigits train default --resume             (after an interruption)
      $ qdigits train baseline --lr 0.01 --run-dir runs/mine

    Args:
        run_dir: Where the run is kept; runs/RECIPE by default.
        resume: Go on with the run that is there.
    """
    _need("torch", "train")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run_dir = run_dir or Path("runs", recipe.name)
    from qdigits.training.recipes import PAGE_RECIPES

    if recipe.name in PAGE_RECIPES:
        return _train_pages(recipe.settings, run_dir, resume)
    from qdigits.training.run_dir import next_steps
    from qdigits.training.trainer import fit

    history = fit(recipe.settings, run_dir, resume)
    if os.environ.get("RANK", "0") == "0":  # the first of the processes that torchrun started
        if find_spec("matplotlib"):
            from qdigits.evaluation.plots import save_curves

            save_curves(history, run_dir)
        best = history.best()
        accuracy = f"{best['validation_accuracy']:.2%} of held-out digits"
        print(run_dir / "best.pth", accuracy, f"epoch {best['epoch']}", sep="\t")
        print(next_steps(run_dir, recipe.settings), file=sys.stderr)
    return 0


def _train_pages(settings: Any, run_dir: Path, resume: bool) -> int:
    from qdigits.training.page_trainer import fit_pages

    history = fit_pages(settings, run_dir, resume)
    best = max(history, key=lambda epoch: epoch["f1"])
    print(f"{run_dir / 'best.pth'}\tF1 {best['f1']:.2%} on held-out pages\tepoch {best['epoch']}")
    return 0


def evaluate(
    model: PositionalModel = DEFAULT_MODEL,
    data: Annotated[str, arg(metavar="SOURCE")] = "qmnist",
    data_dir: DataFolder = None,
    split: Literal["official", "writer", "random"] = "official",
    seed: int = 0,
    out: OutputFolder = None,
) -> int:
    """Measure a model on test digits.

    Examples:
      $ qdigits evaluate mnist_model.pth --data mnist
      $ qdigits evaluate runs/baseline/last.pth --data sample --out report

    Args:
        model: Model file, or the name of a bundled one.
        data: Data source; `qdigits data` lists them.
        data_dir: Folder that holds the data files already.
        split: As it was in training.
        seed: As it was in training: it draws the writer and random splits.
        out: Folder for report.json and its pictures.
    """
    _need("torch", "train")
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


@dataclass(frozen=True)
class ReadOptions:
    """What `qdigits read` is asked to do."""

    files: Annotated[Names, Positional, arg(metavar="FILE|FOLDER|-", help_behavior_hint="")]
    """Pictures, folders of pictures, zip archives, or - for a picture on standard input."""
    model: ModelFile = FASTEST_MODEL
    """Model file, or the name of a bundled one."""
    output: Annotated[OutputFile, arg(aliases=["-o"])] = None
    """Write to a file instead, in the format of its suffix: .csv, .jsonl or .txt."""
    csv: OutputFile = None
    """Write a row for each picture to a file, or with - to standard output."""
    table: Annotated[OptionalPath, arg(metavar="FILE|DIR|-", help_behavior_hint="")] = None
    """Write the numbers in rows and columns as on the sheet, "?" behind those in doubt."""
    json: Flag = False
    """Write one JSON object a line: every number and digit with its box."""
    show: Flag = False
    """Also print the tiles that the network saw."""
    annotate: Annotated[OptionalPath, arg(metavar="FILE|DIR", help_behavior_hint="")] = None
    """Also draw what was found: into one picture file, or into a folder of them."""
    resume: Flag = False
    """Go on with an output file that is there, and leave out what it has."""
    overwrite: Flag = False
    """Replace files that are there."""
    jobs: Annotated[
        OptionalCount, arg(aliases=["-j"], metavar="N", help_behavior_hint="(default: all cores)")
    ] = None
    """How many pictures are read at the same time."""
    quiet: Annotated[bool, arg(aliases=["-q"], help_behavior_hint="")] = False
    """Show no progress and no notes."""
    verbose: Annotated[bool, arg(aliases=["-v"], help_behavior_hint="")] = False
    """Say on standard error what is done."""


def read(options: Annotated[ReadOptions, arg(name="")]) -> int:
    """Read the digits on pictures.

    Prints file, text, and the confidence of the least sure number.

    One page of a PDF or TIFF is called scan.pdf#2, one picture of an archive photos.zip#a.jpg.

    For several pictures, --table and --annotate name a folder.

    Examples:
      $ qdigits read photo.jpg
      $ qdigits read scans --csv digits.csv               (a folder into a table)
      $ qdigits read scans --csv digits.csv --resume      (after an interruption)
      $ qdigits read page.jpg --table page.csv            (rows and columns as on the sheet)
      $ qdigits read form.pdf --annotate marked           (each page with boxes)
      $ cat photo.jpg | qdigits read - --json
    """
    from qdigits.batch import expand_paths
    from qdigits.output import Notes, check_options

    if options.verbose:
        logging.getLogger("qdigits").setLevel(logging.DEBUG)
    if options.jobs is not None and options.jobs < 1:
        raise ConfigError(f"--jobs {options.jobs}: choose 1 or more")
    check_options(options.output, options.csv, options.table, options.json, options.show)
    listing = expand_paths(options.files)
    if not listing.files:
        raise ConfigError(
            "nothing to read; name pictures, a folder of pictures, or - for standard input"
        )
    outputs = _choose_outputs(options, listing.files)
    notes = Notes()
    if not options.quiet and not options.json:  # JSON has all of it
        outputs.append(notes)
    with ExitStack() as open_files:
        network = _load(options.model)
        done = outputs[0].open(open_files, options.resume, options.overwrite)
        failed = _write_results(network, listing, options, done, outputs)
    notes.close()
    if listing.skipped and not options.quiet:
        _name_skipped(listing.skipped)
    return int(failed)


def _choose_outputs(options: ReadOptions, files: Sequence[str]) -> list[Any]:
    """Return what takes each result: the answers first, then the annotated pictures."""
    from qdigits.output import Annotator, ReadOutput, SheetOutput

    outputs: list[Any] = []
    if options.table:
        outputs.append(SheetOutput(options.table, options.overwrite, files))
    else:
        outputs.append(ReadOutput.choose(options.output, options.csv, options.json, options.show))
    if options.annotate:
        outputs.append(Annotator(options.annotate, options.overwrite, files))
    return outputs


def _load(model: str) -> Any:
    from qdigits.predictor import load_model

    return load_model(model)


def _write_results(
    network: Any,
    listing: Any,
    options: ReadOptions,
    done: set[str],
    outputs: Sequence[Any],
) -> bool:
    """Read all pictures of a listing, hand each result to the outputs, and say if one failed."""
    from qdigits.batch import read_files

    failed = False
    results = read_files(network, listing, options.jobs, done)
    if len(listing.files) > 1 and not options.quiet and sys.stderr.isatty():
        results = _show_progress(results, len(listing.files))
    for result in results:
        for output in outputs:
            output.add(result)
        if result.reading is None:
            failed = True
            _complain(result.file, result.error)
    return failed


def _show_progress(results: Iterator[Any], total: int) -> Iterator[Any]:
    """Show how many of the pictures are read; yield the results as they come."""
    from tqdm import tqdm

    yield from tqdm(results, total=total, unit="file")


def _complain(file: str, error: str) -> None:
    from qdigits.batch import printable

    print(f"qdigits: {printable(file)}: {printable(error)}", file=sys.stderr)


def _name_skipped(files: Sequence[str]) -> None:
    """Say which files of the folders were not read, for they are no pictures."""
    from qdigits.batch import printable

    some = ", ".join(printable(file) for file in files[:MAX_NAMED])
    more = f" and {len(files) - MAX_NAMED} more" if len(files) > MAX_NAMED else ""
    count = "1 file holds" if len(files) == 1 else f"{len(files)} files hold"
    print(f"qdigits: {count} no picture, not read: {some}{more}", file=sys.stderr)


def data(
    source: Annotated[
        str | None, Positional, arg(metavar="[SOURCE]", help_behavior_hint="")
    ] = None,
    data_dir: DataFolder = None,
    fetch: Flag = False,
) -> int:
    """List the data sources: which are here, their digits of each class, their writers.

    Examples:
      $ qdigits data
      $ qdigits data qmnist --fetch
      $ qdigits data folder --data-dir mine      (your own pictures, in folders 0 to 9)

    Args:
        source: One source only.
        data_dir: Folder that holds the data files already; the cache by default.
        fetch: Download the source, each file checked against its published checksum.
    """
    _need("torch", "train")
    from qdigits.data.sources import SOURCES, list_parts

    if source not in (None, *SOURCES):
        raise ConfigError(f"there is no data source {source!r}; choose one of {', '.join(SOURCES)}")
    if fetch and not source:
        raise ConfigError("--fetch needs to know which source; `qdigits data` lists them")
    if fetch and data_dir:
        raise ConfigError(
            "--fetch fills the cache (QDIGITS_CACHE names it), not a --data-dir; "
            "give one of the two"
        )
    heads = ("source", "part", "digits", "checksum", "writers")
    print(*heads, *(f"of {digit}" for digit in range(10)), sep="\t")
    missing = [
        part
        for name in ([source] if source else SOURCES)
        for part in list_parts(name, data_dir, fetch)
        if not _print_part(name, part)
    ]
    return int(bool(source and missing))


def _print_part(source: str, part: Any) -> bool:
    """Print the row of one part of a data source, and say whether it is here."""
    from qdigits.data.download import is_published

    if part.digits is None:
        print(source, part.name, 0, part.error, sep="\t")
        return False
    checks = {is_published(file) for file in part.files} - {None}
    checksum = "-" if not checks else "right" if checks == {True} else "another"
    writers = "-" if part.digits.writers is None else len(part.digits.writers.unique())
    counts = part.digits.labels.bincount(minlength=10).tolist()
    print(source, part.name, len(part.digits), checksum, writers, *counts, sep="\t")
    return True


def export(
    model: PositionalModel,
    out: Annotated[Path, Positional, arg(metavar="FILE")],
    int8: Flag = False,
) -> int:
    """Write a model for other programs: .onnx or .safetensors.

    Examples:
      $ qdigits export runs/baseline/last.pth mine.onnx
      $ qdigits export mnist_model.pth faster.onnx --int8
      $ qdigits export mnist_model.pth model.safetensors

    Args:
        model: Model file, or the name of a bundled one.
        out: A file that is not there yet; its suffix chooses the format.
        int8: Let the convolutions of an .onnx file compute in 8-bit integers: faster and smaller,
            and its answers move a little.
    """
    _need("torch", "train")
    from qdigits.models.checkpoint import load_any
    from qdigits.models.export import export as write

    if out.exists():
        raise ConfigError(f"{out} is there already; name a new file")
    network = load_any(model)
    examples = []
    if int8:
        from qdigits.training.typical_inputs import typical_inputs

        examples = typical_inputs(network)
    write(network, out, examples)
    return 0


def app(port: Annotated[int, arg(metavar="N")] = 8501, host: Flag = False) -> int:
    """Serve the page: draw, photograph, upload, check, train.

    Examples:
      $ qdigits app
      $ qdigits app --port 8600
      $ qdigits app --host      (for every device in the room)

    Args:
        port: Where it listens, on this machine only unless --host is given.
        host: Let other devices on this network open it; prints the address and its QR code.
    """
    from qdigits.app.serve import serve

    _need("streamlit", "app")
    if not 1024 <= port <= 65535:
        raise ConfigError(f"--port {port}: choose one from 1024 to 65535")
    return serve(port, host)


VERBS: dict[str, Callable[..., int]] = {
    verb.__name__: verb for verb in (read, app, train, evaluate, data, export)
}
CONFIG = (
    tyro.conf.OmitArgPrefixes,
    tyro.conf.OmitSubcommandPrefixes,
    tyro.conf.CascadeSubcommandArgs,
    tyro.conf.FlagCreatePairsOff,
)
COMPLETION = ("--tyro-print-completion", "--tyro-write-completion")
HELP = """\
usage: qdigits COMMAND [OPTIONS]

Reads handwritten digits from any photograph, tile or drawing, and says honestly how sure it is.

commands:
{commands}

  qdigits COMMAND --help    describes a command and its options
  qdigits --version         prints the version
  qdigits --tyro-print-completion bash    prints what completes commands in a shell (or zsh, tcsh)

Examples:
  $ qdigits read photo.jpg
  $ qdigits read scans --csv digits.csv
  $ qdigits app
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0 fine, 1 an input failed, 2 wrong usage, 130 interrupted.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    if isinstance(sys.stdout, TextIOWrapper):  # file names are bytes: they go out as they came in
        sys.stdout.reconfigure(errors="surrogateescape")
    logging.basicConfig(format="qdigits: %(message)s")  # warnings go to stderr
    try:
        code = run(argv)
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


def run(argv: list[str]) -> int:
    """Answer what is asked of the command itself, or call the verb that is named."""
    name = argv[0] if argv else ""
    if name in VERBS:
        verb = VERBS[name]
        about = describe(verb)
        return tyro.cli(
            verb, prog=f"qdigits {name}", description=about, args=argv[1:], config=CONFIG
        )
    if name == "--version":
        print(f"qdigits {__version__}")
    elif name in ("-h", "--help"):
        print(overview(), end="")
    elif name in COMPLETION:
        tyro.extras.subcommand_cli_from_dict(VERBS, prog="qdigits", args=argv, config=CONFIG)
    elif not name:
        print(overview(), end="", file=sys.stderr)
        return 2
    else:
        similar = difflib.get_close_matches(name, VERBS)
        hint = f"did you mean {similar[0]}?" if similar else f"choose one of {', '.join(VERBS)}"
        raise ConfigError(f"there is no command {name!r}; {hint}")
    return 0


def describe(verb: Callable[..., int]) -> str:
    """Return what the help of a verb says above its options: its docstring up to the arguments."""
    return inspect.getdoc(verb).partition("\n\nArgs:")[0]  # type: ignore[union-attr]


def overview() -> str:
    """Return the help of the command as a whole: one line for each verb."""
    purposes = [(name, describe(verb).splitlines()[0]) for name, verb in VERBS.items()]
    return HELP.format(commands="\n".join(f"  {name:<10}{purpose}" for name, purpose in purposes))


def _need(library: str, extra: str) -> None:
    if not find_spec(library):
        raise ConfigError(f"this needs {library}; pip install 'qdigits[{extra}]'")
