"""Is a kind cluster fit to work with, and if not, what blocks it."""

from __future__ import annotations

from typing import Any

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from botyard.contracts import MARK_CONFIGMAP
from botyard.tools.kube import Kube

REQUEST_TIMEOUT_S = 5
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def stored_spec(kube: Kube) -> str | None:
    """The spec in our mark; None where the cluster does not carry it.

    Raises:
        ApiException, HTTPError, OSError: the API server does not answer.
    """
    try:
        found = kube.core.read_namespaced_config_map(
            MARK_CONFIGMAP, "kube-system", _request_timeout=REQUEST_TIMEOUT_S
        )
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    return str((found.data or {}).get("spec", ""))


def probe(kube: Kube, nodes: int) -> tuple[bool, str]:
    """Whether all is well, and one line that names what blocks.

    Args:
        nodes: how many nodes there must be.
    """
    try:
        blocked = [*_nodes(kube, nodes), *_service_account(kube), *_dns(kube), *_storage(kube)]
    except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        return False, f"the API server does not answer ({_short(error)})"
    return not blocked, "; ".join(blocked) or f"{nodes} nodes Ready, DNS up"


def _nodes(kube: Kube, wanted: int) -> list[str]:
    items: list[Any] = kube.core.list_node(_request_timeout=REQUEST_TIMEOUT_S).items
    waiting = []
    for node in items:
        ready = next((c for c in node.status.conditions or [] if c.type == "Ready"), None)
        if ready is None or ready.status != "True":
            waiting.append(str(node.metadata.name))
    if not waiting and len(items) == wanted:
        return []
    ready_count = len(items) - len(waiting)
    return [f"nodes Ready {ready_count}/{wanted}" + (f", waiting for {', '.join(sorted(waiting))}" if waiting else "")]


def _service_account(kube: Kube) -> list[str]:
    try:
        kube.core.read_namespaced_service_account("default", "default", _request_timeout=REQUEST_TIMEOUT_S)
    except ApiException as error:
        if error.status != 404:
            raise
        return ["no default ServiceAccount yet"]
    return []


def _dns(kube: Kube) -> list[str]:
    apps = client.AppsV1Api(kube.api)
    try:
        found = apps.read_namespaced_deployment("coredns", "kube-system", _request_timeout=REQUEST_TIMEOUT_S)
    except ApiException as error:
        if error.status != 404:
            raise
        return ["no CoreDNS yet"]
    wanted, ready = found.spec.replicas or 0, found.status.ready_replicas or 0
    return [] if ready >= wanted > 0 else [f"CoreDNS {ready}/{wanted}"]


def _storage(kube: Kube) -> list[str]:
    classes: list[Any] = client.StorageV1Api(kube.api).list_storage_class(_request_timeout=REQUEST_TIMEOUT_S).items
    if any((c.metadata.annotations or {}).get(DEFAULT_CLASS) == "true" for c in classes):
        return []
    return ["no default StorageClass yet"]


def _short(error: Exception) -> str:
    if isinstance(error, ApiException):
        return f"HTTP {error.status} {error.reason}"
    return type(error).__name__
