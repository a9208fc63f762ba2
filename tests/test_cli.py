"""The command, mostly in this process: what it prints, where, and how it ends."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from qdigits import __version__, load_model, read
from qdigits.batch import terminal_art
from qdigits.cli import VERBS, describe, main
from qdigits.files import inert_cell
from qdigits.models.checkpoint import save_model
from qdigits.models.registry import build
from qdigits.output import name_in_folder
from qdigits.training.recipes import PAGE_RECIPES, PURPOSES, RECIPES

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
ONNX_MODEL = str(ROOT / "weights" / "mnist_small.onnx")  # a process of its own need not load torch


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network that has learned nothing, but is sure of something."""
    torch.manual_seed(0)
    network = build("mlp")
    network.temperature.fill_(0.01)
    path = tmp_path_factory.mktemp("models") / "untrained.pth"
    save_model(network, path, {"architecture": "mlp"})
    return path


@pytest.fixture
def pictures(tmp_path):
    """A folder of three tiles, one file that is no picture, and what nobody asks for."""
    folder = tmp_path / "pictures"
    (folder / "deeper").mkdir(parents=True)
    for index, name in enumerate(["a.png", "b.png", "deeper/c.jpg"]):
        tile = np.zeros((28, 28), np.uint8)
        cv2.line(tile, (14, 4), (10 + 4 * index, 24), 255, 3)
        cv2.imwrite(str(folder / name), tile)
    (folder / "broken.png").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("not asked for")
    (folder / "._a.png").write_bytes(b"what a Mac leaves on every stick")
    (folder / "scans.png").mkdir()
    return folder


def run(capsys, *arguments):
    """(exit code, lines of stdout, stderr)"""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_read_prints_file_text_and_confidence(capsys, model, pictures):
    code, out, err = run(capsys, "read", pictures / "a.png", "--model", model)
    assert (code, err) == (0, "")
    file, text, confidence = out[0].split("\t")
    reading = read(load_model(model), pictures / "a.png")
    assert (file, text, float(confidence)) == (
        str(pictures / "a.png"),
        reading.text,
        pytest.approx(1, abs=0.5),
    )


def test_one_bad_file_does_not_stop_the_rest(capsys, model, pictures):
    code, out, err = run(capsys, "read", pictures, "--model", model)
    assert code == 1
    good = [str(pictures / name) for name in ("a.png", "b.png", "deeper/c.jpg")]
    assert [line.split("\t")[0] for line in out] == good
    complaint, note = err.splitlines()
    assert "broken.png: not a picture" in complaint
    assert note.endswith("1 file holds no picture, not read: " + str(pictures / "notes.txt"))


def test_json_says_everything_a_line_a_file(capsys, model, pictures):
    code, out, _ = run(capsys, "read", pictures, "--json", "--model", model)
    records = [json.loads(line) for line in out]
    assert code == 1
    assert ["error" in record for record in records] == [False, False, True, False]
    assert set(records[0]) >= {
        "file",
        "text",
        "confidence",
        "accepted",
        "numbers",
        "digits",
        "unread",
        "turned",
    }
    assert set(records[0]["digits"][0]) >= {
        "digit",
        "confidence",
        "accepted",
        "box",
        "probabilities",
    }


def test_a_table_is_never_written_over(capsys, model, pictures, tmp_path):
    table = tmp_path / "table.csv"
    assert run(capsys, "read", pictures, "--csv", table, "--model", model)[:2] == (1, [])
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.png", "broken.png", "c.jpg"]
    assert [bool(row["error"]) for row in rows] == [False, False, True, False]
    before = table.read_bytes()
    code, _, err = run(capsys, "read", pictures, "--csv", table, "--model", model)
    assert (code, table.read_bytes()) == (2, before)
    assert "there already" in err


def test_annotate_draws_on_one_picture(capsys, model, tmp_path):
    found = tmp_path / "found.png"
    assert run(capsys, "read", EXAMPLES / "year.jpg", "--annotate", found, "--model", model)[0] == 0
    before, after = cv2.imread(str(EXAMPLES / "year.jpg")), cv2.imread(str(found))
    assert before.shape == after.shape
    assert (before != after).any()
    assert (
        run(capsys, "read", EXAMPLES, "--annotate", tmp_path / "two.png", "--model", model)[0] == 2
    )
    assert not (tmp_path / "two.png").exists()


def test_annotate_draws_into_a_folder_and_takes_the_format_from_the_suffix(
    capsys, model, pictures, tmp_path
):
    folder = tmp_path / "marked"
    assert run(capsys, "read", pictures, "--annotate", folder, "--model", model)[0] == 1
    drawn = {str(path.relative_to(folder)) for path in folder.rglob("*.png")}
    assert drawn == {"a.png", "b.png", "deeper/c.jpg.png"}
    found = tmp_path / "found.jpg"
    assert run(capsys, "read", pictures / "a.png", "--annotate", found, "-m", model)[0] == 0
    assert found.read_bytes().startswith(b"\xff\xd8")
    assert run(capsys, "read", pictures / "a.png", "--annotate", found, "-m", model)[0] == 2


def test_no_name_in_an_archive_leads_out_of_the_folder():
    for name in ("photos.zip#../../out.png", "photos.zip#/etc/out.png", "../up.zip#..#a.png"):
        path = Path(name_in_folder(name, os.getcwd(), ".png"))
        assert not path.is_absolute()
        assert ".." not in path.parts


def test_tables_and_json_go_to_stdout_or_to_a_file_by_its_suffix(capsys, model, pictures, tmp_path):
    _, out, _ = run(capsys, "read", pictures / "a.png", "--csv", "-", "-m", model)
    assert out[0] == "file,text,confidence,accepted,error"
    assert len(out) == 2
    for suffix, start in ((".csv", "file,"), (".jsonl", "{"), (".txt", str(pictures))):
        path = tmp_path / f"out{suffix}"
        assert run(capsys, "read", pictures / "a.png", "-o", path, "-m", model)[:2] == (0, [])
        assert path.read_text().startswith(start)
    assert run(capsys, "read", pictures / "a.png", "-o", "out.doc", "-m", model)[0] == 2


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".txt"])
def test_an_interrupted_table_is_gone_on_with_or_replaced(
    capsys, model, pictures, tmp_path, suffix
):
    (pictures / "broken.png").unlink()
    path = tmp_path / f"out{suffix}"
    command = ("read", pictures, "-q", "-m", model, "-o", path)
    assert run(capsys, *command) == (0, [], "")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rfind(b"b.png") + 8])  # interrupted within the second picture
    code, _, err = run(capsys, *command)
    assert code == 2
    assert "--resume" in err
    assert run(capsys, *command, "--resume") == (0, [], "")
    assert path.read_bytes() == whole
    assert run(capsys, *command, "--overwrite") == (0, [], "")
    assert path.read_bytes() == whole
    assert run(capsys, *command, "--overwrite", "--resume")[0] == 2


def test_formulas_and_control_characters_in_names_are_inert(
    capsys, model, pictures, tmp_path, monkeypatch
):
    odd = "=1+1\n\x1b[31m.png"
    (pictures / odd).write_bytes((pictures / "a.png").read_bytes())
    (pictures / "=2.png").write_bytes(b"broken")
    monkeypatch.chdir(pictures)
    table = tmp_path / "t.csv"
    run(capsys, "read", odd, "=2.png", "--csv", table, "--model", model)
    names = [row["file"] for row in csv.DictReader(table.open(newline=""))]
    assert names == ["'=1+1\\n\\x1b[31m.png", "'=2.png"]
    _, out, _ = run(capsys, "read", odd, "--model", model)
    assert out[0].startswith("=1+1\\n\\x1b[31m.png\t")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1", "'=1"),
        ("@a", "'@a"),
        ("-1+2", "'-1+2"),
        ("-37", "-37"),
        ("-37?", "-37?"),
        ("-37 / 12", "'-37 / 12"),
        ("-3 1/2", "-3 1/2"),
        ("+4,5", "+4,5"),
        ("-.5", "-.5"),
        ("7", "7"),
    ],
)
def test_cells_that_are_numbers_stay_as_they_are(cell, written):
    assert inert_cell(cell) == written


def test_standard_input_is_read_no_further_than_a_picture_may_be_long():
    command = [sys.executable, "-m", "qdigits", "read", "-", "--model", ONNX_MODEL]
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(command, stdin=endless, capture_output=True, text=True)
    assert done.returncode == 1
    assert "picture of 100000001 bytes" in done.stderr


def test_pages_frames_and_archives_are_read_one_by_one(capsys, model, pictures):
    tile = Image.open(pictures / "a.png")
    tile.save(pictures / "pages.tif", save_all=True, append_images=[tile, tile])
    with zipfile.ZipFile(pictures / "photos.zip", "w") as archive:
        archive.write(pictures / "a.png", "in/a.png")
        archive.write(pictures / "pages.tif", "pages.tif")
        archive.writestr("notes.txt", "not asked for")
    names = ("pages.tif", "photos.zip")
    code, out, err = run(
        capsys, "read", *(pictures / name for name in names), "--model", model, "-j", 2
    )
    assert code == 0
    parts = [line.split("\t")[0].removeprefix(f"{pictures}/") for line in out]
    assert parts == [
        *(f"pages.tif#{page}" for page in (1, 2, 3)),
        "photos.zip#in/a.png",
        *(f"photos.zip#pages.tif#{page}" for page in (1, 2, 3)),
    ]
    assert "photos.zip#notes.txt" in err
    one = run(capsys, "read", pictures / "photos.zip#pages.tif#2", "--model", model)
    assert one[1][0].split("\t")[1:] == out[5].split("\t")[1:]


def test_an_unread_kind_of_picture_in_a_folder_is_complained_about(capsys, model, pictures):
    (pictures / "raw.cr2").write_bytes(b"no picture that is read")
    (pictures / "scan").write_bytes((pictures / "a.png").read_bytes())  # no suffix, but a picture
    code, out, err = run(capsys, "read", pictures, "--model", model)
    assert code == 1
    assert "raw.cr2: not a picture that is read here; give one of PNG" in err
    assert str(pictures / "scan") in "\n".join(out)


def test_quiet_and_verbose(capsys, model, pictures):
    assert "notes.txt" not in run(capsys, "read", pictures, "-q", "--model", model)[2]
    command = [sys.executable, "-m", "qdigits", "read", pictures / "a.png", "-v", "-m", ONNX_MODEL]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "qdigits: loading" in done.stderr
    assert "loading" not in done.stdout


def test_the_page_ends_with_its_command(tmp_path):
    """A stand-in for Streamlit tells its process, which has to be the command's own."""
    package = tmp_path / "streamlit"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)"
    )
    paths = os.pathsep.join([str(tmp_path), os.getcwd()])
    command = [sys.executable, "-m", "qdigits", "app", "--port", "8777"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as app:
        assert int(app.stdout.readline()) == app.pid
        app.terminate()
        assert app.wait(60) == -signal.SIGTERM


def test_show_prints_the_tile_that_the_network_saw(capsys, model, pictures):
    _, out, _ = run(capsys, "read", pictures / "a.png", "--show", "--model", model)
    assert len(out) == 15
    assert "█" in "".join(out[1:])
    eye = terminal_art(np.eye(28, dtype=np.uint8) * 255).splitlines()
    assert (eye[0][:2], eye[13][26:]) == ("▀▄", "▀▄")


def test_a_picture_may_come_by_pipe(pictures):
    command = [sys.executable, "-m", "qdigits", "read", "-", "--model", ONNX_MODEL]
    with (pictures / "a.png").open("rb") as picture:
        done = subprocess.run(command, stdin=picture, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("-\t")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["read"], 2, "nothing to read"),
        (["read", "absent.png"], 1, "absent.png"),
        (["read", "--model", "absent.pth", "x.png"], 1, "no such model"),
        (["read", "--colour", "x.png"], 2, "--colour"),
        (["read", "--json", "--show", "."], 2, "choose one"),
        (["train", "nonsense"], 2, "nonsense"),
        (["train", "baseline", "--data", "sample", "--device", "meta"], 2, "not available"),
        (["train", "baseline", "--epochs", "0"], 2, "epochs"),
        (["train", "baseline", "--optimizer", "best"], 2, "optimizer"),
        (["data", "nonsense"], 2, "choose one of"),
        (["data", "--fetch"], 2, "which source"),
        (["data", "mnist", "--fetch", "--data-dir", "."], 2, "one of the two"),
        (["evaluate", "absent.pth"], 1, "no such model"),
        (["export", "absent.pth", "x.onnx"], 1, "no such model"),
        (["app", "--port", "70000"], 2, "--port"),
        (["nonsense"], 2, "nonsense"),
        ([], 2, ""),
    ],
)
def test_failures_have_a_code_and_a_reason(
    capsys, model, monkeypatch, tmp_path, arguments, code, words
):
    monkeypatch.chdir(tmp_path)
    if arguments[:1] == ["read"] and "--model" not in arguments:
        arguments = [*arguments, "--model", str(model)]
    got, out, err = run(capsys, *arguments)
    assert (got, out) == (code, [])
    assert words in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_file_names_are_bytes(capsys, model, pictures, tmp_path):
    odd = os.fsdecode(b"\xe9\x80.png")
    (pictures / odd).write_bytes((pictures / "a.png").read_bytes())
    assert run(capsys, "read", "--model", model, "--csv", tmp_path / "t.csv", pictures)[0] == 1
    assert b"\xe9\x80.png" in (tmp_path / "t.csv").read_bytes()
    command = [sys.executable, "-m", "qdigits", "read", "--model", ONNX_MODEL, pictures / odd]
    assert b"\xe9\x80.png\t" in subprocess.run(command, capture_output=True).stdout


def test_a_reader_that_has_seen_enough_is_no_error():
    done = subprocess.run(
        [f"{sys.executable} -m qdigits data sample | true"], shell=True, capture_output=True
    )
    assert done.stderr == b""


def test_export_writes_a_new_file_only(capsys, model, tmp_path):
    out = tmp_path / "model.safetensors"
    assert run(capsys, "export", model, out) == (0, [], "")
    assert load_model(out).card == {"architecture": "mlp"}
    code, _, err = run(capsys, "export", model, out)
    assert code == 2
    assert "there already" in err


@pytest.mark.parametrize("verb", [None, *VERBS, "train baseline"])
def test_help_is_on_stdout(capsys, verb):
    code, out, err = run(capsys, *(verb or "").split(), "--help")
    assert (code, err) == (0, "")
    assert out[0].startswith("usage: qdigits")


def test_every_command_has_a_purpose_and_examples(capsys):
    _, overview, _ = run(capsys, "--help")
    for verb, function in VERBS.items():
        _, out, _ = run(capsys, verb, "--help")
        text = "\n".join(out)
        assert "Examples:" in text
        assert f"$ qdigits {verb}" in text or f"| qdigits {verb}" in text
        assert any(line.split()[:1] == [verb] for line in overview if line.startswith("  "))
        assert not re.search(r"\(default: (None|False|)\)|\{None\}", text), text
        assert describe(function).splitlines()[0].endswith(".")
    assert "--version" in "\n".join(overview)


def test_every_recipe_says_what_it_is_for():
    assert PURPOSES.keys() == {**RECIPES, **PAGE_RECIPES}.keys()


def test_help_is_quick_and_loads_nothing_heavy():
    code = """
import sys
from qdigits.cli import main
try: main(["train", "baseline", "--help"])
finally: print({"torch", "streamlit", "matplotlib", "cv2"} & set(sys.modules), file=sys.stderr)
"""
    before = os.times()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = os.times()
    assert done.stderr.strip() == "set()"
    busy = (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
    assert busy < 0.8  # seconds of processor, however busy the machine: 0.2 measured


def test_version_and_module_agree(capsys):
    assert run(capsys, "--version") == (0, [f"qdigits {__version__}"], "")
    command = [sys.executable, "-m", "qdigits", "--version"]
    assert (
        subprocess.run(command, capture_output=True, text=True).stdout == f"qdigits {__version__}\n"
    )


def test_the_sample_is_trained_on_and_measured(capsys, tmp_path, monkeypatch):
    """The whole way on real digits and no network: data, train, evaluate, read."""
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "train", "baseline", "--data", "mnist", "--data-dir", ".")
    assert code == 1
    assert (
        "--data sample" in err
    )  # how to go on; and a training that found no data is not in the way:
    code, out, err = run(capsys, "train", "baseline", "--data", "sample", "--epochs", "2")
    assert "qdigits evaluate runs/baseline/last.pth --data sample" in err
    best = Path("runs/baseline/best.pth")
    assert (code, best.exists(), Path("runs/baseline/curves.png").exists()) == (0, True, True)
    assert out[0].startswith(str(best))
    assert (
        run(capsys, "train", "baseline", "--data", "sample", "--epochs", "2")[0] == 2
    )  # nothing is overwritten
    Path("taken").touch()
    code, _, err = run(capsys, "evaluate", best, "--data", "sample", "--out", "taken")
    assert (code, err) == (1, "qdigits: taken: cannot be made (File exists)\n")
    code, out, _ = run(capsys, "evaluate", best, "--data", "sample", "--out", "report")
    assert code == 0
    assert out[0].startswith("best on sample test: ")
    assert "right (95 % interval" in out[0]
    assert {path.name for path in Path("report").iterdir()} == {
        "report.json",
        "confusion.png",
        "reliability.png",
        "mistakes.png",
    }
    _, out, _ = run(capsys, "data", "sample")
    assert out[1].split("\t") == ["sample", "all", "5000", "-", "-", *["500"] * 10]


def test_data_counts_what_lies_in_a_folder(capsys, mnist):
    code, out, _ = run(capsys, "data", "mnist", "--data-dir", mnist)
    assert code == 0
    assert [line.split("\t")[1:5] for line in out[1:]] == [
        ["train", "60000", "right", "539"],
        ["test", "10000", "right", "297"],
    ]
    code, out, _ = run(capsys, "data", "qmnist", "--data-dir", mnist)
    assert code == 1
    assert "--data sample" in out[1]


def test_what_is_passed_over_in_a_folder_of_ones_own_is_told(tmp_path):
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
        (tmp_path / str(digit) / "a.png").write_bytes((ROOT / "examples/seven.png").read_bytes())
    (tmp_path / "3" / "Thumbs.db").write_bytes(bytes(64))
    command = [sys.executable, "-m", "qdigits", "data", "folder", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "no picture: 3/Thumbs.db; passed over" in done.stderr
