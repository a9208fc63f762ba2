"""Reading on a Ray cluster gives the answers of `qdigits read`, each picture once."""

import zipfile
from pathlib import Path

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
    rows = {row["file"]: row for row in ray.data.read_parquet(str(tmp_path / "out")).take_all()}
    expected = read_files(load_model(), [str(ROOT / "examples" / name) for name in NAMES])
    texts = {Path(result.file).name: result.row()[1:] for result in expected}
    assert len(rows) == len(NAMES) + 1
    for file, row in rows.items():
        name = file.rpartition("#")[2].rpartition("/")[2]
        if name == "broken.png":
            assert "not a picture" in row["error"]
        else:
            answer = tuple(row[column] for column in ("text", "confidence", "accepted", "error"))
            assert answer == texts[name]
