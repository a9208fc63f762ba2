"""The command, mostly in this process: what it prints, where, and how it ends."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from qdigits import __version__, load_model, read
from qdigits.batch import terminal_art
from qdigits.cli import VERBS, main
from qdigits.models.checkpoint import save_model
from qdigits.models.registry import build

EXAMPLES = Path(__file__).parent.parent / "examples"


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
    assert err.count("\n") == 1
    assert "broken.png: not a picture" in err


def test_json_says_everything_a_line_a_file(capsys, model, pictures):
    code, out, _ = run(capsys, "read", pictures, "--json", "--model", model)
    records = [json.loads(line) for line in out]
    assert code == 1
    assert ["error" in record for record in records] == [False, False, True, False]
    assert set(records[0]) == {"file", "text", "digits"}
    assert set(records[0]["digits"][0]) == {
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


def test_show_prints_the_tile_that_the_network_saw(capsys, model, pictures):
    _, out, _ = run(capsys, "read", pictures / "a.png", "--show", "--model", model)
    assert len(out) == 15
    assert "█" in "".join(out[1:])
    eye = terminal_art(np.eye(28, dtype=np.uint8) * 255).splitlines()
    assert (eye[0][:2], eye[13][26:]) == ("▀▄", "▀▄")


def test_a_picture_may_come_by_pipe(model, pictures):
    command = [sys.executable, "-m", "qdigits", "read", "-", "--model", str(model)]
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
    command = [sys.executable, "-m", "qdigits", "read", "--model", str(model), str(pictures / odd)]
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
    code, out, _ = run(capsys, "train", "baseline", "--data", "sample", "--epochs", "2")
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
