"""Which module of the package imports which, and whether every arrow points to a folder below.

The order of the folders is drawn in the docstring of tests/test_layers.py, the top floor first.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qdigits"
DRAWING = ROOT / "tests" / "test_layers.py"
EXPLANATION_COLUMN = 30  # of the drawing: to the left of it stand the folders of a floor


def name_module(path: Path) -> str:
    """Return the dotted name under which a file of the package is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULE_PATHS = {name_module(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = sorted(set(MODULE_PATHS) - {"qdigits", "qdigits.__main__"})  # those two only pass on


def folder_of(module: str) -> str:
    """Return the folder of a module, or the module itself where it lies at the top."""
    return module.split(".")[1] if "." in module else module


def read_floors() -> dict[str, int]:
    """Return the floor of every folder, 0 for the lowest, as the drawing has it."""
    docstring = ast.get_docstring(ast.parse(DRAWING.read_text())) or ""
    _, *drawn = docstring.splitlines()
    floors = [line[:EXPLANATION_COLUMN].split() for line in drawn if line]
    return {folder: height for height, floor in enumerate(reversed(floors)) for folder in floor}


def find_imports(module: str) -> set[str]:
    """Return every module that a file of the package imports, at its top or inside a function.

    Raises:
        ValueError: An import is relative.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULE_PATHS[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{module}: write the module's full name, as in qdigits.files")
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (submodules & set(MODULE_PATHS)) or {str(node.module)}
    return found


def find_own_imports(module: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    return find_imports(module) & set(MODULES)


def find_upward_arrows(module: str) -> set[str]:
    """Return the imported modules that lie in another folder which is not below the module's."""
    floors = read_floors()
    own = folder_of(module)
    return {
        target
        for target in find_own_imports(module)
        if folder_of(target) != own and floors[folder_of(target)] >= floors[own]
    }


def find_circles() -> set[str]:
    """Return the modules whose imports lead into a circle."""
    arrows = {module: find_own_imports(module) for module in MODULES}
    while leaves := {module for module, targets in arrows.items() if not targets & set(arrows)}:
        arrows = {module: targets for module, targets in arrows.items() if module not in leaves}
    return set(arrows)
