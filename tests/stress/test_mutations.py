"""Mutants of the guards are made from any source: the quick part of `make stress ONLY=guards`."""

import ast

import pytest

from tests.stress import mutations
from tests.stress.support import ROOT

SOURCE = '''
def read(path, limit):
    """Read a file."""
    if limit < 1 or path is None:
        raise ValueError("no limit")
    try:
        data = open(path, "rb").read(limit)[:MAX]
        check(data)
    except Exception as error:
        raise OSError from error
    return parse(data, strict=True, timeout=TIMEOUT, name="x")
'''
REMOVED = {
    "raise ValueError('no limit')",
    "raise OSError from error",
    "check(data)",
    "limit < 1",
    "path is None",
    "read(limit)",
    "[:MAX]",
    "except Exception",
    "strict=True",
    "timeout=TIMEOUT",
}


def test_every_kind_of_guard_is_removed_once():
    guards = [mutant.guard for mutant in mutations.list_mutants("m.py", SOURCE)]
    assert {guard.partition(" ")[2] for guard in guards} == REMOVED
    assert len(guards) == len(REMOVED)


def test_each_mutant_differs_from_the_source_in_one_place():
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in mutations.list_mutants("m.py", SOURCE):
        changed = [line for line in mutant.source.splitlines() if line not in original]
        assert len(changed) == 1, mutant


@pytest.mark.parametrize("name", mutations.GUARDED)
def test_guarded_modules_and_their_tests_exist(name):
    assert (ROOT / "qdigits" / name).exists()
    for path in mutations.GUARDED[name].paths.split():
        assert (ROOT / path).exists()


def test_row_is_wrong_when_removed_raises_are_not_missed():
    mutants = [mutations.Mutant(f"m.py:{line} raise", "", True) for line in range(10)]
    assert not mutations.make_row("m.py", mutants, []).wrong
    assert mutations.make_row("m.py", mutants, mutants[:1]).wrong
