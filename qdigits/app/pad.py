"""The drawing pad: a Streamlit component for mouse, touch and pen, white on black like MNIST."""

import base64
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
HTML = """<canvas tabindex="0" role="img" aria-label="Drawing pad. Draw digits with mouse,
 finger or pen. Backspace takes back the last stroke, Escape clears."></canvas>
<div class="tools"><button data-do="undo">Undo</button><button data-do="clear">Clear</button></div>
"""

_component = st.components.v2.component(
    "digit_pad",
    html=HTML,
    css=(HERE / "pad.css").read_text(),
    js=(HERE / "pad.js").read_text(),
)


def digit_pad(key: str, live: bool = True) -> bytes | None:
    """Show the pad and return its drawing.

    The pad stays hidden until the page's style says `--digit-pad: visible`: a style that arrives
    late would move the pad under the finger.

    Args:
        key: What tells this pad from others; another key is another, empty pad.
        live: Whether the next stroke is sent while it is drawn, too, up to ten times a second.

    Returns:
        A PNG file, or None while the pad is empty.
    """
    png = _component(
        key=key,
        data={"live": live},
        default={"png": None},
        on_png_change=lambda: None,
    ).png
    return base64.b64decode(png.partition(",")[2]) if png else None
