"""A folder that processes read: the same answers, in order, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems read with threads")
EXAMPLES = Path(__file__).parents[1] / "examples"
COMMAND = (sys.executable, "-m", "qdigits", "read")


@pytest.fixture
def folder(tmp_path):
    """A folder of 60 tiles, a moving picture, an archive and a file that is none of them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    tile = cv2.imread(str(EXAMPLES / "seven.png"), cv2.IMREAD_GRAYSCALE)
    for index in range(60):
        shown = tile if index % 3 else np.zeros_like(tile)
        cv2.imwrite(str(folder / f"{index:02}.png"), shown)
    frames = [Image.fromarray(tile), Image.fromarray(np.flip(tile))]
    frames[0].save(folder / "10_moving.gif", save_all=True, append_images=frames[1:])
    with ZipFile(folder / "20_archive.zip", "w") as archive:
        archive.write(EXAMPLES / "seven.png", "a.png")
        archive.write(EXAMPLES / "year.jpg", "b.jpg")
        archive.writestr("notes.txt", "no picture")
    (folder / "30_broken.png").write_bytes(b"none")
    return folder


def is_running(process):
    """Say whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(is_so):
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def reading(tmp_path):
    """The command at work on a folder that takes it long, once it has started two processes."""
    folder = tmp_path / "many"
    folder.mkdir()
    for index in range(3000):
        os.link(EXAMPLES / "year.jpg", folder / f"{index:04}.jpg")
    table = tmp_path / "many.csv"
    command = [*COMMAND, folder, "--csv", table, "--jobs", "2"]
    process = psutil.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: len(process.children()) == 2)
    yield process
    with suppress(psutil.NoSuchProcess):
        process.kill()


def test_processes_answer_as_one_thread_does(folder, tmp_path):
    tables = []
    for jobs in ("1", "2"):
        table = tmp_path / f"{jobs}.csv"
        done = subprocess.run(
            [*COMMAND, folder, "--csv", table, "--jobs", jobs], capture_output=True, text=True
        )
        assert done.returncode == 1
        tables.append((table.read_bytes(), done.stderr))
    assert tables[0] == tables[1]
    rows = tables[0][0].decode().splitlines()
    assert len(rows) == 1 + 60 + 2 + 2 + 1
    assert "notes.txt" in tables[0][1] and "30_broken.png" in tables[0][1]


def test_standard_input_is_read_beside_a_folder(folder):
    picture = (EXAMPLES / "year.jpg").read_bytes()
    done = subprocess.run(
        [*COMMAND, folder, "-", "--jobs", "2"], input=picture, capture_output=True
    )
    last = done.stdout.decode().splitlines()[-1]
    assert last.startswith("-\t")


def test_a_killed_process_ends_the_command_in_one_line(reading):
    victim, other = reading.children()
    victim.kill()
    errors = reading.communicate(timeout=60)[1].splitlines()
    assert reading.returncode == 1
    assert "--resume" in errors[-1] and not any("Traceback" in line for line in errors)
    assert not is_running(other)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_no_process_outlives_the_command(reading, name):
    children = reading.children()
    reading.send_signal(getattr(signal, name))
    reading.communicate(timeout=60)
    wait_until(lambda: not any(is_running(child) for child in children))


def test_an_interruption_ends_all_at_once(reading):
    children = reading.children()
    os.killpg(reading.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
    start = time.monotonic()
    assert reading.communicate(timeout=60)[1] == "qdigits: interrupted\n"
    assert reading.returncode == 130
    assert time.monotonic() - start < 5
    assert not any(is_running(child) for child in children)
