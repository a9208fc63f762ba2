"""`make size` counts what it says it counts."""

import ast

import pytest

from tools import measure_size

README = """# Title

| model | right |
| --- | --- |
| a | 1 |
| b | 2 |

## What it can't do

| limit | why |
| --- | --- |
| c | 3 |
"""


def test_comments_docstrings_and_empty_lines_are_no_code():
    source = '"""A docstring."""\n\n# a comment\nanswer = 42\n\nprint(answer)\n'
    assert measure_size.count_code(source) == (2, 7)


@pytest.mark.parametrize("source", ["a, b = 1, 2", "a, b = b, c", "(a, b), c = (1, 2), 3"])
def test_two_values_in_one_statement_count_as_a_tuple_assignment(source):
    assert measure_size.is_tuple_assignment(ast.parse(source).body[0])


@pytest.mark.parametrize("source", ["a, b = pair", "a = 1, 2", "a, b = b, a", "a = b = 1"])
def test_unpacking_and_swapping_do_not_count_as_a_tuple_assignment(source):
    assert not measure_size.is_tuple_assignment(ast.parse(source).body[0])


def test_only_table_rows_before_the_limits_are_counted():
    assert measure_size.measure_readme(README) == measure_size.ReadmeSize(lines=12, table_rows=2)


def test_names_are_counted_without_dunders_and_underscores(monkeypatch, tmp_path):
    monkeypatch.setattr(measure_size, "ROOT", tmp_path)
    path = tmp_path / "code.py"
    path.write_text(
        "def _one(): ...\ndef two_words(): ...\nclass A:\n    def __init__(self): ...\n"
    )
    size = measure_size.measure_file(path)
    assert size.named_functions == 2
    assert size.one_word_names == 1
