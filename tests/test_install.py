"""Reading needs only what `pip install qdigits` brings, on any system."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXTRAS = {"torch", "safetensors", "onnx", "onnxscript", "pooch", "matplotlib", "mlxtend"}
EXTRAS |= {"streamlit", "pandas", "scipy", "sklearn"}
POSIX_ONLY = {"fcntl", "grp", "pwd", "resource", "termios"}

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

for name in {blocked!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Blocker())
"""
WITHOUT_TORCH = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: (
    None if name in {blocked!r} else find_spec(name, *more)
)
"""


def run_without(blocked: set[str], code: str) -> subprocess.CompletedProcess:
    """Run code where some modules are not installed."""
    preamble = WITHOUT_TORCH.format(blocked=blocked) + BLOCK.format(blocked=blocked)
    command = [sys.executable, "-c", preamble + code]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_the_bundled_pth_is_read_through_its_twin_without_torch():
    done = run_without(
        EXTRAS,
        "import qdigits\n"
        "model = qdigits.load_model('mnist_model.pth')\n"
        "print(type(model).__name__, qdigits.read(model, 'examples/year.jpg').text)\n",
    )
    assert done.stdout.split() == ["OnnxModel", "2026"], done.stderr


def test_a_pth_file_of_ones_own_says_what_to_install(tmp_path):
    shutil.copy(ROOT / "weights" / "mnist_small.pth", tmp_path / "mine.pth")
    shutil.copy(ROOT / "weights" / "mnist_model.onnx", tmp_path / "mine.onnx")  # of another model
    done = run_without(
        EXTRAS,
        "import qdigits\n"
        f"try: qdigits.load_model({str(tmp_path / 'mine.pth')!r})\n"
        "except qdigits.ModelFileError as error: print(error)\n",
    )
    assert "pip install 'qdigits[train]'" in done.stdout, done.stderr


def test_the_command_reads_without_the_extras():
    done = run_without(
        EXTRAS, "from qdigits.cli import main\nmain(['read', 'examples/year.jpg'])\n"
    )
    assert "2026" in done.stdout, done.stderr


def test_reading_a_tile_loads_nothing_that_it_does_not_use():
    unused = ["typeguard", "unittest", "tqdm", "PIL.ImageDraw", "qdigits.training"]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from qdigits.cli import main\n"
            "main(['read', 'examples/seven.png'])\n"
            f"print(*(name for name in {unused} if name in sys.modules))\n",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.split()[1] == "7", done.stderr
    assert done.stdout.splitlines()[1] == ""


def test_commands_that_need_torch_say_what_to_install():
    commands = [
        ["train", "baseline"],
        ["evaluate"],
        ["data"],
        ["export", "mnist_model.pth", "a.onnx"],
    ]
    done = run_without(
        EXTRAS, f"from qdigits.cli import main\nfor words in {commands}: print(main(words))\n"
    )
    assert done.stdout.split() == ["2"] * 4, done.stderr
    assert done.stderr.count("pip install 'qdigits[train]'") == 4


def test_every_module_of_the_reading_path_imports_without_posix_modules():
    done = run_without(
        EXTRAS | POSIX_ONLY,
        "import qdigits, qdigits.cli, qdigits.batch, qdigits.files, qdigits.predictor\n"
        "import qdigits.models.onnx_model, qdigits.models.onnx_page_net\n"
        "print(qdigits.read(qdigits.load_model(), 'examples/year.jpg').text)\n",
    )
    assert done.stdout.split() == ["2026"], done.stderr


def test_training_imports_without_posix_modules():
    done = run_without(
        POSIX_ONLY,
        "import qdigits.training.trainer, qdigits.training.finetune, qdigits.models.export\n"
        "import qdigits.evaluation.evaluate, qdigits.data.download\n"
        "print('imported')\n",
    )
    assert done.stdout.split() == ["imported"], done.stderr


def test_the_base_install_names_no_library_of_an_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert base.isdisjoint(EXTRAS)
    assert "onnxruntime" in base
