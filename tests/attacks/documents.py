"""PDF, HEIC and zip files that ask for too much. Each ends in a reading or one ImageError.

python -m tests.attacks.documents      tries each and prints what became of it
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
from PIL import Image

from tests.attacks import Outcome, tried
from tests.attacks.pictures import pdf, saved, sheet, zipped

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def pdf_of(*objects: bytes) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is its catalog."""
    body = b"%PDF-1.4\n"
    for number, text in enumerate(objects, 1):
        body += b"%d 0 obj%s\nendobj\n" % (number, text)
    return body + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def page_of(content: bytes, box: bytes = b"0 0 600 800", **resources: bytes) -> bytes:
    """Return a PDF of one page with this content, and the objects that it names."""
    names = b"".join(b"/%s %d 0 R" % (name.encode(), 5 + k) for k, name in enumerate(resources))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R" % box
    page += b"/Resources<</XObject<<%s>>>>>>" % names
    stream = b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)
    return pdf_of(CATALOG, PAGES, page, stream, *resources.values())


def form(content: bytes, resources: bytes) -> bytes:
    """Return a form: a drawing that others draw by its name."""
    head = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<<%s>>>>" % resources
    return head + b"/Length %d>>stream\n%s\nendstream" % (len(content), content)


def image(width: int, height: int, data: bytes) -> bytes:
    """Return a compressed grey image of a PDF, whatever its size claims."""
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d" % (width, height)
    head += b"/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
    return head + b"/Length %d>>stream\n%s\nendstream" % (len(data), data)


def pdfs() -> Iterator[tuple[str, bytes]]:
    """Yield every attack on the reader of PDFs."""
    for box in (b"0 0 0 0", b"0 0 1e9 1", b"-9 -9 -8 -8", b"0 0 nan inf", b"0 0 1 1e30"):
        yield f"page of {box.decode()}", page_of(b"", box)
    draw = b"600 0 0 800 0 0 cm /A Do"
    black = zlib.compress(bytes(2**26), 9)
    yield "image of 30,000 x 30,000", page_of(draw, A=image(30_000, 30_000, black))
    yield "image of 2^31 x 2^31", page_of(draw, A=image(2**31 - 1, 2**31 - 1, black))
    yield "form that draws itself", page_of(b"/A Do", A=form(b"/A Do", b"/A 5 0 R"))
    laughs = [form(b"/B Do " * 20, b"/B %d 0 R" % (6 + level)) for level in range(8)]
    laughs.append(form(b"0 0 9 9 re f", b""))
    names = dict(zip("ABCDEFGHI", laughs, strict=True))
    yield "forms that draw forms, 20^8 in all", page_of(b"/A Do", **names)
    yield "page tree in a circle", pdf_of(CATALOG, b"<</Type/Pages/Kids[2 0 R]/Count 1>>")
    many = b"<</Type/Pages/Kids[%s]/Count 2000000>>" % (b"3 0 R " * 50_000)
    yield "a claim of two million pages", pdf_of(CATALOG, many, b"<</Type/Page/Parent 2 0 R>>")
    yield "a million brackets", pdf_of(CATALOG, b"[" * 1_000_000)
    yield "a stream of 64 MB", pdf(zlib.compress(bytes(2**26), 9))
    yield "rubbish", b"%PDF-1.7\n" + bytes(10_000)


def heics(page: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield every attack on the reader of HEIC, if it is installed."""
    if not find_spec("pillow_heif"):
        return
    from pillow_heif import register_heif_opener

    register_heif_opener()
    good = saved(page.convert("RGB"), "HEIF")
    size = good.index(b"ispe") + 8
    for width, height in ((60_000, 60_000), (2**31 - 1, 1), (0, 0), (1, 20_000_000), (7000, 7000)):
        claim = struct.pack(">II", width, height)
        yield f"HEIC that claims {width} x {height}", good[:size] + claim + good[size + 8 :]
    frames = [page.convert("RGB").resize((64, 64))] * 150
    yield "HEIC of 150 pictures", saved(frames[0], "HEIF", save_all=True, append_images=frames[1:])
    for share in (0.1, 0.5, 0.9):
        yield f"HEIC cut at {share}", good[: int(share * len(good))]


def archives(page: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield every attack on the reader of archives that needs no large file."""
    yield "ZIP whose files overlap", overlapping_zip(5000)
    yield "ZIP of a PDF that loops", zipped({"a.pdf": page_of(b"/A Do" * 10**6)})
    yield "ZIP of names that lead out", zipped({"../../a.png": saved(page, "PNG"), "/b.png": b""})


def good_ones(tile: np.ndarray) -> Iterator[tuple[str, bytes, int]]:
    """Yield a small document of each kind, and how many damaged ones to try in full."""
    page = sheet(tile)
    yield "zip", zipped({"a.png": saved(page, "PNG")}), 5_000
    if find_spec("pypdfium2"):
        yield "PDF", saved(page, "PDF"), 500  # each takes a process of its own
    if find_spec("pillow_heif"):
        from pillow_heif import register_heif_opener

        register_heif_opener()
        yield "HEIC", saved(page.convert("RGB"), "HEIF"), 5_000


def overlapping_zip(count: int) -> bytes:
    """Return an archive that lists one file many times: 100 MB each, unpacked."""
    one = zipped({"a.png": bytes(99_000_000)})
    start = one.rindex(b"PK\x01\x02")
    end = one.rindex(b"PK\x05\x06")
    listing = one[start:end] * count
    record = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(listing), start, 0)
    return one[:start] + listing + record


def tried_with_children(action: Callable[[], object]) -> Outcome:
    """Run an attack and measure it; the processor time of processes that it starts counts, too."""
    before = os.times()
    outcome = tried(action)
    after = os.times()
    busy = after.children_user + after.children_system
    busy -= before.children_user + before.children_system
    return outcome._replace(seconds=outcome.seconds + busy)


def all_documents(tile: np.ndarray) -> Iterator[tuple[str, bytes]]:
    """Yield every attack of this file."""
    page = sheet(tile)
    if find_spec("pypdfium2"):
        yield from ((f"PDF, {what}", data) for what, data in pdfs())
    yield from heics(page)
    yield from archives(page)


if __name__ == "__main__":
    from qdigits import load_model, read
    from qdigits.data.loading import load_test

    model = load_model("mnist_model.onnx")
    for what, data in all_documents(load_test("sample").images[0].numpy()):
        outcome = tried_with_children(lambda data=data: read(model, data))
        print(f"{what:40} {len(data):9,} {str(outcome)[:150]}", flush=True)
