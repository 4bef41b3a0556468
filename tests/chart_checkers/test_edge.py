"""The edge as HAProxy runs it: the rendered configuration before a small server, with a private authority."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import platformdirs
import pytest

from botyard.release.desired import load_documents

ROOT = Path(__file__).parents[2]
SHOP = "https://shop.example"
HOOK = "/webhooks/rest/webhook"
HAPROXY = shutil.which(os.environ.get("HAPROXY", "haproxy"))
IMAGE = "botyard/gateway:latest"


class Bot(http.server.BaseHTTPRequestHandler):
    """Answers everything with 200, as a bot with a permissive policy for browsers; notes what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/webhooks/botyard/ready":
            self.asked.append((self.command, self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_OPTIONS = do_PUT = do_GET

    def log_message(self, *_: Any) -> None:
        return


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)


def _certificate(folder: Path, serial: str) -> None:
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "edge.pem.key", "-out", "edge.csr",
             "-subj", "/CN=bot.example")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:bot.example\n")
    _openssl(folder, "x509", "-req", "-in", "edge.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", serial,
             "-days", "2", "-extfile", "names", "-out", "edge.pem")  # fmt: skip
    (folder / "edge.pem.key").chmod(0o644)


class Edge:
    def __init__(self, folder: Path, rate: int) -> None:
        self.folder, self.port, self.plain, self.inside = folder, _free(), _free(), _free()
        self.bot = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bot)
        threading.Thread(target=self.bot.serve_forever, daemon=True).start()
        helm = sorted((Path(platformdirs.user_cache_dir("botyard")) / "tools" / "helm").glob("*/helm"))[-1]
        told = f"gateway.edge.port={self.port},gateway.edge.redirectPort={self.plain},gateway.metricsPort={_free()}"
        told += f",applicationSettings.port={self.inside},gateway.edge.rateLimit.requests={rate}"
        told += f",gateway.rateLimit.requests={rate},gateway.rateLimit.seconds=4"
        told += (
            f",gateway.enabled=true,gateway.edge.enabled=true,gateway.tls.secretName=t,gateway.edge.origins={{{SHOP}}}"
        )
        text = subprocess.run([helm, "template", "myrasa", ROOT / "charts/rasa", "--set", told,
                               "-s", "templates/gateway.yaml"],
                              check=True, stdout=subprocess.PIPE, text=True).stdout  # fmt: skip
        maps = [one for one in load_documents(text) if one["kind"] == "ConfigMap"]
        for name, body in maps[0]["data"].items():
            lines = body.replace("/etc/edge-tls", str(folder)).replace("/etc/gateway", str(folder))
            lines = lines.replace("/tmp/haproxy.sock", f"{folder}/s.sock").replace("PAUSE_S = 10", "PAUSE_S = 1")
            kept = [
                line if "server-template" not in line else f"  server pod1 127.0.0.1:{self.bot.server_port} check"
                for line in lines.splitlines()
            ]
            (folder / name).write_text("\n".join(kept) + "\n")
        _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                 "-subj", "/CN=private", "-days", "2")  # fmt: skip
        _certificate(folder, "101")
        folder.chmod(0o777)
        self.name = f"botyard-edge-{self.port}"
        run = [
            "docker",
            "run",
            "--rm",
            "--name",
            self.name,
            "--network",
            "host",
            "-v",
            f"{folder}:{folder}",
            "--entrypoint",
            "haproxy",
            IMAGE,
        ]
        program = [HAPROXY] if HAPROXY else run
        self.log = (folder / "log").open("w")
        checked = subprocess.run([*program, "-c", "-f", folder / "haproxy.cfg"], capture_output=True, text=True)
        assert checked.returncode == 0 and "[WARNING]" not in checked.stderr, checked.stderr
        self.process = subprocess.Popen(
            [*program, "-db", "-f", folder / "haproxy.cfg"], stdout=self.log, stderr=self.log
        )
        until = time.monotonic() + 30
        while self.status(f"POST {HOOK}") != 200:
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.2)

    def close(self) -> None:
        if HAPROXY:
            self.process.terminate()
        else:  # as the first process of its container it takes no SIGTERM
            subprocess.run(["docker", "kill", self.name], check=True, capture_output=True, timeout=60)
        self.process.wait(20)
        self.bot.shutdown()
        self.log.close()

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))

    def secured(self, context: ssl.SSLContext, source: str = "127.0.0.1") -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))
        return context.wrap_socket(raw, server_hostname="bot.example")

    def raw(self, text: str, source: str = "127.0.0.1") -> str:
        """All that comes back; empty where the connection does not come about."""
        try:
            with self.secured(self.trust(), source) as one:
                one.sendall(text.encode("latin-1"))
                return b"".join(iter(lambda: one.recv(65536), b"")).decode("latin-1")
        except OSError:
            return ""

    def ask(self, line: str, *headers: str, source: str = "127.0.0.1") -> str:
        lines = [f"{line} HTTP/1.1", "Host: bot.example", "Connection: close", "Content-Length: 0", *headers, "", ""]
        return self.raw("\r\n".join(lines), source)

    def status(self, line: str, *headers: str, source: str = "127.0.0.1") -> int:
        words = self.ask(line, *headers, source=source).split(" ", 2)
        return int(words[1]) if len(words) > 1 else 0


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    one = Edge(tmp_path_factory.mktemp("edge"), rate=0)
    yield one
    one.close()


@pytest.mark.parametrize("path", [HOOK, "/webhooks/slack/webhook", f"{HOOK}?stream=true", "/socket.io/?EIO=4"])
def test_what_is_for_the_world_is_answered(edge: Edge, path: str) -> None:
    assert edge.status(f"POST {path}") == 200


@pytest.mark.parametrize("path", [
    "/", "/status", "//status", "/STATUS", "/status?token=x", "/model", "/version", "/domain", "/model/parse",
    "/conversations/x/tracker", "/webhooks/../status", "/webhooks/rest/webhook/../../../status", "/./status",
    "/webhooks/%2e%2e/status", "/%73tatus", "/webhooks/rest/%2e%2e/webhook", "/webhooks//webhook",
    "/socket.io/../status",
    "/socket.io/%2e%2e/status", "/socket.iox", "/webhooks/botyard/ready", "/WEBHOOKS/rest/webhook", "/status;/webhook",
    "/webhooks/rest/webhook/status", "/webhooks/rest/webhook%00", "\\status", "http://x/status", f"http://x{HOOK}", "*",
])  # fmt: skip
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_nothing_else_reaches_the_bot(edge: Edge, verb: str, path: str) -> None:
    before = len(Bot.asked)
    assert edge.status(f"{verb} {path}") in (400, 404)
    assert Bot.asked[before:] == []


def test_words_that_lead_elsewhere_are_dropped(edge: Edge) -> None:
    names = ("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix", "Forwarded", "Upgrade")
    assert edge.status(f"POST {HOOK}", *[f"{name}: /status" for name in names], "X-Forwarded-For: 9.9.9.9") == 200
    told = {name.lower(): value for name, value in Bot.asked[-1][2].items()}
    assert not {name.lower() for name in names} & set(told)
    assert (told["x-forwarded-for"], told["x-forwarded-proto"]) == ("127.0.0.1", "https")


@pytest.mark.parametrize("framing", [
    "Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Content-Length: 4\r\nContent-Length: 44", "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked",
])  # fmt: skip
def test_no_request_is_smuggled(edge: Edge, framing: str) -> None:
    before = len(Bot.asked)
    inner = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
    edge.raw(f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{framing}\r\n\r\n0\r\n\r\n{inner}")
    assert [path for _, path, _ in Bot.asked[before:] if path != HOOK] == []


def test_browsers_come_from_known_pages_alone(edge: Edge) -> None:
    upgrade = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    for origin in ("https://evil.example", "null", f"{SHOP}.evil.example", "http://shop.example", ""):
        assert edge.status(f"POST {HOOK}", f"Origin: {origin}") == 403, origin
        assert edge.status("GET /socket.io/?transport=websocket", f"Origin: {origin}", *upgrade) == 403, origin
    assert edge.status(f"POST {HOOK}", f"Origin: {SHOP}", "Origin: https://evil.example") == 403
    reply = edge.ask(f"POST {HOOK}", f"Origin: {SHOP}").lower()
    assert reply.count("access-control-allow-origin") == 1 and f"access-control-allow-origin: {SHOP}\r\n" in reply
    assert "access-control" not in edge.ask(f"POST {HOOK}").lower()
    # Without each of these a browser sends no JSON.
    reply = edge.ask(f"OPTIONS {HOOK}", f"Origin: {SHOP}", "Access-Control-Request-Method: POST").lower()
    assert " 204 " in reply and f"access-control-allow-origin: {SHOP}\r\n" in reply
    assert "access-control-allow-methods: get, post\r\n" in reply
    assert "access-control-allow-headers: content-type, authorization\r\n" in reply


def test_replies_carry_the_headers_of_a_careful_site(edge: Edge) -> None:
    reply = edge.ask(f"POST {HOOK}").lower()
    for line in ("strict-transport-security: max-age=31536000", "x-content-type-options: nosniff"):
        assert f"{line}\r\n" in reply
    assert "\r\nserver:" not in reply


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_and_strangers_are_refused(edge: Edge) -> None:
    for version, taken in (
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ):
        context = edge.trust()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        if taken:
            edge.secured(context).close()
        else:
            with pytest.raises(ssl.SSLError):
                edge.secured(context)
    with pytest.raises(ssl.SSLCertVerificationError):
        edge.secured(ssl.create_default_context())


def test_plain_http_is_sent_to_https_and_the_inside_stays_whole(edge: Edge) -> None:
    def plain(port: int, path: str) -> str:
        with socket.create_connection(("127.0.0.1", port), 10) as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: bot.example\r\nConnection: close\r\n\r\n".encode())
            return one.makefile().read()

    moved = plain(edge.plain, "/status")
    assert " 308 " in moved and "location: https://bot.example/status" in moved
    assert " 200 " in plain(edge.inside, "/status")


def test_a_renewed_certificate_is_served_by_the_same_process(edge: Edge) -> None:
    def serial() -> Any:
        with edge.secured(edge.trust()) as one:
            return (one.getpeercert() or {})["serialNumber"]

    assert serial() == "65"
    _certificate(edge.folder, "102")
    until = time.monotonic() + 20
    while serial() != "66":
        assert time.monotonic() < until, (edge.folder / "log").read_text()[-2000:]
        time.sleep(0.5)
    assert edge.process.poll() is None


def test_a_client_that_asks_too_often_waits_and_others_do_not(tmp_path: Path) -> None:
    one = Edge(tmp_path, rate=20)
    try:
        seen = [one.status(f"POST {HOOK}", source="127.0.0.2") for _ in range(25)]
        assert seen == [200] * 20 + [429] * 5
        assert "retry-after: 10\r\n" in one.ask(f"POST {HOOK}", source="127.0.0.2").lower()
        assert one.status(f"POST {HOOK}", source="127.0.0.3") == 200
    finally:
        one.close()


def test_within_the_cluster_who_asks_too_often_waits_and_is_let_in_again(tmp_path: Path) -> None:
    one = Edge(tmp_path, rate=20)

    def ask(source: str) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", one.inside, timeout=10, source_address=(source, 0))
        with contextlib.closing(connection):
            connection.request("POST", HOOK, b"{}", {"X-Forwarded-For": "10.0.0.9"})  # not believed
            reply = connection.getresponse()
            return reply.status, reply.headers["Retry-After"]

    try:
        assert [ask("127.0.0.2") for _ in range(25)] == [(200, None)] * 20 + [(429, "4")] * 5
        assert ask("127.0.0.3") == (200, None)
        time.sleep(8)  # HAProxy counts over a period that slides
        assert ask("127.0.0.2") == (200, None)
    finally:
        one.close()
