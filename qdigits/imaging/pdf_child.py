"""The script that draws a page of a PDF: the file comes on standard input, pixels go out.

It runs in a bounded process (see pdf.py) and imports nothing of qdigits.
"""

import struct
import sys

LONGEST_SIDE = 2400  # pixels of a drawn page: 200 dots an inch of a letter
HEADER = struct.Struct("<4I")  # pages of the file; width, height and bytes a row of this page


def draw(number: int) -> None:
    """Draw the page of that number; 0 draws the only page, or counts several."""
    import pypdfium2

    document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
    pages = len(document)
    if number > pages:
        sys.exit(f"there is no page {number}; the file has {pages}")
    if not number and pages != 1:
        sys.stdout.buffer.write(HEADER.pack(pages, 0, 0, 0))
        return
    page = document[max(number, 1) - 1]
    scale = LONGEST_SIDE / max(*page.get_size(), 1.0)
    bitmap = page.render(
        scale=scale, rev_byteorder=True, force_bitmap_format=pypdfium2.raw.FPDFBitmap_BGR
    )
    header = HEADER.pack(pages, bitmap.width, bitmap.height, bitmap.stride)
    sys.stdout.buffer.write(header + bytes(bitmap.buffer))


if __name__ == "__main__":
    draw(int(sys.argv[1]))
