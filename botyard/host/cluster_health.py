"""Is a cluster of ours fit to work with, and if not, what blocks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botyard.contracts import MARK_CONFIGMAP
from botyard.later import later
from botyard.tools.kube import Kube, no_answer

kubernetes = later("kubernetes")

# Pods with this label are no part of a healthy cluster: an add-on that cannot start is no reason to make it anew.
ADDON_LABEL = "botyard/addon"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def stored_spec(kube: Kube) -> str | None:
    """The spec in our mark; None where the cluster does not carry it.

    Raises:
        no_answer(): the API server does not answer.
    """
    found = kube.read(f"/api/v1/namespaces/kube-system/configmaps/{MARK_CONFIGMAP}")
    return None if found is None else str((found.get("data") or {}).get("spec", ""))


def probe(kube: Kube, nodes: int, started: Mapping[str, str]) -> tuple[bool, str]:
    """Whether all is well, and one line that names what blocks.

    Args:
        nodes: how many nodes there must be.
        started: node -> when its container was last started (RFC 3339). For up to 40 s after a restart the API still
            shows what was before: nodes count as Ready, and pods as running. Only what is newer than that counts.
    """
    try:
        items = (kube.read("/api/v1/nodes") or {}).get("items", [])
        blocked = [*_nodes(items, nodes), *_service_account(kube), *_dns(kube), *_storage(kube)]
        pods = (kube.read("/api/v1/namespaces/kube-system/pods") or {}).get("items", [])
        blocked += [*_leases(kube, items, started), *_pods(pods, started), *_dns_addresses(kube, pods)]
    except no_answer() as error:
        return False, f"the API server does not answer ({_short(error)})"
    return not blocked, "; ".join(blocked) or f"{nodes} nodes Ready, DNS up"


def _nodes(items: list[dict[str, Any]], wanted: int) -> list[str]:
    waiting = []
    for node in items:
        ready = next((c for c in node["status"].get("conditions", []) if c["type"] == "Ready"), None)
        if ready is None or ready["status"] != "True":
            waiting.append(str(node["metadata"]["name"]))
    if not waiting and len(items) == wanted:
        return []
    ready_count = len(items) - len(waiting)
    return [f"nodes Ready {ready_count}/{wanted}" + (f", waiting for {', '.join(sorted(waiting))}" if waiting else "")]


def _leases(kube: Kube, nodes: list[dict[str, Any]], started: Mapping[str, str]) -> list[str]:
    leases = (kube.read("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases") or {}).get("items", [])
    # A new node renews its lease some 10 s after it joined: until then its joining is the sign.
    alive = {str(node["metadata"]["name"]): str(node["metadata"].get("creationTimestamp", "")) for node in nodes}
    for lease in leases:
        name, renewed = str(lease["metadata"]["name"]), str(lease["spec"].get("renewTime", ""))
        alive[name] = max(alive.get(name, ""), renewed)
    # All are UTC and sort as they are; 26 characters are microseconds, and Z sorts after a fraction.
    silent = sorted(name for name, since in started.items() if alive.get(name, "")[:26] < since[:26])
    return [f"no sign of life since its restart: {', '.join(silent)}"] if silent else []


def _pods(pods: list[dict[str, Any]], started: Mapping[str, str]) -> list[str]:
    """The cluster's own pods (add-ons are not): all containers ready, and none from before its node's last start.

    For the control plane's it is enough that they run: nodes, DNS and ServiceAccount show that they work, and the
    kubelet notes them as ready only up to 10 s later.
    """
    waiting = []
    for pod in pods:
        since = started.get(pod["spec"].get("nodeName", ""), "")[:19]  # whole seconds: pods know no fraction
        if ADDON_LABEL in pod["metadata"].get("labels", {}):
            continue
        states = pod.get("status", {}).get("containerStatuses", [])
        proven = pod["metadata"].get("labels", {}).get("tier") == "control-plane"
        began = [str(s["state"].get("running", {}).get("startedAt", ""))[:19] for s in states if s["ready"] or proven]
        fresh = [moment for moment in began if moment and moment >= since]
        if not states or len(fresh) < len(states):
            waiting.append(str(pod["metadata"]["name"]))
    return [f"waiting for {_some(waiting)}"] if waiting else []


def _dns_addresses(kube: Kube, pods: list[dict[str, Any]]) -> list[str]:
    """The DNS Service leads to the addresses that its pods have now: pods get other ones when their node restarts."""
    slices = (kube.read("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices") or {}).get("items", [])
    told = {
        address
        for one in slices
        if one["metadata"].get("labels", {}).get("kubernetes.io/service-name") == "kube-dns"
        for endpoint in one.get("endpoints") or []
        for address in endpoint["addresses"]
    }
    labelled = [pod for pod in pods if pod["metadata"].get("labels", {}).get("k8s-app") == "kube-dns"]
    return [] if told == {pod["status"].get("podIP") for pod in labelled} else ["the DNS Service has old addresses"]


def _some(names: list[str]) -> str:
    """At most three of them."""
    return ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


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
    if isinstance(error, kubernetes.client.ApiException):
        return f"HTTP {error.status} {error.reason}"
    return type(error).__name__
