"""Print how the code reads: its size, its density and its names, folder by folder.

    python -m tools.measure_size            every folder, and the goals
    python -m tools.measure_size --worst    also the places to mend first

These figures inform; `make lint` holds the width of lines and tests/test_layers.py the arrows.
"""

import argparse
import ast
import io
import re
import subprocess
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.import_graph import MODULES, find_circles, find_upward_arrows

ROOT = Path(__file__).parent.parent
MAX_COLUMNS = 100
MAX_FUNCTION_LINES = 45
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.STRING,
    tokenize.ENDMARKER,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


class FileSize(NamedTuple):
    """What is counted in one file."""

    path: str
    code_lines: int
    tokens: int
    long_lines: int
    long_functions: list[str]
    format_skips: int
    one_word_names: int
    named_functions: int
    tuple_assignments: int


class FolderSize(NamedTuple):
    """The counts of several files, added up."""

    files: int
    code_lines: int
    tokens_per_line: float
    long_lines: int
    long_functions: int
    format_skips: int
    one_word_percent: float
    tuple_assignments_per_100: float


class ReadmeSize(NamedTuple):
    """How far a reader scrolls before README.md says what the project can't do."""

    lines: int
    table_rows: int


class Goal(NamedTuple):
    """One row of the table at the end."""

    measure: str
    today: float
    at_most: float


def count_code(source: str) -> tuple[int, int]:
    """Return the number of lines with code on them, and of tokens.

    Comments, docstrings and every other string are left out, as is what only structures lines.
    """
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
    ]
    return len({token.start[0] for token in tokens}), len(tokens)


def find_functions(tree: ast.Module) -> list[Function]:
    """Return every function and method, those inside others too."""
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def count_lines(function: Function) -> int:
    """Return the lines of a function from `def` to its end, without decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_dunder(name: str) -> bool:
    """Return whether Python itself chose the name, as in `__init__`."""
    return name.startswith("__") and name.endswith("__")


def is_tuple_assignment(node: ast.AST) -> bool:
    """Return whether a statement is `a, b = x, y`; a swap of the same names is not counted."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
        return False
    if not isinstance(node.targets[0], ast.Tuple):
        return False
    targets = {ast.unparse(element) for element in node.targets[0].elts}
    return targets != {ast.unparse(element) for element in node.value.elts}


def measure_file(path: Path) -> FileSize:
    """Count everything in one Python file."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    functions = find_functions(tree)
    names = [function.name for function in functions if not is_dunder(function.name)]
    name = path.relative_to(ROOT).as_posix()
    code_lines, tokens = count_code(source)
    return FileSize(
        path=name,
        code_lines=code_lines,
        tokens=tokens,
        long_lines=sum(len(line) > MAX_COLUMNS for line in source.splitlines()),
        long_functions=[
            f"{name}:{function.lineno} {function.name}, {count_lines(function)} lines"
            for function in functions
            if count_lines(function) > MAX_FUNCTION_LINES
        ],
        format_skips=len(re.findall(r"#\s*fmt: *skip", source)),
        one_word_names=sum("_" not in name.strip("_") for name in names),
        named_functions=len(names),
        tuple_assignments=sum(is_tuple_assignment(node) for node in ast.walk(tree)),
    )


def add_up(sizes: list[FileSize]) -> FolderSize:
    """Return the counts of a folder; each rate is of all its files together."""
    code_lines = sum(size.code_lines for size in sizes)
    functions = sum(size.named_functions for size in sizes)
    one_word_names = sum(size.one_word_names for size in sizes)
    tuple_assignments = sum(size.tuple_assignments for size in sizes)
    return FolderSize(
        files=len(sizes),
        code_lines=code_lines,
        tokens_per_line=sum(size.tokens for size in sizes) / max(code_lines, 1),
        long_lines=sum(size.long_lines for size in sizes),
        long_functions=sum(len(size.long_functions) for size in sizes),
        format_skips=sum(size.format_skips for size in sizes),
        one_word_percent=100 * one_word_names / max(functions, 1),
        tuple_assignments_per_100=100 * tuple_assignments / max(code_lines, 1),
    )


def list_files() -> list[Path]:
    """Return the Python files that git knows or would add."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in sorted(set(listed.stdout.splitlines()))]
    return [path for path in paths if path.exists()]


def is_packaged(path: str) -> bool:
    """Return whether a file belongs to the program, not to its tests and tools."""
    return path.startswith("qdigits/") or path == "app.py"


def folder_of(path: str) -> str:
    """Return the row of the table that a file is counted in."""
    folders = path.split("/")[:-1]
    return "/".join(folders[:2]) if folders else path


def group_by_folder(sizes: list[FileSize]) -> dict[str, list[FileSize]]:
    """Return the files of each folder, the program's folders first."""
    groups: dict[str, list[FileSize]] = defaultdict(list)
    for size in sorted(sizes, key=lambda size: not is_packaged(size.path)):
        groups[folder_of(size.path)].append(size)
    return groups


def measure_readme(text: str) -> ReadmeSize:
    """Count the lines of README.md, and the rows of its tables before "what it can't do"."""
    before = re.split(r"^## What it can.?t do", text, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\|(?! *[-:]).*\|", before, flags=re.MULTILINE)
    heads = re.findall(r"^\| *[-:]+", before, flags=re.MULTILINE)
    return ReadmeSize(len(text.splitlines()), len(rows) - len(heads))


def list_goals(package: FolderSize) -> Iterator[Goal]:
    """Yield what is wanted of the package, of README.md and of the folders."""
    readme = measure_readme((ROOT / "README.md").read_text(encoding="utf-8"))
    yield Goal("tokens a code line", package.tokens_per_line, 9)
    yield Goal("lines over 100 columns", package.long_lines, 0)
    yield Goal("functions over 45 lines", package.long_functions, 0)
    yield Goal("`fmt: skip`", package.format_skips, 5)
    yield Goal("% of functions named by one word", package.one_word_percent, 45)
    yield Goal("`a, b = x, y` per 100 code lines", package.tuple_assignments_per_100, 0.8)
    yield Goal("README lines", readme.lines, 130)
    yield Goal('README table rows before "what it can\'t do"', readme.table_rows, 12)
    yield Goal("imports of a folder that is not below", sum(map(count_upward_arrows, MODULES)), 0)
    yield Goal("modules whose imports run in a circle", len(find_circles()), 0)


def count_upward_arrows(module: str) -> int:
    """Return how many imports of a module lead into a folder that is not below its own."""
    return len(find_upward_arrows(module))


def print_folders(sizes: list[FileSize]) -> None:
    """Print one row for each folder, and one for the program in all."""
    print(f"{'':18} files  lines  tokens   >100  functions  fmt:  one-word  a, b = x, y")
    print(f"{'':18}        code   a line  columns  >45 l.  skip   names %   per 100 lines")
    groups = group_by_folder(sizes)
    package = [size for size in sizes if is_packaged(size.path)]
    for name, group in [*groups.items(), ("the program", package)]:
        size = add_up(group)
        print(
            f"{name:18} {size.files:5}  {size.code_lines:5}  {size.tokens_per_line:6.1f}"
            f"  {size.long_lines:7}  {size.long_functions:6}  {size.format_skips:4}"
            f"  {size.one_word_percent:8.0f}  {size.tuple_assignments_per_100:8.1f}"
        )


def print_goals(package: FolderSize) -> None:
    """Print each goal with today's figure and whether it is met."""
    print("\n| measure | today | at most | met |\n|---|--:|--:|---|")
    for goal in list_goals(package):
        verdict = "yes" if goal.today <= goal.at_most else "**no**"
        print(f"| {goal.measure} | {goal.today:.3g} | {goal.at_most:g} | {verdict} |")


def print_worst(sizes: list[FileSize]) -> None:
    """Print the densest files and every function that is too long."""
    print("\nThe densest files (tokens a code line):")
    by_density = sorted(sizes, key=lambda size: -size.tokens / max(size.code_lines, 1))
    for size in by_density[:12]:
        print(f"{size.tokens / max(size.code_lines, 1):6.1f}  {size.path}")
    print(f"\nFunctions over {MAX_FUNCTION_LINES} lines:")
    for size in sizes:
        for function in size.long_functions:
            print(f"  {function}")


def main() -> None:
    """Measure what git would commit, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worst", action="store_true", help="also name the places to mend first")
    arguments = parser.parse_args()
    sizes = [measure_file(path) for path in list_files()]
    print_folders(sizes)
    print_goals(add_up([size for size in sizes if is_packaged(size.path)]))
    if arguments.worst:
        print_worst(sizes)


if __name__ == "__main__":
    main()
