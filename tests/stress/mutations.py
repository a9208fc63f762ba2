"""Guards removed one by one: do the tests notice? A guard that nobody would miss is not one.

A mutant is the source of a module with one guard less, made from its syntax tree, so that no
formatter and no renamed variable can break this file. The tests run in a copy of the repository,
with a bound on memory and time: without its guards the program may do what they prevent.
"""

import ast
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.stress.support import ROOT, Row

MEMORY = 8 * 2**30  # bytes
LONGEST_SECONDS = 600  # of the tests of a module as it is
ENOUGH = 0.95  # share of the removed raises, and
ENOUGH_CONDITIONS = 0.7  # of the other mutants: some of them change nothing that shows


class GuardTests(NamedTuple):
    """Where the tests of a module's guards are, and which of them matter (pytest -k)."""

    paths: str
    words: str = ""


GUARDED = {
    "files.py": GuardTests("tests/test_files.py tests/models tests/data tests/test_cli.py"),
    "bounded_process.py": GuardTests("tests/test_bounded_process.py"),
    "safe_pickle.py": GuardTests(
        "tests/data tests/models/test_torch_file.py", "lie or damaged or kaggle or attack"
    ),
    "models/torch_file.py": GuardTests("tests/models/test_torch_file.py"),
    "models/checkpoint.py": GuardTests(
        "tests/models/test_checkpoint.py tests/models/test_torch_file.py"
    ),
    "models/onnx_file.py": GuardTests("tests/models/test_onnx_file.py"),
    "models/onnx_model.py": GuardTests(
        "tests/models/test_onnx_file.py tests/models/test_onnx_model.py"
    ),
    "data": GuardTests("tests/data", "not real"),
    "imaging": GuardTests("tests/attacks tests/imaging", "not page and not same"),
}


class Mutant(NamedTuple):
    """A module with one guard less."""

    guard: str
    source: str
    is_raise: bool


def list_mutants(module: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module.

    Args:
        module: Its path, for the description.
        source: Its text.
    """
    tree = ast.parse(source)
    for line, guard, is_raise in _remove_one_by_one(tree):
        yield Mutant(f"{module}:{line} {guard[:70]}", ast.unparse(tree), is_raise)


class _Removal(NamedTuple):
    line: int
    guard: str
    is_raise: bool = False


def _remove_one_by_one(tree: ast.Module) -> Iterator[_Removal]:
    """Take one guard out of the tree, yield, and put it back."""
    for node in list(ast.walk(tree)):
        yield from _remove_statements(node)
        if isinstance(node, ast.BoolOp):
            yield from _remove_items(node.values)
        if isinstance(node, ast.Call):
            yield from _remove_limits(node)
        if isinstance(node, ast.ExceptHandler):
            yield from _narrow(node)
        if isinstance(node, ast.Slice) and node.upper and not node.lower:
            yield from _lengthen(node)


def _remove_statements(node: ast.AST) -> Iterator[_Removal]:
    """Remove a raise, a call whose value nobody uses, or a deletion."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if not isinstance(block, list):
            continue
        for index, statement in enumerate(block):
            is_raise = isinstance(statement, ast.Raise) and statement.exc is not None
            is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            if is_raise or is_call or isinstance(statement, ast.Delete):
                block[index] = ast.copy_location(ast.Pass(), statement)
                yield _Removal(statement.lineno, ast.unparse(statement), is_raise)
                block[index] = statement


def _remove_items(items: list[ast.expr]) -> Iterator[_Removal]:
    """Remove one operand of `and` and `or` after the other."""
    for index, item in enumerate(list(items)):
        del items[index]
        yield _Removal(item.lineno, ast.unparse(item))
        items.insert(index, item)


def _remove_limits(call: ast.Call) -> Iterator[_Removal]:
    """Remove an argument such as timeout=LIMIT or weights_only=True, and what read() may take."""
    for index, keyword in enumerate(list(call.keywords)):
        is_limit = isinstance(keyword.value, ast.Name) and keyword.value.id.isupper()
        is_switch = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        if is_limit or is_switch:
            del call.keywords[index]
            yield _Removal(call.lineno, ast.unparse(keyword))
            call.keywords.insert(index, keyword)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "read" and call.args:
        arguments = call.args
        call.args = []
        yield _Removal(call.lineno, f"read({ast.unparse(arguments[0])})")
        call.args = arguments


def _narrow(handler: ast.ExceptHandler) -> Iterator[_Removal]:
    """Let a handler of every exception catch ValueError only."""
    if isinstance(handler.type, ast.Name) and handler.type.id == "Exception":
        kept = handler.type
        handler.type = ast.Name("ValueError")
        yield _Removal(handler.lineno, "except Exception")
        handler.type = kept


def _lengthen(part: ast.Slice) -> Iterator[_Removal]:
    """Take all of a sequence instead of its beginning."""
    kept = part.upper
    assert kept is not None
    part.upper = None
    yield _Removal(kept.lineno, f"[:{ast.unparse(kept)}]")
    part.upper = kept


def limit_process(seconds: int) -> None:
    """Bound the memory and the processor time of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


class Copy:
    """A copy of the repository whose tests run on mutants."""

    def __init__(self, folder: Path) -> None:
        """Copy what the tests need."""
        self.root = folder / "copy"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(".*", "runs", "__pycache__"))

    def pass_tests(self, tests: GuardTests, seconds: int = LONGEST_SECONDS) -> bool:
        """Return whether the tests pass within so many seconds of processor time."""
        command = [
            *(sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
            *("-k", tests.words),
            *tests.paths.split(),
        ]
        with_limits = partial(limit_process, seconds)
        try:
            run = subprocess.run(
                command,
                cwd=self.root,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"},
                capture_output=True,
                preexec_fn=with_limits,
                timeout=4 * seconds + 120,
            )
        except subprocess.TimeoutExpired:
            return False
        return run.returncode == 0

    def notices(self, path: Path, mutant: Mutant, tests: GuardTests, seconds: int) -> bool:
        """Return whether the tests fail, crash or take too long with a mutant in place."""
        good = path.read_text()
        path.write_text(mutant.source)
        try:
            return not self.pass_tests(tests, seconds)
        finally:
            path.write_text(good)

    def measure_seconds(self, tests: GuardTests) -> int:
        """Return the processor time that the tests of a module take as it is.

        Raises:
            RuntimeError: They fail.
        """
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not self.pass_tests(tests):
            raise RuntimeError(f"these tests fail without any mutation: {tests}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def guards(folder: Path, count: int | None) -> Iterator[Row]:
    """Remove every guard of the modules at the border, or some of each module's.

    Args:
        folder: Where the copy is made.
        count: How many mutants of each entry of GUARDED; without it, all.
    """
    copy = Copy(folder)
    for name, tests in GUARDED.items():
        package = copy.root / "qdigits"
        paths = sorted((package / name).glob("*.py")) if "." not in name else [package / name]
        seconds = 2 * copy.measure_seconds(tests) + 5
        mutants = [
            (path, mutant) for path in paths for mutant in list_mutants(path.name, path.read_text())
        ]
        if count and count < len(mutants):
            mutants = random.Random(0).sample(mutants, count)
        missed = [
            mutant for path, mutant in mutants if not copy.notices(path, mutant, tests, seconds)
        ]
        yield make_row(name, [mutant for _, mutant in mutants], missed)


def make_row(name: str, mutants: list[Mutant], missed: list[Mutant]) -> Row:
    """Return the row of an entry of GUARDED; it is wrong if too many guards were not missed."""
    raises = [mutant for mutant in mutants if mutant.is_raise]
    missed_raises = [mutant for mutant in missed if mutant.is_raise]
    others = len(mutants) - len(raises)
    missed_others = len(missed) - len(missed_raises)
    is_enough = len(missed_raises) <= (1 - ENOUGH) * len(raises)
    is_enough = is_enough and missed_others <= (1 - ENOUGH_CONDITIONS) * others
    result = (
        f"the tests notice {len(raises) - len(missed_raises)} of {len(raises)} removed raises, "
        f"{others - missed_others} of {others} other guards"
    )
    guards = ", ".join(mutant.guard for mutant in missed)
    if missed:
        result += f"; not missed: {guards}"
    return Row(f"guards removed from {name}", result, [] if is_enough else [guards])


STRESS = (guards,)
