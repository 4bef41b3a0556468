"""A machine on which nothing was ever built, and a cluster that nothing was released to: as a plan finds them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from unit.commands import poison

# What helm asks for before it compares: which kinds there are.
_GROUPS = {
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
}
_CORE = {
    kind: f"{kind.lower()}s"
    for kind in (
        "Secret",
        "ConfigMap",
        "Pod",
        "Service",
        "Namespace",
        "Node",
        "ServiceAccount",
        "PersistentVolumeClaim",
    )
}
# A schema of no kind at all, as the API server packs it (protobuf): so helm holds no object against one.
_NO_SCHEMAS = b"\x0a\x032.0"


@contextmanager
def docker_engine() -> Iterator[tuple[str, list[str]]]:
    """An engine without any image or container: its DOCKER_HOST, and what it was asked to do rather than to tell."""
    told_to: list[str] = []
    has: dict[str, Any] = {
        "/_ping": "OK",
        "/version": {"Version": "28.0", "ApiVersion": "1.48", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"},
        "/images/json": [],
        "/containers/json": [],
    }

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/v1.48")
            if self.command not in ("GET", "HEAD"):
                told_to.append(f"{self.command} {path}")
            status, body = (200, has[path]) if path in has else (404, {"message": "No such image"})
            text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}", told_to
    finally:
        server.shutdown()
        server.server_close()


def answers(path: str) -> tuple[int, dict[str, Any] | bytes]:
    """The API server's, which plays an empty registry as well."""
    group = path.removeprefix("/apis/")
    if path == "/api/v1/nodes":
        return 200, {"apiVersion": "v1", "kind": "NodeList", "metadata": {}, "items": [_node(name) for name in "abc"]}
    if path == "/api":
        return 200, {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _GROUPS]}
    if path == "/api/v1":
        return 200, _kinds("v1", _CORE)
    if group in _GROUPS:
        return 200, _kinds(group, _GROUPS[group])
    if path == "/openapi/v2":
        return 200, _NO_SCHEMAS
    return poison.answered(path)


def _node(name: str) -> dict[str, Any]:
    info = {"kubeletVersion": "v1.34.4", "architecture": "amd64", "operatingSystem": "linux"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    room = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    ready = [{"type": "Ready", "status": "True"}]
    status = {"allocatable": room, "nodeInfo": info, "conditions": ready}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {},
        "status": status,
    }


def _group(version: str) -> dict[str, Any]:
    one = {"groupVersion": version, "version": version.partition("/")[2]}
    return {"name": version.partition("/")[0], "versions": [one], "preferredVersion": one}


def _kinds(version: str, kinds: dict[str, str]) -> dict[str, Any]:
    resources = [
        {"name": name, "kind": kind, "namespaced": kind not in ("Node", "Namespace"), "verbs": ["get", "list"]}
        for kind, name in kinds.items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
