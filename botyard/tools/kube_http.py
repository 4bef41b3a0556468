"""The API server over plain HTTP, for a kubeconfig with certificates or a token: what the common requests need.

Importing the kubernetes library takes a tenth of a second, its discovery another; a run that has nothing to change
needs neither. A kubeconfig that asks for more (a program that logs in, a proxy) is left to the library.
"""

from __future__ import annotations

import base64
import functools
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from yaml import YAMLError

from botyard import yaml11
from botyard.later import later

urllib3 = later("urllib3")

_KNOWN_OF_CLUSTER = {"server", "certificate-authority-data", "extensions"}
_KNOWN_OF_USER = {"client-certificate-data", "client-key-data", "token"}
_PROXY = ("https_proxy", "http_proxy", "all_proxy")


@dataclass(frozen=True)
class Answer:
    """Status, reason and body of one reply."""

    status: int
    reason: str
    body: bytes


@dataclass
class Server:
    """One API server: connections stay open, for all threads and all tasks of a run.

    Args:
        authority: PEM of who vouches for it.
        places: where the objects of a kind lie, by API version and kind; filled as they are asked for.
    """

    url: str
    pool: Any
    headers: Mapping[str, str]
    authority: str
    places: dict[tuple[str, str], tuple[str, str, bool]] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: str | None,
        timeout_s: float,
    ) -> Answer:
        """One request.

        Raises:
            urllib3 HTTPError, OSError: it does not answer.
        """
        url = self.url + path + ("?" + urlencode(query) if query else "")
        reply = self.pool.request(method, url, body=body, headers={**self.headers, **headers}, timeout=timeout_s)
        return Answer(reply.status, reply.reason or "", reply.data)


def once_more() -> Any:
    """How often is asked again: once, for a connection that was closed meanwhile; urllib3's three times would wait for
    a server that says nothing four times as long as was meant. One that says "later" is asked three times, as ever."""
    return urllib3.util.Retry(total=3, connect=1, read=1)


def server(kubeconfig: Path, context: str) -> Server | None:
    """The server of a context; None where only the library can say how to reach it."""
    if any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXY):
        return None
    about = kubeconfig.stat()
    return _server(kubeconfig, context, about.st_mtime_ns, about.st_size)


@functools.lru_cache
def _server(kubeconfig: Path, context: str, _mtime_ns: int, _size: int) -> Server | None:
    try:
        document = yaml11.load(kubeconfig.read_text(encoding="utf-8"))
        chosen = _named(document, "contexts", context)["context"]
        cluster = _named(document, "clusters", chosen["cluster"])["cluster"]
        user = _named(document, "users", chosen["user"])["user"]
        if set(cluster) - _KNOWN_OF_CLUSTER or set(user) - _KNOWN_OF_USER or not cluster["server"].startswith("https:"):
            return None
        tls = urllib3.util.ssl_.create_urllib3_context()
        authority = _decoded(cluster["certificate-authority-data"]).decode("ascii")
        tls.load_verify_locations(cadata=authority)
        if "client-certificate-data" in user:
            _log_in(tls, _decoded(user["client-certificate-data"]) + b"\n" + _decoded(user["client-key-data"]))
    except (OSError, YAMLError, ValueError, LookupError, TypeError, AttributeError):
        return None  # the library says what is wrong
    headers = {"Accept": "application/json", "User-Agent": "botyard"}
    if "token" in user:
        headers["Authorization"] = f"Bearer {user['token']}"
    pool = urllib3.PoolManager(maxsize=8, ssl_context=tls, retries=once_more())
    return Server(cluster["server"].rstrip("/"), pool, headers, authority)


def _named(document: Any, what: str, name: str) -> Any:
    return {one["name"]: one for one in document[what]}[name]


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _log_in(tls: Any, certificate_and_key: bytes) -> None:
    """By a file that is gone at once, as Python takes the key from nowhere else."""
    with tempfile.NamedTemporaryFile() as file:  # mode 0600
        file.write(certificate_and_key)
        file.flush()
        tls.load_cert_chain(file.name)
