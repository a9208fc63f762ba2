"""Start the page: for this machine alone, or for every device in the room."""

import io
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from qdigits import files

PAGE = Path(__file__).parent / "page.py"
PAGE_OF_CLONE = files.CLONE / "app.py"
SETTINGS = ".streamlit/config.toml"


def serve(port: int, host: bool) -> int:
    """Serve the page until it is interrupted.

    Args:
        port: Where it listens.
        host: Whether other devices may open it; they choose among the bundled models only.

    Returns:
        Streamlit's exit code.
    """
    command = [sys.executable, "-m", "streamlit", "run", str(find_page()), f"--server.port={port}"]
    command.append(f"--server.address={'0.0.0.0' if host else '127.0.0.1'}")
    environment = dict(os.environ)
    if host:
        environment.setdefault("QDIGITS_MODEL_ROOT", str(files.ROOT))
        print(invitation(f"http://{lan_address()}:{port}"), flush=True)
    if os.name == "posix":  # the same process goes on, so whoever ends it ends the server
        os.execve(sys.executable, command, environment)
    return subprocess.call(command, env=environment)


def find_page() -> Path:
    """Return the script that has the page's settings beside it, where Streamlit looks for them."""
    return PAGE if (PAGE.parent / SETTINGS).exists() else PAGE_OF_CLONE


def lan_address() -> str:
    """Return the address of this machine that other devices in the room reach; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation: it only picks the route
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


def invitation(address: str) -> str:
    """Write what to tell a class: the address, its QR code, what does not work without HTTPS."""
    code = qr_code(address)
    return f"""
Everyone on this network can open the page now:

    {address}

{code}
Browsers lend the camera only to pages with HTTPS, and this one has none. On a phone, press Upload
in the tab Photo instead: it offers the camera, too. The visitors' digits stay in their browsers
and in this machine's memory. Ctrl+C closes the page.
"""


def qr_code(text: str) -> str:
    """Draw a QR code with half blocks, to be scanned from the screen."""
    if not find_spec("qrcode"):
        return "(pip install qrcode, and a QR code stands here.)\n"
    import qrcode

    code = qrcode.QRCode(border=2)
    code.add_data(text)
    drawing = io.StringIO()
    code.print_ascii(out=drawing, invert=True)  # light on dark, as most terminals are
    return drawing.getvalue()
