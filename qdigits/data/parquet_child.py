"""The script that unpacks a parquet table of digits: pictures and labels go out.

It runs in a bounded process (see parquet.py) and imports nothing of qdigits.
"""

import os
import struct
import sys
from array import array

HEADER = struct.Struct("<Q")  # rows; their labels and the sizes of their pictures follow
LABELS = "q"  # type codes of the module array
SIZES = "I"
MAX_PICTURE_BYTES = 4096  # a 28x28 PNG has at most 900
BATCH_ROWS = 1000


def unpack(max_rows: int) -> None:
    """Write the labels, then the sizes, then the bytes of all pictures."""
    # The other pools reserve more memory than they use, and all of it counts.
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    from pyarrow import BufferReader
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(BufferReader(sys.stdin.buffer.read()), pre_buffer=False)
    if not 1 <= table.metadata.num_rows <= max_rows:
        sys.exit(f"{table.metadata.num_rows} rows; expected 1 to {max_rows}")
    labels = array(LABELS)
    pictures: list[bytes] = []
    columns = ["image.bytes", "label"]
    for batch in table.iter_batches(BATCH_ROWS, columns=columns, use_threads=False):
        labels.extend(batch.column("label").to_pylist())
        pictures.extend(batch.column("image").field("bytes").to_pylist())
        if len(pictures) > max_rows:
            sys.exit(f"more than {max_rows} rows")
        if not all(is_small_file(picture) for picture in pictures[-len(batch) :]):
            sys.exit(f"a picture that is no file of at most {MAX_PICTURE_BYTES:,} bytes")
    sizes = array(SIZES, map(len, pictures))
    parts = [HEADER.pack(len(labels)), labels.tobytes(), sizes.tobytes(), *pictures]
    sys.stdout.buffer.write(b"".join(parts))


def is_small_file(picture: object) -> bool:
    """Say whether a cell of the table may be a picture."""
    return isinstance(picture, bytes) and len(picture) <= MAX_PICTURE_BYTES


if __name__ == "__main__":
    unpack(int(sys.argv[1]))
