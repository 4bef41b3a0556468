"""The way to a bot elsewhere: each connection goes to a ready pod in turn, and one that breaks ends alone."""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from botyard.contracts import BotyardError
from botyard.verify import forward


class Cluster:
    """EndpointSlices alone."""

    def __init__(self, **ready: bool) -> None:
        self.ready = ready

    def list(self, _version: str, kind: str, _namespace: str, *, labels: str) -> list[dict[str, Any]]:
        assert (kind, labels) == ("EndpointSlice", "kubernetes.io/service-name=myrasa")
        points = [{"conditions": {"ready": up}, "targetRef": {"name": name}} for name, up in self.ready.items()]
        return [{"ports": [{"name": "other", "port": 1}, {"name": "http", "port": 5005}], "endpoints": points}]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Pods that were asked. Each says its name and then what it heard; one called ``broken`` hangs up."""
    found: list[tuple[str, int]] = []

    def channel(_kube: Any, _namespace: str, pod: str, port: int) -> socket.socket:
        found.append((pod, port))
        ours, theirs = socket.socketpair()

        def pod_says() -> None:
            with theirs:
                if pod != "broken" and (heard := theirs.recv(100)):
                    theirs.sendall(pod.encode() + b" " + heard)

        threading.Thread(target=pod_says, daemon=True).start()
        return ours

    monkeypatch.setattr(forward, "_channel", channel)
    return found


def said(url: str, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5) as mine:
        mine.sendall(text)
        parts = []
        while part := mine.recv(100):
            parts.append(part)
        return b"".join(parts)


def test_connections_go_to_ready_pods_in_turn(asked: list[tuple[str, int]]) -> None:
    cluster: Any = Cluster(a=True, b=True, starting=False)
    with forward.forwarded(cluster, "n", "myrasa", "http") as url:
        assert {said(url, b"one"), said(url, b"two")} == {b"b one", b"a two"}
    assert asked == [("a", 5005), ("b", 5005), ("a", 5005)]
    with pytest.raises(OSError):
        said(url, b"after")


def test_a_pod_that_hangs_up_ends_its_own_connection_alone(asked: list[tuple[str, int]]) -> None:
    cluster: Any = Cluster(broken=True, sound=True)
    with forward.forwarded(cluster, "n", "myrasa", "http") as url:
        assert said(url, b"one") == b"sound one"
        assert said(url, b"two") == b""
        assert said(url, b"three") == b"sound three"


def test_without_a_ready_pod_it_says_so_at_once(asked: list[tuple[str, int]]) -> None:
    cluster: Any = Cluster(a=False)
    with pytest.raises(BotyardError, match="has no ready pod"), forward.forwarded(cluster, "n", "myrasa", "http"):
        pass
    assert not asked
