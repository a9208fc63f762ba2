"""The package has floors: a folder imports only folders below it.

cli                           the command
app  output                   the page; what the command writes
batch                         many files in, one result each out
predictor  training           photo to answer; sample to weights
reading  evaluation           a page to numbers; what a model was measured to do
models  data                  networks and their files; labelled digits
imaging  augment              any input to a tile; what training draws
files  safe_pickle  device    reading and writing without surprises
bounded_process               a library at work on a stranger's file, within bounds
parallel_map                  a map over items, with several threads or processes
errors                        everything a user can cause
"""

import importlib
import re
import subprocess
import sys

import pytest

import qdigits
from tools.import_graph import (
    MODULE_PATHS,
    MODULES,
    ROOT,
    find_circles,
    find_imports,
    find_upward_arrows,
    folder_of,
    read_floors,
)

LIBRARY_FOLDERS = {
    "streamlit": {"app"},
    "matplotlib": {"augment", "evaluation"},
    "PIL": {"augment", "imaging"},
    "cv2": {"app", "augment", "imaging", "reading"},
    "tyro": {"cli"},
    "onnxruntime": {"models"},
    "pooch": {"data"},
    "pyarrow": {"data"},
}
WITHOUT_TORCH = {
    "errors",
    "files",
    "safe_pickle",
    "bounded_process",
    "parallel_map",
    "imaging",
    "reading",
    "predictor",
    "batch",
    "output",
    "cli",
}


def test_every_folder_is_drawn():
    assert {folder_of(module) for module in MODULES} == set(read_floors())


@pytest.mark.parametrize("module", MODULES)
def test_a_folder_imports_only_folders_below_it(module):
    assert not find_upward_arrows(module)


def test_no_imports_run_in_a_circle():
    assert not find_circles()


@pytest.mark.parametrize("module", MODULES)
def test_each_library_is_used_in_its_folders_only(module):
    libraries = {name.split(".")[0] for name in find_imports(module)}
    folder = folder_of(module)
    strangers = {name for name in libraries if folder not in LIBRARY_FOLDERS.get(name, {folder})}
    assert not strangers


@pytest.mark.parametrize("module", [name for name in MODULES if folder_of(name) in WITHOUT_TORCH])
def test_what_reads_does_not_import_torch(module):
    assert "torch" not in {name.split(".")[0] for name in find_imports(module)}


@pytest.mark.parametrize(("folder", "stranger"), [("bench", "tests"), ("tests", "bench")])
def test_benchmarks_and_tests_do_not_import_each_other(folder, stranger):
    imports = re.compile(rf"^\s*(?:from|import) {stranger}\b", re.MULTILINE)
    paths = (ROOT / folder).rglob("*.py")
    assert [path.name for path in paths if imports.search(path.read_text())] == []


def test_no_module_shares_a_name_with_a_public_function():
    assert not {module.rsplit(".")[-1] for module in MODULE_PATHS} & set(qdigits.__all__)


def test_the_public_names_are_these():
    assert qdigits.__all__ == [
        "ConfigError",
        "DataError",
        "ImageError",
        "ModelFileError",
        "Number",
        "Prediction",
        "QDigitsError",
        "Reading",
        "load_model",
        "predict",
        "predict_many",
        "read",
        "test_single_image",
    ]
    importlib.import_module("qdigits.predictor")
    for name in qdigits.__all__:
        assert callable(getattr(qdigits, name)), name
    with pytest.raises(AttributeError):
        _ = qdigits.write


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, qdigits, qdigits.cli; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "cv2", "streamlit"} & set(run.stdout.split())
