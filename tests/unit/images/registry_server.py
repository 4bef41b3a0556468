"""A container registry in memory, strict about what it is asked: a push is tried against real HTTP."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Memory(BaseHTTPRequestHandler):
    blobs: dict[str, bytes]
    manifests: dict[str, bytes]
    puts: list[str]

    def log_message(self, *_: object) -> None: ...

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        kind, _, name = self.path.rpartition("/")
        store = self.manifests if kind.endswith("manifests") else self.blobs
        if self.path == "/v2/":
            self._answer(200)
        elif name in store:
            self._answer(200, store[name])
        else:
            self._answer(404)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        assert self.path.endswith("/blobs/uploads/")
        self._answer(202, Location="/v2/upload/1?_state=s")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if "manifests" in self.path:
            self.manifests[self.path.rpartition("/")[2]] = body
        else:
            assert parse_qs(urlsplit(self.path).query)["digest"] == [digest]
            self.blobs[digest] = body
            self.puts.append(digest)
        self._answer(201)


@contextmanager
def registry() -> Iterator[tuple[str, type[Memory]]]:
    """Yields (base URL, what the registry holds)."""
    held = type("Held", (Memory,), {"blobs": {}, "manifests": {}, "puts": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), held)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", held
    finally:
        server.shutdown()
        server.server_close()
