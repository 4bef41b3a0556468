"""Puts a file where every pod and this machine can fetch it: into the depot, whole or not at all."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botyard.contracts import BadInput, BotyardError
from botyard.host.rasa_container import sha256_of
from botyard.later import later
from botyard.targets import Target
from botyard.tools import docker

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

SERVED = "/srv/depot"
HTTP_TIMEOUT_S = 15
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*")


@dataclass(frozen=True)
class Published:
    """Where a file is: for this machine (``url``), for pods (``cluster_url``); ``changed`` if it was not before."""

    url: str
    cluster_url: str
    sha256: str
    changed: bool


def publish(
    src: Path, dest: str, target: Target, *, check: bool = False, progress: Callable[[str], None] = lambda _line: None
) -> Published:
    """Makes the depot serve ``src`` as ``dest``; unchanged where it serves the same content already.

    Raises:
        BadInput: dest is no plain relative path, or src is missing.
        BotyardError: no depot runs, or it does not serve the file afterwards.
    """
    if not _NAME.fullmatch(dest):
        raise BadInput(f"{dest!r} is no path for the depot", "use letters, digits, ., _, + and - between slashes")
    depot = f"{target.cluster}-depot"
    url = f"http://127.0.0.1:{target.ports.depot}/{dest}"
    cluster_url = f"http://{depot}/{dest}"
    if check and not src.is_file():
        return Published(url, cluster_url, "", changed=True)  # an earlier task would make it
    if not src.is_file():
        raise BadInput(f"there is no file {src} to publish")
    sha256 = sha256_of(src)
    container = docker.container(depot) if not check or docker.engine_answers() else None
    running = container is not None and container.status == "running"
    if check and not running:
        return Published(url, cluster_url, sha256, changed=True)
    if container is None or not running:
        raise BotyardError(f"the depot {depot} does not run", "run invoke e2e --tags services")
    final = f"{SERVED}/{dest}"
    changed = _sha256_inside(depot, final) != sha256
    if changed and not check:
        progress(f"{src.name} to the depot, {src.stat().st_size / 1e6:.1f} MB")
        folder, name = posixpath.split(final)
        part = f"{name}.{sha256[:12]}.part"
        docker.exec_in(depot, ["mkdir", "-p", folder])
        docker.put_path(container, folder, part, src)
        arrived = _sha256_inside(depot, f"{folder}/{part}")
        if arrived != sha256:
            raise BotyardError(f"{src.name} arrived in the depot as other content", "run it again")
        docker.exec_in(depot, ["mv", "-f", f"{folder}/{part}", final])
    if not check or not changed:
        _served(url, src.stat().st_size)
    return Published(url, cluster_url, sha256, changed)


def _sha256_inside(container: str, path: str) -> str:
    done = docker.exec_in(container, ["sha256sum", path], check=False)
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout.strip() else ""


def _served(url: str, size: int) -> None:
    cure = "run invoke e2e --tags services"
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the user's must not be asked for 127.0.0.1
            reply = session.head(url, timeout=HTTP_TIMEOUT_S)
    except requests.RequestException as error:
        raise BotyardError(f"{url} does not answer: {error}", cure) from error
    length = reply.headers.get("Content-Length", "")
    if reply.status_code != 200 or length != str(size):
        raise BotyardError(f"{url} answers {reply.status_code} with {length or 'no'} bytes instead of {size}", cure)
