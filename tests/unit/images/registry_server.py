"""A container registry in memory, strict about what it is asked: a push is tried against real HTTP."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BASIC = "Basic " + base64.b64encode(b"robot:secret").decode()


class Memory(BaseHTTPRequestHandler):
    blobs: dict[str, bytes]
    manifests: dict[str, bytes]
    puts: list[str]

    asks = ""  # "", "Basic" or "Bearer"
    tokens: list[str]  # scopes that were asked for

    def _let_in(self) -> bool:
        given = self.headers.get("Authorization", "")
        wanted = {"Basic": BASIC, "Bearer": "Bearer of-the-day"}.get(self.asks, "")
        if given == wanted:
            return True
        if self.asks == "Basic":
            challenge = 'Basic realm="there"'
        else:
            challenge = f'Bearer realm="http://{self.headers["Host"]}/token",service="there",scope="registry:catalog:*"'
        self._answer(401, **{"WWW-Authenticate": challenge})
        return False

    def _token(self) -> None:
        if self.headers.get("Authorization") != BASIC:
            return self._answer(401)
        self.tokens.append(parse_qs(urlsplit(self.path).query)["scope"][0])
        return self._answer(200, b'{"access_token": "of-the-day"}')

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
        if self.path.startswith("/token?"):
            return self._token()
        if not self._let_in():
            return None
        kind, _, name = self.path.rpartition("/")
        store = self.manifests if kind.endswith("manifests") else self.blobs
        if self.path == "/v2/":
            self._answer(200)
        elif name in store:
            self._answer(200, store[name])
        else:
            self._answer(404)
        return None

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if not self._let_in():
            return
        assert self.path.endswith("/blobs/uploads/")
        self._answer(202, Location="/v2/upload/1?_state=s")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if not self._let_in():
            return
        if "manifests" in self.path:
            self.manifests[self.path.rpartition("/")[2]] = body
        else:
            assert parse_qs(urlsplit(self.path).query)["digest"] == [digest]
            self.blobs[digest] = body
            self.puts.append(digest)
        self._answer(201)


@contextmanager
def registry(asks: str = "") -> Iterator[tuple[str, type[Memory]]]:
    """Yields (base URL, what the registry holds); ``asks`` for a login by Basic or Bearer: robot, secret."""
    held = type("Held", (Memory,), {"blobs": {}, "manifests": {}, "puts": [], "asks": asks, "tokens": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), held)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", held
    finally:
        server.shutdown()
        server.server_close()
