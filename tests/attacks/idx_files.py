"""IDX files that lie, gzipped and not. Every one must end in one DataError within 50 MB.

python -m tests.attacks.idx_files      tries each and prints what became of it
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np

ROWS = 50


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    """What an honest writer makes of an array."""
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.tobytes()


def images(rows: int = ROWS) -> bytes:
    return idx(np.random.default_rng(0).integers(0, 256, (rows, 28, 28), dtype=np.uint8))


def bomb(header: bytes, megabytes: int) -> bytes:
    """A gzip file of so many megabytes of nothing, made without making them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    million = bytes(2**20)
    parts = [
        packer.compress(header),
        *(packer.compress(million) for _ in range(megabytes)),
        packer.flush(),
    ]
    return b"".join(parts)


def files() -> Iterator[tuple[str, bytes]]:
    """Every lie as (what it is, the bytes of a file of images)."""
    good = images()
    packed = gzip.compress(good)
    yield from {
        "empty": b"",
        "one byte": b"\0",
        "magic only": good[:4],
        "header only": good[:16],
        "no last row": good[:-784],
        "no last byte": good[:-1],
        "a byte too many": good + b"\0",
        "twice": good * 2,
        "zeros": bytes(len(good)),
        "labels, not images": idx(np.zeros(ROWS, np.uint8)),
        "two dimensions": idx(np.zeros((ROWS, 784), np.uint8)),
        "four dimensions": idx(np.zeros((ROWS, 1, 28, 28), np.uint8)),
        "32x32": idx(np.zeros((ROWS, 32, 32), np.uint8)),
        "28x27": idx(np.zeros((ROWS, 28, 27), np.uint8)),
        "of floats": idx(np.zeros((ROWS, 28, 28), ">f4"), 0x0D),
        "of signed bytes": idx(np.zeros((ROWS, 28, 28), np.int8), 0x09),
        "little-endian": good[3::-1] + good[4:],
        "no rows": idx(np.zeros((0, 28, 28), np.uint8)),
        "a row more than told": good + bytes(784),
        "2^32-1 rows": good[:4] + b"\xff" * 4 + good[8:],
        "60,001 rows": good[:4] + struct.pack(">I", 60_001) + good[8:],
        "60,000 rows told, 50 there": good[:4] + struct.pack(">I", 60_000) + good[8:],
        "HTML": b"<!DOCTYPE html><html>404</html>",
        "gz: magic only": b"\x1f\x8b",
        "gz: header only": packed[:10],
        "gz: cut in half": packed[: len(packed) // 2],
        "gz: no trailer": packed[:-8],
        "gz: half a trailer": packed[:-4],
        "gz: wrong CRC": packed[:-8] + bytes(4) + packed[-4:],
        "gz: wrong length": packed[:-4] + bytes(4),
        "gz: rubbish after": packed + b"rubbish",
        "gz: method 7": packed[:2] + b"\x07" + packed[3:],
        "gz: two files in one": packed * 2,
        "gz: in gz": gzip.compress(packed),
        "zip": b"PK\x03\x04" + good,
        "gz: empty": gzip.compress(b""),
        "gz: a broken block": packed[:100] + b"\xff" * 50 + packed[150:],
    }.items()
    yield "gz: bomb, no header", bomb(b"", 64)
    yield "gz: bomb behind an honest header", bomb(good[:16], 64)
    yield "gz: bomb behind 60,000 rows", bomb(good[:4] + struct.pack(">I", 60_000) + good[8:16], 64)
    yield "gz: bomb behind 2^32-1 rows", bomb(good[:4] + b"\xff" * 4 + good[8:16], 64)
    yield "gz: a million empty members", gzip.compress(b"") * 10**5
    name = io.BytesIO()
    with gzip.GzipFile("x" * 10**6, "wb", fileobj=name) as file:
        file.write(good[:16])
    yield "gz: a name of a megabyte", name.getvalue()


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    from qdigits.data.idx import IMAGES, read_idx
    from tests.attacks import tried

    with tempfile.TemporaryDirectory() as folder:
        for what, data in files():
            (target := Path(folder, "attack")).write_bytes(data)
            print(f"{what:35} {tried(lambda path=target: read_idx(path, IMAGES))}")
