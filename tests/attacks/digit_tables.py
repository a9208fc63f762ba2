"""Tables of digits that lie: npz, CSV and parquet. Every one must end in one DataError.

python -m tests.attacks.digit_tables      tries each and prints what became of it
"""

import io
import struct
import zipfile
from collections.abc import Iterator

import numpy as np

ROWS = 30
MNIST_ROWS = 60_000


def digits(rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
    return images, np.arange(rows, dtype=np.uint8) % 10


def npz(compressed: bool = True, **arrays: np.ndarray) -> bytes:
    """Return what numpy makes of arrays."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def keras(rows: int = ROWS) -> bytes:
    images, labels = digits(rows)
    return npz(x_train=images, y_train=labels, x_test=images, y_test=labels)


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """Return an array whose header says anything."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + body


def npz_of(images: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return mnist.npz with the bytes given as its training images."""
    file = io.BytesIO()
    labels = io.BytesIO()
    np.save(labels, np.zeros(ROWS, np.uint8))
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr("x_train.npy", images)
        archive.writestr("y_train.npy", labels.getvalue())
    return file.getvalue()


def claim(shape: object, dtype: str = "|u1", fortran: bool = False) -> str:
    return f"{{'descr': {dtype!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def npz_files() -> Iterator[tuple[str, bytes]]:
    """Every attack on mnist.npz as (what it is, the bytes of the file)."""
    images, labels = digits()
    good = keras()
    pixels = images.tobytes()
    honest = claim((ROWS, 28, 28))
    yield from {
        "empty": b"",
        "half": good[: len(good) // 2],
        "rubbish": b"PK\x03\x04" + bytes(1000),
        "no such array": npz(images=images),
        "no labels": npz(x_train=images),
        "objects": npz(x_train=np.array([{}, None], object), y_train=labels),
        "floats": npz(x_train=images / 255, y_train=labels),
        "32x32": npz(x_train=np.zeros((ROWS, 32, 32), np.uint8), y_train=labels),
        "flat": npz(x_train=images.reshape(ROWS, 784), y_train=labels),
        "no rows": npz(x_train=images[:0], y_train=labels[:0]),
        "fewer labels": npz(x_train=images, y_train=labels[:-1]),
        "labels of 10": npz(x_train=images, y_train=labels + 10),
        "labels below 0": npz(x_train=images, y_train=labels.astype(int) - 1),
        "numbers beyond 255": npz(x_train=images.astype(int) * 9, y_train=labels),
        "records": npz(x_train=np.zeros(ROWS, [("a", "u1")]), y_train=labels),
        "claims terabytes": npz_of(npy(claim((10**6, 28, 28)), pixels)),
        "claims 60,001 rows": npz_of(npy(claim((MNIST_ROWS + 1, 28, 28)), pixels)),
        "claims 60,000 rows": npz_of(npy(claim((MNIST_ROWS, 28, 28)), pixels)),
        "claims fewer rows": npz_of(npy(claim((1, 28, 28)), pixels)),
        "claims -1 rows": npz_of(npy(claim((-1, 28, 28)), pixels)),
        "by columns": npz_of(npy(claim((ROWS, 28, 28), fortran=True), pixels)),
        "a header that is a call": npz_of(npy("__import__('os').system('true')", pixels)),
        "a header of brackets": npz_of(npy("(" * 9000, pixels)),
        "a long header": npz_of(npy(honest + " " * 60_000, pixels)),
        "another version": npz_of(npy(honest, pixels, b"\x03\x00")),
        "no header": npz_of(b"\x93NUMPY"),
        "a bomb": npz_of(npy(honest, bytes(2**27))),
        "a bomb in LZMA": npz_of(npy(honest, bytes(2**20)), zipfile.ZIP_LZMA),
        "a bomb in bzip2": npz_of(npy(honest, bytes(2**20)), zipfile.ZIP_BZIP2),
    }.items()


def csv(rows: int = ROWS, names: bool = True) -> bytes:
    """Return what Kaggle makes of digits."""
    images, labels = digits(rows)
    lines = ["label," + ",".join(f"pixel{i}" for i in range(784))] if names else []
    for image, label in zip(images, labels, strict=True):
        lines.append(",".join(map(str, [label, *image.ravel()])))
    return ("\n".join(lines) + "\n").encode()


def csv_files() -> Iterator[tuple[str, bytes]]:
    """Every attack on train.csv as (what it is, the bytes of the file)."""
    good = csv()
    header, rest = good.split(b"\n", 1)
    line = rest.split(b"\n", 1)[0]
    yield from {
        "empty": b"",
        "names alone": header + b"\n",
        "no labels": good.replace(b"label,", b"", 1),
        "another table": b"a,b,c\n1,2,3\n",
        "a web page": b"<!DOCTYPE html>\n<html></html>\n",
        "cut off": good[:-500],
        "a column too many": header + b"\n" + line + b",0\n",
        "a number beyond 255": header + b"\n" + b"256" + line[1:] + b"\n",
        "a number below 0": header + b"\n" + b"-1" + line[1:] + b"\n",
        "a fraction": header + b"\n" + b"0.5" + line[1:] + b"\n",
        "a word": header + b"\n" + b"seven" + line[1:] + b"\n",
        "labels of 10": header + b"\n" + b"10" + line[1:] + b"\n",
        "NUL": header + b"\n" + b"\0" + line + b"\n",
        "no text": header + b"\n" + b"\xff\xfe" + line + b"\n",
        "one endless line": header + b"\n" + b"0," * 2**20,
        "an endless first line": b"1," * 2**20,
    }.items()


def parquet(pictures: list, labels: list, **how: object) -> bytes:
    """Return a table as Hugging Face writes it."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    file = io.BytesIO()
    rows = [{"bytes": picture, "path": None} for picture in pictures]
    write_table(pa.table({"image": rows, "label": labels}), file, **how)
    return file.getvalue()


def good_parquet() -> bytes:
    return parquet(pngs(), [row % 10 for row in range(ROWS)])


def swelling_parquet(rows: int = 1500, megabytes: int = 1) -> bytes:
    """Return a table that holds one large picture, and names it in every row."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    indices = pa.array(np.zeros(rows, np.int32))
    picture = pa.DictionaryArray.from_arrays(indices, pa.array([bytes(megabytes * 2**20)]))
    image = pa.StructArray.from_arrays([picture], ["bytes"])
    file = io.BytesIO()
    write_table(pa.table({"image": image, "label": np.zeros(rows, int)}), file, compression="zstd")
    return file.getvalue()


def pngs(rows: int = ROWS, size: int = 28) -> list[bytes]:
    from PIL import Image

    draw = np.random.default_rng(0)
    files = []
    for _ in range(rows):
        file = io.BytesIO()
        pixels = draw.integers(0, 256, (size, size), dtype=np.uint8)
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
    return files


def parquet_files() -> Iterator[tuple[str, bytes]]:
    """Every attack on a parquet table as (what it is, the bytes of the file)."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    labels = [row % 10 for row in range(ROWS)]
    good = good_parquet()
    other = io.BytesIO()
    write_table(pa.table({"text": ["a"], "label": [1]}), other)
    yield from {
        "empty": b"",
        "magic only": b"PAR1PAR1",
        "half": good[: len(good) // 2],
        "no end": good[:-8],
        "a long footer": good[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1",
        "other columns": other.getvalue(),
        "no picture": parquet([None] * ROWS, labels),
        "no PNG": parquet([b"GIF89a" + bytes(100)] * ROWS, labels),
        "a damaged PNG": parquet([png[:-30] for png in pngs()], labels),
        "32x32": parquet(pngs(size=32), labels),
        "a large picture": parquet([pngs(1, 300)[0]] * ROWS, labels),
        "labels that are words": parquet(pngs(), ["seven"] * ROWS),
        "labels of 10": parquet(pngs(), [10] * ROWS),
        "no label": parquet(pngs(), [None] * ROWS),
        "a large cell": parquet([bytes(2**24)], [0], compression="zstd", use_dictionary=False),
        "a dictionary that swells": swelling_parquet(),
    }.items()


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    from qdigits.data.loading import load_training
    from tests.attacks import tried

    FORMS = {
        ("mnist", "mnist.npz"): npz_files,
        ("mnist42k", "train.csv"): csv_files,
        ("mnist", "train-00000-of-00001.parquet"): parquet_files,
    }
    for (source, name), attacks in FORMS.items():
        with tempfile.TemporaryDirectory() as folder:
            for what, data in attacks():
                Path(folder, name).write_bytes(data)
                outcome = tried(lambda: load_training(source, folder))  # noqa: B023
                print(f"{name:10.10} {what:25} {str(outcome)[:180]}")
