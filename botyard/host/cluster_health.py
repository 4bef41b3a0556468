"""Is a kind cluster fit to work with, and if not, what blocks it."""

from __future__ import annotations

import urllib3
from kubernetes.client.exceptions import ApiException

from botyard.contracts import MARK_CONFIGMAP
from botyard.tools.kube import Kube

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
NO_ANSWER = (ApiException, urllib3.exceptions.HTTPError, OSError)


def stored_spec(kube: Kube) -> str | None:
    """The spec in our mark; None where the cluster does not carry it.

    Raises:
        NO_ANSWER: the API server does not answer.
    """
    found = kube.read(f"/api/v1/namespaces/kube-system/configmaps/{MARK_CONFIGMAP}")
    return None if found is None else str((found.get("data") or {}).get("spec", ""))


def probe(kube: Kube, nodes: int) -> tuple[bool, str]:
    """Whether all is well, and one line that names what blocks.

    Args:
        nodes: how many nodes there must be.
    """
    try:
        blocked = [*_nodes(kube, nodes), *_service_account(kube), *_dns(kube), *_storage(kube)]
    except NO_ANSWER as error:
        return False, f"the API server does not answer ({_short(error)})"
    return not blocked, "; ".join(blocked) or f"{nodes} nodes Ready, DNS up"


def _nodes(kube: Kube, wanted: int) -> list[str]:
    items = (kube.read("/api/v1/nodes") or {}).get("items", [])
    waiting = []
    for node in items:
        ready = next((c for c in node["status"].get("conditions", []) if c["type"] == "Ready"), None)
        if ready is None or ready["status"] != "True":
            waiting.append(str(node["metadata"]["name"]))
    if not waiting and len(items) == wanted:
        return []
    ready_count = len(items) - len(waiting)
    return [f"nodes Ready {ready_count}/{wanted}" + (f", waiting for {', '.join(sorted(waiting))}" if waiting else "")]


def _service_account(kube: Kube) -> list[str]:
    found = kube.read("/api/v1/namespaces/default/serviceaccounts/default")
    return [] if found is not None else ["no default ServiceAccount yet"]


def _dns(kube: Kube) -> list[str]:
    found = kube.read("/apis/apps/v1/namespaces/kube-system/deployments/coredns")
    if found is None:
        return ["no CoreDNS yet"]
    wanted, ready = found["spec"].get("replicas", 0), found.get("status", {}).get("readyReplicas", 0)
    return [] if ready >= wanted > 0 else [f"CoreDNS {ready}/{wanted}"]


def _storage(kube: Kube) -> list[str]:
    items = (kube.read("/apis/storage.k8s.io/v1/storageclasses") or {}).get("items", [])
    if any((c["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true" for c in items):
        return []
    return ["no default StorageClass yet"]


def _short(error: Exception) -> str:
    if isinstance(error, ApiException):
        return f"HTTP {error.status} {error.reason}"
    return type(error).__name__
