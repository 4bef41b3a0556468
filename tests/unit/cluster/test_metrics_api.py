"""When the metrics API counts as there, and when the API server's connection to it is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from botyard.contracts import TimedOut
from botyard.host import metrics_api
from botyard.tools import docker
from botyard.tools.kube_http import Answer

STRANGE = ("--orig-dst", "10.96.1.2", "--reply-src", "10.96.1.2")


class Cluster:
    """Shows one condition after the other, the last one for ever; of a number of probes the API is not well served."""

    def __init__(self, *reasons: str, badly: int = 0, status: int = 200) -> None:
        self.reasons = list(reasons)
        self.badly, self.status = badly, status

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        if path == metrics_api.SERVED:
            self.badly -= 1
            return Answer(self.status if self.badly >= 0 else 200, "", b"")
        assert (method, path) == ("GET", "/apis") and headers
        version = {"version": "v1beta1", "freshness": "Stale" if self.badly >= 0 else "Current"}
        group = {"metadata": {"name": "metrics.k8s.io"}, "versions": [version]}
        return Answer(200, "", json.dumps({"items": [group]}).encode())

    def read(self, path: str) -> dict[str, Any] | None:
        if path == metrics_api.SERVICE:
            return {"spec": {"clusterIP": "10.96.1.2"}}
        if path == metrics_api.CONTROL_PLANE:
            return {"items": [{"metadata": {"name": "shop-control-plane"}}]}
        assert path == metrics_api.API
        reason = self.reasons.pop(0) if len(self.reasons) > 1 else self.reasons[0]
        if reason == "absent":
            return None
        return {"status": {"conditions": [{"type": "Available", "status": str(reason == "Passed"), "reason": reason}]}}


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(docker, "exec_in", lambda node, argv, **_: found.append((node, *argv)))
    clock = iter(range(10_000))
    wait = metrics_api.wait_until
    monkeypatch.setattr(
        metrics_api, "wait_until", lambda *a, **k: wait(*a, **k, clock=lambda: next(clock), sleep=lambda _: None)
    )
    yield found


def told(cluster: Cluster, timeout_s: float = 180) -> list[str]:
    lines: list[str] = []
    metrics_api.wait(cluster, lines.append, timeout_s)  # type: ignore[arg-type]
    return lines


def test_one_that_answers_is_asked_once_and_left_alone(cuts: list[tuple[str, ...]]) -> None:
    assert not told(Cluster("Passed")) and not cuts


def test_a_server_that_only_starts_is_waited_for_and_nothing_is_cut(cuts: list[tuple[str, ...]]) -> None:
    assert len(told(Cluster("absent", *["MissingEndpoints"] * 20, "Passed"))) == 2 and not cuts


def test_a_strangers_connection_is_cut_until_the_right_one_answers(cuts: list[tuple[str, ...]]) -> None:
    told(Cluster(*["FailedDiscoveryCheck"] * 11, "Passed"))
    assert cuts == [("shop-control-plane", "conntrack", "-D", "-p", "tcp", *STRANGE)] * 2


@pytest.mark.parametrize(("status", "said"), [(404, "not what answers"), (200, "is stale")])
def test_one_that_is_available_and_badly_served_is_cut_free(
    cuts: list[tuple[str, ...]], status: int, said: str
) -> None:
    """As seen on a new cluster: the check has a good connection, requests have a stranger's."""
    lines = told(Cluster("Passed", badly=6, status=status))
    assert any(said in line for line in lines) and len(cuts) == 1


def test_what_never_comes_ends_with_its_reason(cuts: list[tuple[str, ...]]) -> None:
    with pytest.raises(TimedOut, match="metrics API after 9 s; last seen: waiting for the metrics API: MissingEnd"):
        told(Cluster("MissingEndpoints"), 9)
