"""Pictures, odd and damaged. Every one must end in a reading or one ImageError.

python -m tests.attacks.pictures      tries each and prints what became of it
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain

import numpy as np
from PIL import Image, TiffImagePlugin

ORIENTATION = 0x0112


def sheet(tile: np.ndarray, size: int = 160) -> Image.Image:
    """A tile as dark ink on a white sheet, large enough for JPEG."""
    ink = Image.fromarray(255 - tile).resize((112, 112), Image.Resampling.BICUBIC)
    page = Image.new("L", (size, size), 255)
    page.paste(ink, (size // 2 - 60, size // 2 - 50))
    return page


def saved(image: Image.Image, kind: str, **how) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def _turned(page: Image.Image, orientation: int) -> bytes:
    """Stored so that a viewer who heeds EXIF sees `page` upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = page.transpose(undo[orientation]) if orientation in undo else page
    return saved(stored, "JPEG", quality=95, exif=exif)


def encodings(tile: np.ndarray) -> Iterator[tuple[str, bytes]]:
    """The same digit in every way people keep pictures."""
    page = sheet(tile)
    grey = np.asarray(page)
    clear = np.zeros((*grey.shape, 4), np.uint8)
    clear[..., 3] = 255 - grey
    white = clear.copy()
    white[..., :3] = 255
    yield "PNG grey", saved(page, "PNG")
    yield "PNG RGB", saved(page.convert("RGB"), "PNG")
    yield "PNG 1 bit", saved(page.point(lambda v: 255 * (v > 127)).convert("1"), "PNG")
    yield "PNG 16 bit", saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    yield "PNG palette", saved(page.quantize(64), "PNG")
    yield "PNG grey and alpha", saved(page.convert("LA"), "PNG")
    yield "PNG black ink on nothing", saved(Image.fromarray(clear), "PNG")
    yield "PNG white ink on nothing", saved(Image.fromarray(white), "PNG")
    yield "PNG white on black", saved(page.point(lambda v: 255 - v), "PNG")
    yield "JPEG grey", saved(page, "JPEG", quality=90)
    yield "JPEG RGB", saved(page.convert("RGB"), "JPEG", quality=75)
    yield "JPEG CMYK", saved(page.convert("CMYK"), "JPEG", quality=90)
    yield "JPEG progressive", saved(page, "JPEG", quality=90, progressive=True)
    for orientation in range(1, 9):
        yield f"JPEG EXIF {orientation}", _turned(page, orientation)
    yield "BMP", saved(page, "BMP")
    yield "GIF", saved(page, "GIF")
    yield "WEBP", saved(page.convert("RGB"), "WEBP", quality=80)
    yield "WEBP lossless with alpha", saved(Image.fromarray(clear), "WEBP", lossless=True)
    yield "AVIF", saved(page.convert("RGB"), "AVIF", quality=80)
    if find_spec("pillow_heif"):
        from pillow_heif import register_heif_opener

        register_heif_opener()
        yield "HEIF", saved(page.convert("RGB"), "HEIF", quality=80)
    yield "TIFF", saved(page, "TIFF")
    yield (
        "TIFF packed, 16 bit",
        saved(Image.fromarray(grey.astype(np.uint16) * 257), "TIFF", compression="tiff_lzw"),
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, body: bytes, *more: bytes, bits: int = 8, colour: int = 0
) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    )


def zoo(tile: np.ndarray) -> Iterator[tuple[str, object]]:
    """Odd ones: files that claim too much, hold too little, or are no pictures at all."""
    page, draw = sheet(tile), np.random.default_rng(0)
    good = saved(page, "PNG")
    nothing = zlib.compress(bytes(10**6))
    for width, height in (
        (1, 1),
        (1, 500),
        (500, 1),
        (2, 2),
        (3, 20_000),
        (20_000, 3),
        (27, 27),
        (29, 28),
    ):
        yield f"{width} x {height}", saved(page.resize((width, height)), "PNG")
    yield "8,000 x 6,000 JPEG", saved(page.resize((8000, 6000)), "JPEG", quality=50)
    yield (
        "3,999 x 3,999 PNG, transparent",
        saved(Image.new("RGBA", (3999, 3999)), "PNG", compress_level=1),
    )
    yield "10,000 x 10,000", png(10_000, 10_000, nothing)
    yield "2^31 x 2^31", png(2**31 - 1, 2**31 - 1, nothing)
    yield "0 x 0", png(0, 0, nothing)
    yield "a compressed gigabyte", png(30_000, 30_000, zlib.compress(bytes(2**26), 9))
    yield (
        "a comment of 64 MB",
        png(28, 28, nothing, _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26), 9))),
    )
    yield (
        "a profile of 64 MB",
        png(28, 28, nothing, _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**26), 9))),
    )
    yield "no data", png(28, 28, b"")
    yield "too little data", png(280, 280, zlib.compress(bytes(100)))
    yield "3 bits", png(28, 28, nothing, bits=3)
    yield "palette without a palette", png(28, 28, nothing, colour=3)
    yield "a wrong checksum", good[:40] + b"????" + good[44:]
    yield "empty", b""
    yield "one byte", b"\x89"
    yield "a signature", good[:8]
    for share in (0.1, 0.5, 0.9):
        yield f"PNG cut at {share}", good[: int(share * len(good))]
    jpeg = saved(page, "JPEG")
    yield "JPEG cut in half", jpeg[: len(jpeg) // 2]
    yield (
        "JPEG of 65,500 x 65,500",
        jpeg.replace(struct.pack(">HH", 160, 160), struct.pack(">HH", 65_500, 65_500)),
    )
    exif = Image.Exif()
    exif[ORIENTATION] = 99
    yield "EXIF orientation 99", saved(page, "JPEG", exif=exif)
    yield "EXIF rubbish", saved(page, "JPEG", exif=b"Exif\0\0" + b"\xff" * 500)
    frames = [page, Image.new("L", page.size), Image.new("L", (5, 5))]
    yield "GIF animated", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    colour = [frame.convert("RGB") for frame in frames[:2]]
    yield "WEBP animated", saved(colour[0], "WEBP", save_all=True, append_images=colour[1:])
    yield "TIFF of two pages", saved(page, "TIFF", save_all=True, append_images=frames[1:])
    yield "TIFF of floats", saved(Image.fromarray(draw.random((60, 60), np.float32)), "TIFF")
    yield "TIFF of NaN", saved(Image.fromarray(np.full((60, 60), np.nan, np.float32)), "TIFF")
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = "x" * 10**6
    yield "TIFF with a long comment", saved(page, "TIFF", tiffinfo=tags)
    yield "TIFF in a circle", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    yield (
        "SVG named .png",
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
    )
    yield "HTML", b"<!DOCTYPE html><html></html>"
    for kind in ("ICO", "PPM", "PCX", "TGA", "EPS"):
        yield f"{kind}, which is not read", saved(page.convert("RGB"), kind)
    yield from containers(page)
    yield "white", saved(Image.new("L", (90, 90), 255), "PNG")
    yield "black", saved(Image.new("L", (90, 90)), "PNG")
    yield (
        "noise",
        saved(Image.fromarray(draw.integers(0, 256, (300, 300, 3), dtype=np.uint8)), "PNG"),
    )
    board = np.kron(np.indices((40, 40)).sum(0) % 2, np.ones((7, 7)))
    yield "chessboard", saved(Image.fromarray((255 * board).astype(np.uint8)), "PNG")
    yield "wholly transparent", saved(Image.new("RGBA", (90, 90), (0, 0, 0, 0)), "PNG")
    yield "Pillow, mode F of NaN", Image.fromarray(np.full((40, 40), np.nan, np.float32))
    for shape in ((0, 0), (9,), (2, 2, 2, 2), (30, 30, 5)):
        yield f"array of {shape}", np.zeros(shape)
    yield "array of None", np.array(None)
    yield "array of inf", np.full((40, 40), np.inf)
    yield "array of int64", np.full((40, 40), 2**62)
    yield "array of complex", np.ones((40, 40), complex)
    yield "array of text", np.full((40, 40), "7")
    yield "None", None
    yield "a number", 7
    yield "a list of nothing", []
    yield "a missing path", "nowhere.png"
    yield "a folder", "/"
    yield "a path with NUL", "a\0b.png"
    yield "an endless device", "/dev/zero"


def containers(page: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield files of several pictures, or of one picture told many times, that ask for too much."""
    progressive = saved(page.resize((1500, 1500)), "JPEG", progressive=True)
    last_scan = progressive[progressive.rfind(b"\xff\xda") : -2]
    yield "JPEG of 600 scans", progressive[:-2] + 600 * last_scan + progressive[-2:]
    frames = [Image.new("L", (2, 2), value) for value in range(200)]
    yield "GIF of 200 frames", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    wide = Image.new("L", (8000, 5000))
    yield "AVIF of 8,000 x 5,000", saved(wide, "AVIF", speed=10)
    for name, data in (("AVIF", saved(page, "AVIF")), ("PDF", saved(page, "PDF"))):
        yield f"{name} cut in half", data[: len(data) // 2]
    yield "HEIF of nothing", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)
    png = saved(page, "PNG")
    piece = _chunk(b"teXt", b"")
    yield "PNG of 200,000 chunks", png[:33] + 200_000 * piece + png[33:]
    jpeg = saved(page, "JPEG")
    yield "JPEG of 200,000 comments", jpeg[:2] + 200_000 * b"\xff\xfe\0\2" + jpeg[2:]
    yield "TIFF of a million strips", striped_tiff(1_000_000)
    archive = zipped({"a.png": png, "b.png": png})
    yield "ZIP of a picture that swells", zipped({"a.png": bytes(101_000_000)})
    yield "ZIP in a ZIP", zipped({"a.png": archive})
    yield "ZIP of two pictures", archive
    one = bytearray(zipped({"a.png": png}))
    one[one.rfind(b"PK\x01\x02") + 8] |= 1
    yield "ZIP with a password", bytes(one)
    yield "ZIP by LZMA", zipped({"a.png": png}, zipfile.ZIP_LZMA)
    yield "ZIP of a long list", zipped({str(number) + "a" * 60_000: b"" for number in range(80)})
    yield "ZIP without its end", archive[:-22]
    yield "ZIP cut in half", archive[len(archive) // 2 :]
    yield "ZIP without pictures", zipped({"notes.txt": b"7"})


def striped_tiff(strips: int) -> bytes:
    """Return a TIFF one pixel wide, each of whose rows is a strip."""
    tags = [(256, 1), (257, strips), (258, 8), (259, 1), (262, 1), (277, 1), (278, 1)]
    lists = 8 + 2 + 12 * (len(tags) + 2) + 4
    body = b"II*\0" + struct.pack("<IH", 8, len(tags) + 2)
    for tag, value in tags:
        body += struct.pack("<HHII", tag, 4, 1, value)
    for number, tag in enumerate((273, 279)):
        body += struct.pack("<HHII", tag, 4, strips, lists + number * 4 * strips)
    pixel = lists + 8 * strips
    return body + bytes(4) + struct.pack("<I", pixel) * strips + b"\1\0\0\0" * strips + b"\7"


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def greedy_pdf() -> bytes:
    """Return a small PDF that fills its page two million times."""
    return pdf(zlib.compress(b"0 0 600 800 re f " * 2_000_000, 1))


def pdf(content: bytes) -> bytes:
    """Return a PDF of one page with this compressed content."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(content), content),
    ]
    body = b"%PDF-1.4\n"
    for number, text in enumerate(objects, 1):
        body += b"%d 0 obj%s\nendobj\n" % (number, text)
    return body + b"trailer<</Root 1 0 R/Size 5>>\n%%EOF"


def large(*kinds: str) -> Iterator[tuple[str, bytes]]:
    """Yield 49 megapixels in a few kilobytes: each copy of the whole would take 200 MB."""
    white, noise = (
        Image.new("L", (7000, 7000), 255),
        np.random.default_rng(0).integers(0, 256, (7000, 7000), np.uint8),
    )
    made = {
        "BMP of noise": lambda: saved(Image.fromarray(noise), "BMP"),
        "PNG, transparent": lambda: saved(Image.new("RGBA", white.size), "PNG", compress_level=1),
        "PNG, 16 bit": lambda: saved(
            Image.new("I;16", white.size, 60_000), "PNG", compress_level=1
        ),
        "TIFF, CMYK": lambda: saved(white.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "JPEG, CMYK": lambda: saved(white.convert("CMYK"), "JPEG"),
        "GIF": lambda: saved(white, "GIF"),
        "WEBP": lambda: saved(white.convert("RGB"), "WEBP", method=0),
        "WEBP, half of it": lambda: saved(
            white.resize((4999, 4999)).convert("RGB"), "WEBP", method=0
        ),
    } | {
        f"PNG, {mode}": lambda mode=mode: saved(white.convert(mode), "PNG", compress_level=1)
        for mode in ("1", "L", "P", "LA", "RGB", "RGBA")
    }
    for kind in kinds or made:
        yield f"7,000 x 7,000 {kind}", made[kind]()


if __name__ == "__main__":
    from qdigits import load_model, read
    from qdigits.data.loading import load_test
    from tests.attacks import tried

    model, tile = load_model(), load_test("sample").images[0].numpy()
    for what, picture in chain(encodings(tile), zoo(tile), large()):
        outcome = tried(lambda picture=picture: read(model, picture))
        said = f"read {outcome.value.text!r}" if hasattr(outcome.value, "text") else ""
        print(f"{what:30} {outcome} {said}")
