"""Where everything ambient leads to a server that notes who knocks, and a target to a cluster that may be asked."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
UID = "74e31513-373e-4f70-9e50-5cd3e9de53b9"
ELSEWHERE = "elsewhere.invalid:6443"  # no such host: only a proxy can be asked for it


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def recorder() -> Iterator[tuple[int, list[str]]]:
    """A server, also of use as a proxy, that tells nobody anything: its port, and what it was asked."""
    asked: list[str] = []

    class Recording(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_error(502)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_CONNECT = do_GET

        def log_message(self, *_: object) -> None: ...

    with _served(Recording) as port:
        yield port, asked


@dataclass
class Cluster:
    """The API server that a target names: it has a kube-system, allows everything, and is else empty."""

    port: int
    ca: Path
    asked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by the caller's token

    @property
    def ca_sha256(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.ca.read_text())).hexdigest()


Answers = Callable[[str], tuple[int, dict[str, Any] | bytes]]


@contextmanager
def cluster(folder: Path, answers: Answers | None = None) -> Iterator[Cluster]:
    """Runs one, under an authority of its own; ``answers`` says more than an empty one has."""
    key, ca = folder / "server.key", folder / "ca.crt"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=there", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *names, "-keyout", key, "-out", ca], check=True, capture_output=True
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca, key)
    found = Cluster(0, ca)

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self._note(path)
            self._answer(*(answers or answered)(path))

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._note(self.path)
            self._answer(201, {**given, "status": {"allowed": True}})

        def _note(self, path: str) -> None:
            found.asked[self.headers.get("Authorization", "").removeprefix("Bearer ")].append(f"{self.command} {path}")

        def _answer(self, status: int, body: dict[str, Any] | bytes) -> None:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    with _served(Api, tls) as port:
        found.port = port
        yield found


_KINDS = {
    "/api/v1": ["Secret", "ConfigMap", "Pod", "Service", "Namespace", "Node"],
    "/apis/apps/v1": ["Deployment", "StatefulSet", "ReplicaSet"],
    "/apis/discovery.k8s.io/v1": ["EndpointSlice"],
}


def answered(path: str) -> tuple[int, dict[str, Any] | bytes]:
    """What the empty cluster says."""
    if path == "/api/v1/namespaces/kube-system":
        return 200, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": UID}}
    if path == "/version":
        return 200, {"major": "1", "minor": "34", "gitVersion": "v1.34.4"}
    if path in _KINDS:
        kinds = [
            {"name": f"{kind.lower()}s", "kind": kind, "namespaced": kind not in ("Namespace", "Node"), "verbs": []}
            for kind in _KINDS[path]
        ]
        return 200, {"kind": "APIResourceList", "resources": kinds}
    if path.count("/") == 5 and "/namespaces/" in path:
        return 200, {"apiVersion": "v1", "kind": "List", "items": []}
    return 404, {"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": f"no {path}", "code": 404}


def copy_of_this(root: Path) -> None:
    """A checkout of its own by little: what is run is copied, what is only read is linked."""
    root.mkdir()
    shutil.copytree(ROOT / "botyard", root / "botyard")
    shutil.copytree(ROOT / "values", root / "values")
    for file in ROOT.iterdir():
        if file.name not in ("botyard", "values", ".git", ".botyard", ".venv") and not file.name.endswith(".egg-info"):
            (root / file.name).symlink_to(file)


def write_targets(root: Path, there: Cluster) -> None:
    """Those of a checkout: ``kind`` is here a cluster that exists, so that what asks for no target finds that one."""
    existing = {"driver": "existing", "context": "there", "kubeconfig": "~/named", "namespace": "shop"}
    targets = {
        "kind": existing,
        "pinned": {**existing, "pin": {"ca_sha256": there.ca_sha256, "kube_system_uid": UID}},
        "lost": {**existing, "context": "lost"},
        "nowhere": {**existing, "driver": "aks", "kubeconfig": "~/nothing"},
        "azure": {"driver": "aks", "azure": {"resource_group": "shop", "cluster": "shop"}},
        # Ports that nobody listens on: on this machine a bot may be released.
        "ours": {
            "driver": "kind", "cluster": "botyard-poisoned", "sources": "packages",
            "ports": {"rasa": 1, "registry": 2, "depot": 3},
        },
    }  # fmt: skip
    (root / "values/targets.yml").write_text(yaml.safe_dump({"targets": targets}))


def _kubeconfig(token: str, current: str, **servers: dict[str, str]) -> str:
    user = {"name": "u", "user": {"token": token}}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": current,
            "clusters": [{"name": name, "cluster": cluster} for name, cluster in servers.items()],
            "users": [user],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers],
        }
    )


def environment(home: Path, poison: int, there: Cluster) -> dict[str, str]:
    """Writes a home and gives the environment of who lives there: all that is ambient leads to the recorder's port.

    ``~/named`` is what the targets name; even its current context is another than the one that they name.
    """
    (home / ".kube").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "tmp").mkdir()
    (home / "bin/az").write_text("#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n")
    (home / "bin/az").chmod(0o755)
    ca = base64.b64encode(there.ca.read_bytes()).decode()
    named = {"server": f"https://127.0.0.1:{there.port}", "certificate-authority-data": ca}
    bad, far = {"server": f"http://127.0.0.1:{poison}"}, {"server": f"https://{ELSEWHERE}"}
    (home / "named").write_text(_kubeconfig(home.name, "bad", bad=bad, there=named))
    (home / ".kube/config").write_text(_kubeconfig(home.name, "there", there=far, **{"kind-botyard-poisoned": far}))
    (home / "poison").write_text(_kubeconfig(home.name, "there", there=bad, **{"kind-botyard-poisoned": bad}))
    proxy = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://127.0.0.1:{poison}")
    return {
        **proxy,
        **{name.lower(): url for name, url in proxy.items()},
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PATH": f"{home / 'bin'}:{Path(sys.executable).parent}:{os.defpath}",
        "KUBECONFIG": str(home / "poison"),
        "KUBERNETES_MASTER": f"http://127.0.0.1:{poison}",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(poison),
        "K8S_AUTH_KUBECONFIG": str(home / "poison"),
        "K8S_AUTH_HOST": f"http://127.0.0.1:{poison}",
        "HELM_KUBEAPISERVER": f"http://127.0.0.1:{poison}",
        "HELM_KUBECONTEXT": "there",
        "HELM_KUBETOKEN": "of-another",
        "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "true",
        "DOCKER_HOST": f"unix://{home / 'no-engine.sock'}",
    }
