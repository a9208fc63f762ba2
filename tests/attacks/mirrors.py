"""A mirror on this machine that serves as its address asks: http://127.0.0.1:PORT/HOW/NAME."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BAD = "missing", "wrong", "cut", "longer", "slow", "silent", "circle"
GOOD = "good", "redirect"


@contextmanager
def mirror(content: bytes) -> Iterator[ThreadingHTTPServer]:
    """Run the server: its .content, how often it was .asked, and its address, .root."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Mirror)
    server.content, server.asked = content, 0  # type: ignore[attr-defined]
    server.root = f"http://127.0.0.1:{server.server_port}/"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()


class _Mirror(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        how, _, name = self.path[1:].partition("/")
        body = self.server.content
        if how == "missing":
            return self.send_error(404)
        if how in ("redirect", "circle"):
            self.send_response(302)
            self.send_header("Location", f"/{'good' if how == 'redirect' else how}/{name}")
            return self.end_headers()
        self.send_response(200)
        if how != "longer":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if how == "wrong":
            body = body[:-1] + b"?"
        if how == "cut":
            body = body[: len(body) // 2]
        if how in ("slow", "dripping"):
            for first in range(0, len(body), step := 1 if how == "slow" else len(body) // 50):
                self.wfile.write(body[first : first + step])
                time.sleep(0.05 if how == "slow" else 0.005)
        elif how == "longer":
            while True:
                self.wfile.write(bytes(2**16))
        elif how == "silent":
            time.sleep(30)
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass

    def handle(self):
        with suppress(OSError):  # the other side had enough, or was killed
            super().handle()
