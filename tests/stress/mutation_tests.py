"""Guards removed one by one: do the tests notice? A guard that nobody would miss is not one.

    python -m tests.stress.mutation_tests            every guard of the modules below; prints a table
    python -m tests.stress.mutation_tests weights    those of one module

Every `raise` is a guard, and so is every pair under OTHERS. The tests run in a copy, with a bound on memory: without
its guards the program may well be what they are there to prevent.
"""

import ast
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pooch  # noqa: F401
import pytest
import requests  # noqa: F401
import safetensors.torch  # noqa: F401
import torch

torch.set_num_threads(1)
sys.dont_write_bytecode = True

ROOT = Path(__file__).parents[2]
MEMORY, ASLEEP = 8 * 2**30, 120  # bytes, seconds
TESTS = {  # where the tests of a module are, and which of them matter here
    "files": (
        "checkpoint data cli",
        "disk or folder or killed or forbidden or attack or table or draws or failures",
    ),
    "weights": ("checkpoint", ""),
    "checkpoint": ("checkpoint", ""),
    "formats": ("data checkpoint", "lie or damaged or kaggle or attack"),
    "data": ("data", "not download and not kaggle and not lie and not real"),
    "download": ("data", "download or mirror or once or cache or https or survey"),
    "image": ("attacks image", "not page and not same"),
    "engine": ("export", "refused or missing or install"),
    "graph": ("export", "refused"),
}
OTHERS = {
    "files": [
        ("os.fsync(file.fileno())", "pass"),
        ("stale.unlink()", "pass"),
        ("temp.unlink(missing_ok=True)", "pass"),
        ("os.replace(temp, path)", "path.write_bytes(data)"),
        ("path.resolve().is_relative_to", "path.absolute().is_relative_to"),
        ("not 0 < found.st_size", "not found.st_size"),
    ],
    "formats": [
        ("left[: 2**20]", "left"),
        (" or stream.read(1)", ""),
        ("dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8", "pass"),
        ("dispatch[pickle.SETITEMS[0]] = load_setitems", "pass"),
        ("dispatch[pickle.SETITEM[0]] = load_setitem\n", "pass\n"),
        ("del dispatch[_hashing[0]]", "pass"),
        ('"[<>=|][iu][1248]"', '".*"'),
    ],
    "weights": [("parts.pop(", "parts.get(")],
    "checkpoint": [
        ("type(size) is int and ", ""),
        ("<= MAX_DIMENSION", "<= 10**9"),
        ('with torch.device("meta"):', "if True:"),
        ("except Exception as error:  # damage", "except ValueError as error:  # damage"),
        ("if archive.testzip():", "if False:"),
        ("weights_only=True", "weights_only=False"),
        ('write_atomically(path.with_suffix(".pt.prev"), path.read_bytes())', "pass"),
    ],
    "data": [
        ("if path.is_file()", "if path.exists()"),
        ("[!.]*", "*"),
        ('split, seed, to_tile, "train")', 'split, seed, to_tile, "test")'),
        (
            'seed, by_writer=split != "random")\n\n\ndef load_test',
            "seed, by_writer=False)\n\n\ndef load_test",
        ),
    ],
    "download": [
        ("time.monotonic() > end or ", ""),
        (" or file.tell() > LARGEST", ""),
        ('del session.adapters["http://"]', "pass"),
        (", timeout=PATIENCE", ""),
        ("response.raise_for_status()", "pass"),
        ('known = f"md5:{PUBLISHED[name][0]}"', "known = None"),
    ],
    "image": [
        ("formats=FORMATS", "formats=None"),
        ("source.read(MAX_FILE_BYTES + 1)", "source.read()"),
        ("except Exception as error:  # Pillow", "except OSError as error:  # Pillow"),
        ('warnings.simplefilter("ignore")', "pass"),
    ],
    "engine": [
        ("except Exception as error", "except ValueError as error"),
        ("            inspect(data)\n", ""),
        ("[:MAX_DESCRIPTION_BYTES]", ""),
    ],
    "graph": [
        ("next(parts)", "pass"),
        (" and len(digits) < 10", ""),
        ("(FAR if", "(np.inf if"),
        ("made[0] != BATCH or ", ""),
        ("min(made) < 1 or ", ""),
        ("numbers > BATCH * NUMBERS or ", ""),
        (" or steps > BATCH * STEPS", ""),
        (" if len(others) < 3:", ":"),
        ('told[b"auto_pad"] != b"NOTSET" or ', ""),
        ('told.get(b"ceil_mode") or ', ""),
        (" or max(pads + strides + spread) > FAR", ""),
        (' if not told.get(b"transA"):', ":"),
        ("others), (output,) =", "others), (output, *_) ="),
    ],
}


def removed(module: str) -> Iterator[tuple[str, str]]:
    """The module's text with one guard less, again and again, and what that guard was."""
    text = (ROOT / f"qdigits/{module}.py").read_text()
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Raise) and node.exc:
            gap = " " * node.col_offset + "pass\n"
            without = [*lines[: node.lineno - 1], gap, *lines[node.end_lineno :]]
            yield f"{module}:{node.lineno} {ast.unparse(node)[:70]}", "".join(without)
    for old, new in OTHERS.get(module, []):
        assert old in text, f"{module}: {old} is no longer there"
        yield f"{module} {old.strip()[:70]}", text.replace(old, new)


def noticed(copy: Path, module: str, text: str, most: int = 600) -> tuple[bool, int]:
    """Whether the tests fail, crash or take more than so many seconds of work without the guard; and how many."""
    path = copy / f"qdigits/{module}.py"
    good = path.read_text()
    path.write_text(text)
    try:
        if (child := os.fork()) == 0:  # torch is there already, qdigits is not
            os.chdir(copy)
            sys.path[0] = str(copy)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (most, most))
            signal.alarm(ASLEEP + 4 * most)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            names, words = TESTS[module]
            tests = [f"tests/test_{name}.py" for name in names.split()]
            os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", words, *tests]))
        _, status, used = os.wait4(child, 0)
        return status != 0, round(used.ru_utime + used.ru_stime)
    finally:
        path.write_text(good)


def main() -> int:
    missed = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "runs", "__pycache__"))
        for module in sys.argv[1:] or TESTS:
            failed, seconds = noticed(copy, module, (copy / f"qdigits/{module}.py").read_text())
            if failed:
                print(f"the tests of {module} fail as it is")
                return 1
            for guard, text in removed(module):
                tried += 1
                if not noticed(copy, module, text, 2 * seconds + 5)[0]:
                    missed += 1
                    print(f"not missed: {guard}", flush=True)
            print(
                f"| guards removed, up to {module}.py | the tests notice {tried - missed} of {tried} |",
                flush=True,
            )
    return int(missed > tried / 20)


if __name__ == "__main__":
    sys.exit(main())
