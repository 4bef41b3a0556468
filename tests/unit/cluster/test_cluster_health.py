from __future__ import annotations

from typing import Any, cast

import pytest
from kubernetes.client.exceptions import ApiException

from botyard.host import cluster_health
from botyard.tools.kube import Kube


def node(name: str, ready: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
STARTED = {"a": "2026-01-01T10:00:00.123456789Z", "b": "2026-01-01T10:00:00.1Z"}


def lease(name: str, renewed: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"renewTime": renewed}}


PODS = "/api/v1/namespaces/kube-system/pods"


def pod(name: str, on: str, since: str, ready: bool = True) -> dict[str, Any]:
    state = {"running": {"startedAt": since}}
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": on},
        "status": {"containerStatuses": [{"ready": ready, "state": state}]},
    }


SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"


def dns_slice(*addresses: str) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "kube-dns"}
    return {"metadata": {"labels": labels}, "endpoints": [{"addresses": [one]} for one in addresses]}


def dns_pod(address: str) -> dict[str, Any]:
    one = pod("dns", "a", "2026-01-01T10:00:01Z")
    one["metadata"]["labels"] = {"k8s-app": "kube-dns"}
    one["status"]["podIP"] = address
    return one


HEALTHY: dict[str, Any] = {
    SLICES: {"items": [dns_slice("10.0.0.1")]},
    PODS: {"items": [dns_pod("10.0.0.1"), pod("proxy", "b", "2026-01-01T10:00:00Z")]},
    "/api/v1/nodes": {"items": [node("a", "True"), node("b", "True")]},
    LEASES: {"items": [lease("a", "2026-01-01T10:00:01.000000Z"), lease("b", "2026-01-01T10:00:00.200000Z")]},
    "/api/v1/namespaces/default/serviceaccounts/default": {},
    "/apis/apps/v1/namespaces/kube-system/deployments/coredns": {
        "spec": {"replicas": 2},
        "status": {"readyReplicas": 2},
    },
    "/apis/storage.k8s.io/v1/storageclasses": {
        "items": [{"metadata": {"annotations": {cluster_health.DEFAULT_CLASS: "true"}}}]
    },
}


class Answers:
    def __init__(self, **changed: Any) -> None:
        self.table = HEALTHY | changed

    def read(self, path: str) -> Any:
        return self.table[path]


def probe(**changed: Any) -> tuple[bool, str]:
    return cluster_health.probe(cast(Kube, Answers(**changed)), 2, STARTED)


def test_healthy() -> None:
    assert probe() == (True, "2 nodes Ready, DNS up")


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/api/v1/nodes", {"items": [node("a", "True"), node("b", "False")]}, "nodes Ready 1/2, waiting for b"),
        ("/api/v1/nodes", {"items": [node("a", "True")]}, "nodes Ready 1/2"),
        ("/api/v1/namespaces/default/serviceaccounts/default", None, "no default ServiceAccount yet"),
        ("/apis/apps/v1/namespaces/kube-system/deployments/coredns", None, "no CoreDNS yet"),
        (
            "/apis/apps/v1/namespaces/kube-system/deployments/coredns",
            {"spec": {"replicas": 2}, "status": {}},
            "CoreDNS 0/2",
        ),
        (
            LEASES,
            {"items": [lease("a", "2026-01-01T09:59:59.000000Z"), lease("b", "2026-01-01T10:00:02.000000Z")]},
            "no sign of life since its restart: a",
        ),
        (PODS, {"items": [pod("dns", "a", "2026-01-01T09:00:00Z")]}, "waiting for dns"),
        (PODS, {"items": [pod("dns", "a", "2026-01-01T11:00:00Z", ready=False)]}, "waiting for dns"),
        (
            PODS,
            {"items": [{"metadata": {"name": f"p{n}"}, "spec": {}, "status": {}} for n in range(5)]},
            "waiting for p0, p1, p2 and 2 more",
        ),
        (SLICES, {"items": [dns_slice("10.0.0.9")]}, "the DNS Service has old addresses"),
        ("/apis/storage.k8s.io/v1/storageclasses", {"items": []}, "no default StorageClass yet"),
    ],
)
def test_what_blocks_is_named(path: str, answer: Any, said: str) -> None:
    done, state = probe(**{path: answer})
    assert not done and state.split("; ")[0] == said


def control_plane_pod(since: str) -> dict[str, Any]:
    one = pod("scheduler", "a", since, ready=False)
    one["metadata"]["labels"] = {"tier": "control-plane"}
    if not since:
        one["status"]["containerStatuses"][0]["state"] = {"waiting": {}}
    return one


@pytest.mark.parametrize(
    ("since", "started", "well"),
    [
        ("2026-01-01T10:00:01Z", STARTED, True),
        ("2026-01-01T09:59:59Z", STARTED, False),  # as the API shows it for a while after a restart
        ("", {}, False),
    ],
)
def test_the_control_plane_need_only_run(since: str, started: dict[str, str], well: bool) -> None:
    answers = Answers(**{PODS: {"items": [dns_pod("10.0.0.1"), control_plane_pod(since)]}})
    assert cluster_health.probe(cast(Kube, answers), 2, started)[0] is well


def test_a_node_that_joined_since_its_start_is_alive_before_its_first_lease() -> None:
    new = node("b", "True")
    new["metadata"]["creationTimestamp"] = "2026-01-01T10:00:30Z"
    only_a = {"items": [lease("a", "2026-01-01T10:00:01.000000Z")]}
    assert probe(**{LEASES: only_a, "/api/v1/nodes": {"items": [node("a", "True"), new]}})[0]
    old = {**new, "metadata": {**new["metadata"], "creationTimestamp": "2026-01-01T09:00:00Z"}}
    done, state = probe(**{LEASES: only_a, "/api/v1/nodes": {"items": [node("a", "True"), old]}})
    assert (done, state) == (False, "no sign of life since its restart: b")


def test_no_answer_is_a_state_and_no_error() -> None:
    class Silent:
        def read(self, _path: str) -> None:
            raise ApiException(status=503, reason="starting")

    done, state = cluster_health.probe(cast(Kube, Silent()), 2, STARTED)
    assert not done and "HTTP 503 starting" in state


def test_an_addon_that_is_not_ready_holds_nothing_up() -> None:
    addon = pod("metrics-server", "b", "2026-01-01T09:00:00Z", ready=False)
    waiting = probe(**{PODS: {"items": [*HEALTHY[PODS]["items"], addon]}})
    assert waiting == (False, "waiting for metrics-server")
    addon["metadata"]["labels"] = {cluster_health.ADDON_LABEL: "true"}
    assert probe(**{PODS: {"items": [*HEALTHY[PODS]["items"], addon]}}) == (True, "2 nodes Ready, DNS up")
