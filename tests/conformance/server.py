"""A small HTTP server for the cases of ansible.builtin.uri."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/json":
            self._answer(200, "application/json", json.dumps({"hello": "world"}))
        elif self.path == "/text":
            self._answer(200, "text/plain; charset=utf-8", "hello")
        elif self.path == "/headers":
            told = {name: self.headers[name] for name in ("Authorization", "X-Word")}
            self._answer(200, "application/json", json.dumps(told))
        elif self.path == "/redirect":
            self._answer(302, "text/plain", "elsewhere", Location="/text")
        else:
            self._answer(404, "text/plain", "nothing here")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(200, "application/json", json.dumps({"type": self.headers["Content-Type"], "body": body}))

    def _answer(self, status: int, kind: str, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Its address, while it answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
