"""Reading on a Ray cluster gives the answers of `qdigits read`, each picture once."""

import contextlib
import shutil
import threading
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from qdigits import load_model
from qdigits.batch import read_files

ray = pytest.importorskip("ray", reason="this test needs Ray: pip install 'qdigits[ray]'")
ROOT = Path(__file__).parent.parent
NAMES = ["seven.png", "photo.jpg", "year.jpg", "star.jpg"]


@pytest.fixture(scope="module")
def cluster():
    """A head and a second node, each with processes of their own."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def scans(tmp_path):
    """A folder with two pictures, a zip of two more, and a file that is no picture."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in NAMES[:2]:
        (folder / name).write_bytes((ROOT / "examples" / name).read_bytes())
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        for name in NAMES[2:]:
            archive.write(ROOT / "examples" / name, name)
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def test_cluster_gives_the_answers_of_the_command_each_once(cluster, scans, tmp_path):
    from examples.read_with_ray import read_pictures

    read_pictures(str(scans), str(tmp_path / "out"), readers=1)
    table = ray.data.read_parquet(str(tmp_path / "out")).take_all()
    rows = {row["file"]: row for row in table}
    assert len(table) == len(rows)
    expected = read_files(
        load_model("mnist_model.onnx"), [str(ROOT / "examples" / name) for name in NAMES]
    )
    texts = {Path(result.file).name: result.row()[1:] for result in expected}
    assert len(rows) == len(NAMES) + 1
    for file, row in rows.items():
        name = file.rpartition("#")[2].rpartition("/")[2]
        if name == "broken.png":
            assert "not a picture" in row["error"]
        else:
            answer = tuple(row[column] for column in ("text", "confidence", "accepted", "error"))
            assert answer == texts[name]


LONGEST_START = 200  # seconds until a reader is at work, on a busy machine
AT_WORK = 3.0  # seconds of processor, of which Python and the model need about two


def is_reader_at_work(process: psutil.Process) -> bool:
    """Say whether a process is one of the readers, and has its model."""
    with contextlib.suppress(psutil.Error):  # it may end while it is looked at
        name = " ".join(process.cmdline())
        is_reader = name.startswith("ray::") and "Reader" in name
        return is_reader and process.cpu_times().user > AT_WORK
    return False


def kill_one_reader(killed: list[int]) -> None:
    """Kill the first reader that is at work, and keep its process number."""
    deadline = time.monotonic() + LONGEST_START
    while not killed and time.monotonic() < deadline:
        for process in filter(is_reader_at_work, psutil.process_iter()):
            process.kill()
            killed.append(process.pid)
        time.sleep(0.05)


def test_a_killed_reader_loses_no_picture_and_doubles_none(cluster, tmp_path):
    from examples.read_with_ray import read_pictures

    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(80):
        shutil.copy(ROOT / "examples" / "year.jpg", scans / f"{number:02}.jpg")
    killed: list[int] = []
    killer = threading.Thread(target=kill_one_reader, args=(killed,))
    killer.start()
    read_pictures(str(scans), str(tmp_path / "out"), readers=1)
    killer.join()
    assert killed
    rows = ray.data.read_parquet(str(tmp_path / "out")).take_all()
    files = sorted(Path(row["file"]).name for row in rows)
    assert files == sorted(path.name for path in scans.iterdir())
    assert {row["text"] for row in rows} == {"2026"}
