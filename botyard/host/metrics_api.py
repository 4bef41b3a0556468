"""Waits until the metrics API of a cluster of ours answers, and frees it from a stranger's connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botyard.tools import docker
from botyard.tools.kube import EVERY_KIND, Kube
from botyard.wait import wait_until

API = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
SERVICE = "/api/v1/namespaces/kube-system/services/metrics-server"
CONTROL_PLANE = "/api/v1/nodes?labelSelector=node-role.kubernetes.io/control-plane"
SERVED = "/apis/metrics.k8s.io/v1beta1"
_STRANGE = ("it is not what answers", "what was discovered of it is stale")
CURE = "kubectl -n kube-system logs deployment/metrics-server says why"
_HEAL_EVERY = 5  # probes, of a second each: a new connection needs a moment to show


def wait(kube: Kube, progress: Callable[[str], None], timeout_s: float = 180) -> None:
    """Until the API server says that it is available: before that helm warns, and no namespace can be removed.

    A node that starts again asks for metrics before its kube-proxy knows the Service's address. Such a connection
    leaves the machine, and where a proxy outside takes it, the API server keeps it for ever and reads 404 from it
    (seen on 1.34; neither a CA for the API nor time ends it). It is cut in the node's connection tracking.

    Raises:
        TimedOut: it did not come.
    """
    failures = 0

    def probe() -> tuple[bool, str]:
        nonlocal failures
        conditions = ((kube.read(API) or {}).get("status") or {}).get("conditions") or []
        found: dict[str, str] = next((one for one in conditions if one["type"] == "Available"), {})
        why = found.get("reason", "not asked yet") if found.get("status") != "True" else _not_served(kube)
        if why in ("FailedDiscoveryCheck", *_STRANGE):
            failures += 1
            if failures % _HEAL_EVERY == 0:
                _cut(kube)
        return not why, f"waiting for the metrics API: {why}" if why else ""

    wait_until("the metrics API", probe, timeout_s, progress=progress, cure=CURE)


def _not_served(kube: Kube) -> str:
    """What is wrong with its answers: the check of availability may have a good connection, and requests another."""
    if kube.ask("GET", SERVED).status != 200:
        return _STRANGE[0]
    groups: list[dict[str, Any]] = json.loads(kube.ask("GET", "/apis", headers=EVERY_KIND).body).get("items") or []
    fresh = any(
        version.get("freshness") == "Current"
        for group in groups
        if group["metadata"]["name"] == "metrics.k8s.io"
        for version in group["versions"]
    )
    return "" if fresh else _STRANGE[1]


def _cut(kube: Kube) -> None:
    """Ends the connections that are answered by the Service's very address, and so by no pod."""
    address = ((kube.read(SERVICE) or {}).get("spec") or {}).get("clusterIP")
    for node in (kube.read(CONTROL_PLANE) or {}).get("items") or [] if address else []:
        strange = ["-p", "tcp", "--orig-dst", str(address), "--reply-src", str(address)]
        # Its container has the node's name. Exit code 1: there was none.
        docker.exec_in(node["metadata"]["name"], ["conntrack", "-D", *strange], check=False, timeout_s=20)
