"""Somebody on the internet: knows the bot's name and address, trusts an authority, and asks for whatever he likes."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import websocket

SOCKET = "/socket.io/?EIO=4&transport="


@dataclass(frozen=True)
class Stranger:
    """What is asked goes to the address, by the name; one connection, as one gateway pod counts one client.

    Args:
        ca: None trusts whom this machine trusts.
    """

    address: str
    host: str
    ca: Path | None

    def __post_init__(self) -> None:
        trusted = {"ca_certs": str(self.ca)} if self.ca else {}
        pool = urllib3.HTTPSConnectionPool(
            self.address, maxsize=1, server_hostname=self.host, assert_hostname=self.host, retries=False, timeout=30,
            cert_reqs="CERT_REQUIRED", **trusted,
        )  # fmt: skip
        object.__setattr__(self, "pool", pool)

    pool: Any = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """No redirect is followed."""
        named = {"Host": self.host, **{key.replace("_", "-"): value for key, value in headers.items()}}
        if body is not None:
            named["Content-Type"] = "application/json"
        text = None if body is None else json.dumps(body)
        answer: urllib3.BaseHTTPResponse = self.pool.urlopen(method, path, body=text, headers=named, redirect=False)
        return answer

    def say(self, text: str, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.ask("POST", "/webhooks/rest/webhook", {"sender": "stranger", "message": text}, **headers)

    def plain(self, path: str) -> urllib3.BaseHTTPResponse:
        """Without TLS, at port 80."""
        return urllib3.HTTPConnectionPool(self.address, timeout=30, retries=False).urlopen(
            "GET", path, headers={"Host": self.host}, redirect=False
        )

    def socket(self, origin: str | None = None) -> str:
        """The first word of a websocket; raises WebSocketBadStatusException where there is none."""
        options = {"ca_certs": str(self.ca), "server_hostname": self.host, "cert_reqs": ssl.CERT_REQUIRED}
        more: dict[str, Any] = {"origin": origin} if origin else {"suppress_origin": True}
        opened = websocket.create_connection(
            f"wss://{self.address}{SOCKET}websocket", sslopt=options, host=self.host, timeout=30, **more
        )
        try:
            return str(opened.recv())
        finally:
            opened.close()
