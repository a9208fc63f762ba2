"""Read pictures on a Ray cluster: folders, zip files or Parquet in, Parquet out.

    pip install 'qdigits[ray]'
    python examples/read_with_ray.py SCANS OUT [--readers 8]

SCANS is a folder of pictures and zips, or of Parquet files with columns `path` and `bytes`. Every
reader is a process with a model of its own. Ray shows the progress and reads again what a lost
worker had in hand; a row is written once, with the text and confidence of `qdigits read`.
"""

import argparse
import io
import zipfile
from pathlib import Path

import ray

from qdigits import ImageError, load_model
from qdigits.batch import COLUMNS, FileResult
from qdigits.imaging.archive import list_members, open_archive, read_member
from qdigits.predictor import read


def expand_zip(row: dict) -> list[dict]:
    """Return a row for each picture of a zip, and any other file as it is."""
    data = row["bytes"]
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return [row]
    with open_archive(io.BytesIO(data)) as archive:
        names = list_members(archive)
        return [
            {"path": f"{row['path']}#{name}", "bytes": read_member(archive, name)} for name in names
        ]


class Reader:
    """Reads pictures with one model."""

    def __init__(self) -> None:
        """Load the model, once in each process."""
        self.model = load_model("mnist_model.onnx")

    def __call__(self, row: dict) -> dict:
        """Return the row of the table for one picture."""
        try:
            result = FileResult(row["path"], None, read(self.model, row["bytes"]))
        except ImageError as error:
            result = FileResult(row["path"], None, None, str(error))
        return dict(zip(COLUMNS, result.row(), strict=True))


def read_pictures(source: str, out: str, readers: int) -> None:
    """Read everything under source and write the table under out."""
    is_parquet = any(Path(source).rglob("*.parquet"))
    files = ray.data.read_parquet if is_parquet else ray.data.read_binary_files
    options = {} if is_parquet else {"include_paths": True}
    pictures = files(source, **options).flat_map(expand_zip)
    pictures.map(Reader, concurrency=readers).write_parquet(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("out")
    parser.add_argument("--readers", type=int, default=2)
    arguments = parser.parse_args()
    read_pictures(arguments.source, arguments.out, arguments.readers)
