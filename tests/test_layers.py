"""The shape of the house. A folder imports only folders below it:

cli                           the command
app  batch                    the page; many files in, one row each out
predictor  training           photo to answer; sample to weights
reading  evaluation           a page to numbers; what a model was measured to do
models  data                  networks and their files; labelled digits
imaging  augment              any input to a tile; what training draws
files  safe_pickle  device    reading and writing without surprises
errors                        everything a user can cause
"""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import qdigits

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qdigits"
DRAWING = [line[:34].split() for line in __doc__.splitlines() if line.startswith("    ")]
LEVEL = {name: -floor for floor, names in enumerate(DRAWING) for name in names}

ROOMS = {
    "streamlit": {"app"},
    "matplotlib": {"augment", "evaluation"},
    "PIL": {"augment", "imaging"},
    "cv2": {"app", "augment", "imaging", "reading"},
    "tyro": {"cli"},
    "onnxruntime": {"models", "reading"},
    "pooch": {"data"},
}
WITHOUT_TORCH = {
    "errors",
    "files",
    "safe_pickle",
    "imaging",
    "reading",
    "predictor",
    "batch",
    "cli",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
ENTRIES = {"qdigits", "qdigits.__main__"}  # they only pass on


def room(module: str) -> str:
    """The folder of a module, or the module itself where it lies at the top of the package."""
    return module.split(".")[1] if "." in module else module


def imports(module: str, at_top: bool = False) -> set[str]:
    """Every module that a file imports, lazily or not; with at_top only those loaded with it."""
    tree = ast.parse(MODULES[module].read_text())
    found: set[str] = set()
    for node in tree.body if at_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: name the module whole, as in qdigits.files"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & set(MODULES)) or {str(node.module)}
    return found


def own_imports(module: str) -> set[str]:
    return imports(module) & (set(MODULES) - ENTRIES)


def test_every_folder_is_drawn():
    assert {room(module) for module in set(MODULES) - ENTRIES} == set(LEVEL)


@pytest.mark.parametrize("module", sorted(set(MODULES) - ENTRIES))
def test_a_folder_imports_only_folders_below_it(module):
    own = room(module)
    upwards = {
        to for to in own_imports(module) if room(to) != own and LEVEL[room(to)] >= LEVEL[own]
    }
    assert not upwards, f"{module} may not import {upwards}"


def test_no_imports_run_in_a_circle():
    arrows = {module: own_imports(module) for module in set(MODULES) - ENTRIES}
    while leaves := {module for module, targets in arrows.items() if not targets & set(arrows)}:
        arrows = {module: targets for module, targets in arrows.items() if module not in leaves}
    assert not arrows


@pytest.mark.parametrize("module", sorted(set(MODULES) - ENTRIES))
def test_each_library_is_used_in_its_folders_only(module):
    libraries = {name.split(".")[0] for name in imports(module)}
    wrong = {
        library for library in libraries if room(module) not in ROOMS.get(library, {room(module)})
    }
    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if room(name) in WITHOUT_TORCH))
def test_what_reads_does_without_torch(module):
    assert "torch" not in {name.split(".")[0] for name in imports(module)}


def test_no_module_shares_a_name_with_a_public_function():
    assert not {module.rsplit(".")[-1] for module in MODULES} & set(qdigits.__all__)


def test_the_public_names_are_these():
    assert qdigits.__all__ == [
        "ConfigError",
        "DataError",
        "ImageError",
        "ModelFileError",
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
    code = "import sys, qdigits, qdigits.cli; print(*{'torch', 'numpy', 'cv2', 'streamlit'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
        == []
    )
