"""The shape of the house: arrows point down, each library has its room, no file grows out of hand."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import qdigits

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qdigits"
FILES = {path.stem: path for path in [*PACKAGE.glob("*.py"), ROOT / "app.py"] if path.exists()}

LAYERS = [
    {"config", "errors", "files"},
    {"image", "segment", "models", "augment", "data", "distributed", "engine"},
    {"checkpoint", "evaluate", "calibrate"},
    {"read", "train", "plots", "export"},
    {"app", "cli", "__init__", "__main__"},
]
HELPERS = {  # files split off for length: in the layer of those they serve, and known to them alone
    "cli": {"__main__"}, "batch": {"cli"},
    "pad": {"app"}, "panels": {"app"}, "show": {"app", "panels"}, "adapt": {"panels"},
    "optim": {"train"}, "batches": {"train"}, "negatives": {"batches", "calibrate"}, "forms": {"batches", "negatives"},
    "alphabets": {"negatives"}, "canvas": {"augment", "negatives", "forms"}, "ink": {"image", "segment"},
    "graph": {"engine", "export"},
    "weights": {"checkpoint"}, "formats": {"data", "weights"}, "download": {"data"}, "errors": {"config", "files"},
}  # fmt: skip
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
for helper, users in HELPERS.items():
    LEVEL.setdefault(helper, min(LEVEL[user] for user in users))

ROOMS = {
    "streamlit": {"app", "pad", "panels"},
    "matplotlib": {"alphabets", "plots"},
    "PIL": {"alphabets", "image", "segment"},
    "cv2": {"image", "ink", "segment", "show"},
    "tyro": {"cli"},
    "onnxruntime": {"engine"},
    "pooch": {"download"},
}
MOST = 4350  # lines of package; 2,000 were wished for, so whoever adds must take away
WITHOUT_TORCH = {"__init__", "__main__", "cli", "config", "errors", "image", "ink", "segment", "engine", "graph"}
TORCH_WHEN_CALLED = {"app", "pad", "read"}


def imports(name: str, at_top: bool = False) -> set[str]:
    """Every module that a file imports, lazily or not; the package's own begin with a dot."""
    tree = ast.parse(FILES[name].read_text())
    nodes = tree.body if at_top else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {"." * node.level + str(module) for module in modules}
    return {"." + name.removeprefix("qdigits.") if name.startswith("qdigits.") else name for name in found}


def test_every_file_has_a_layer():
    assert set(FILES) <= set(LEVEL)


@pytest.mark.parametrize("name", sorted(FILES))
def test_arrows_point_down(name):
    targets = {module[1:].split(".")[0] for module in imports(name) if module.startswith(".")} & set(LEVEL)
    wrong = {to for to in targets if LEVEL[to] >= LEVEL[name] and name not in HELPERS.get(to, ())}
    assert not wrong, f"{name} may not import {wrong}"


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_library_has_its_room(name):
    libraries = {module.split(".")[0] for module in imports(name)}
    wrong = {library for library in libraries if name not in ROOMS.get(library, {name})}
    assert not wrong, f"{name} may not import {wrong}"
    if name in WITHOUT_TORCH:
        assert "torch" not in libraries
    if name in TORCH_WHEN_CALLED:
        assert "torch" not in imports(name, at_top=True)


def test_no_file_is_long_and_the_package_is_small():
    lines = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: count for name, count in lines.items() if count > 250} == {}
    assert sum(count for name, count in lines.items() if name != "app") < MOST


def test_the_public_surface_is_this_list():
    assert qdigits.__all__ == [
        "ConfigError", "DataError", "ImageError", "ModelFileError", "Prediction", "QDigitsError",
        "Reading", "load_model", "predict", "predict_many", "read", "test_single_image",
    ]  # fmt: skip
    importlib.import_module("qdigits.read")
    for name in qdigits.__all__:
        assert callable(getattr(qdigits, name)), name
    with pytest.raises(AttributeError):
        _ = qdigits.write


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, qdigits, qdigits.cli; print(*{'torch', 'numpy', 'cv2', 'streamlit'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == []
