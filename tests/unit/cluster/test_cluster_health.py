from __future__ import annotations

from typing import Any, cast

import pytest
from kubernetes.client.exceptions import ApiException

from botyard.host import cluster_health
from botyard.tools.kube import Kube


def node(name: str, ready: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


HEALTHY: dict[str, Any] = {
    "/api/v1/nodes": {"items": [node("a", "True"), node("b", "True")]},
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
    return cluster_health.probe(cast(Kube, Answers(**changed)), 2)


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
        ("/apis/storage.k8s.io/v1/storageclasses", {"items": []}, "no default StorageClass yet"),
    ],
)
def test_what_blocks_is_named(path: str, answer: Any, said: str) -> None:
    assert probe(**{path: answer}) == (False, said)


def test_no_answer_is_a_state_and_no_error() -> None:
    class Silent:
        def read(self, _path: str) -> None:
            raise ApiException(status=503, reason="starting")

    done, state = cluster_health.probe(cast(Kube, Silent()), 2)
    assert not done and "HTTP 503 starting" in state
