"""Files are whole or untouched on disk, and only what may be read is read."""

import builtins
import errno
import os
from pathlib import Path

import pytest

from qdigits.errors import ConfigError, ModelFileError, QDigitsError
from qdigits.files import locked, new_file, new_folder, read_file, resolve, write_atomically


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_alone(tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "m.pth"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(QDigitsError, match=r"m\.pth.*No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    (tmp_path / ".m.pth.123.tmp").write_bytes(b"half")
    (tmp_path / ".other.pth.123.tmp").write_bytes(b"another's")
    write_atomically(tmp_path / "m.pth", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.pth.123.tmp", "m.pth"]


@pytest.mark.parametrize("folder", ["nowhere", "/proc"])
def test_a_folder_that_cannot_hold_a_file_is_named(tmp_path, folder):
    path = tmp_path / folder / "m.pth"
    with pytest.raises(QDigitsError, match=str(path)):
        write_atomically(path, b"new")
    with pytest.raises(QDigitsError, match=f"{path}: cannot be written"):
        new_file(path, "xb")
    with pytest.raises(ModelFileError, match=rf"{path}: cannot be read \(No such file"):
        read_file(path, 10, ModelFileError)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "run", Path("/proc/run"), tmp_path / ("x" * 300)):
        with pytest.raises(QDigitsError, match=f"{path}: cannot be made"):
            new_folder(path)


def test_a_new_file_never_overwrites(tmp_path):
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(ConfigError, match="is there already"):
        new_file(tmp_path / "table.csv", "x")
    assert (tmp_path / "table.csv").read_text() == "old"


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    held_twice = pytest.raises(ConfigError, match="in use by another process")
    with locked(tmp_path), held_twice, locked(tmp_path):
        pass
    with locked(tmp_path):  # free again
        pass


def test_without_posix_locks_a_folder_is_held_with_a_warning(tmp_path, monkeypatch, caplog):
    real_import = builtins.__import__

    def import_without_fcntl(name, *args, **kwargs):
        if name == "fcntl":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_without_fcntl)
    with locked(tmp_path):
        assert "no file locks" in caplog.text


def test_missing_and_forbidden_models_are_refused_in_the_same_words(tmp_path, monkeypatch):
    inside = tmp_path / "in"
    outside = tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "m.pth").touch()
    (inside / "link.pth").symlink_to(outside / "m.pth")
    (inside / "loop.pth").symlink_to("loop.pth")

    def refusal(path: Path) -> str:
        with pytest.raises(ModelFileError) as caught:
            resolve(path, inside)
        return str(caught.value).replace(str(path), "PATH")

    missing = refusal(inside / "nowhere.pth")
    assert refusal(outside / "m.pth") == missing
    assert refusal(outside / "nowhere.pth") == missing
    assert refusal(inside / "../out/m.pth") == missing
    assert refusal(inside / "link.pth") == missing
    assert refusal(inside / "loop.pth") == missing
    monkeypatch.setenv("QDIGITS_MODEL_ROOT", str(inside))
    with pytest.raises(ModelFileError):
        resolve(outside / "m.pth")


def test_a_model_is_found_inside_the_root_and_without_one(tmp_path):
    (tmp_path / "m.pth").touch()
    assert resolve(tmp_path / "m.pth") == tmp_path / "m.pth"
    assert resolve(tmp_path / "m.pth", tmp_path) == tmp_path / "m.pth"


@pytest.mark.parametrize("name", ["mnist_model", "mnist_small", "mnist_mlp"])
def test_every_bundled_model_has_its_onnx_twin(name):
    assert resolve(f"{name}.pth").exists()
    assert resolve(f"{name}.onnx").exists()
