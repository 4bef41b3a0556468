"""What runs where, as the cluster says."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from botyard.commands import released
from botyard.contracts import BadInput
from botyard.release.status import age, look
from botyard.tools.kube import Kube

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template: {spec: {containers: [{name: till, image: "till@sha256:1"}]}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
"""
HUSH = "hush"
RECORD = {
    "name": "shop", "namespace": "high", "version": 3, "manifest": MANIFEST,
    "config": {"applicationSettings": {"initialModel": f"http://me:{HUSH}@depot:8/m.tar.gz?sig={HUSH}",
    "initialModelSha256": "ab"}},
    "info": {"status": "deployed", "last_deployed": "2026-11-25T04:00:00Z", "description": "Upgrade complete"},
    "chart": {"metadata": {"name": "rasa", "version": "0.3.0"}},
}  # fmt: skip


def pod(name: str, ready: bool, restarts: int = 0) -> dict[str, Any]:
    state = {"name": "till", "ready": ready, "restartCount": restarts, "state": {"running": {}}}
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": "worker"},
        "status": {"startTime": "2026-11-25T04:01:00Z", "conditions": conditions, "containerStatuses": [state]},
    }


class Cluster:
    """Answers the two questions that are asked, and no other."""

    context = "there"

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = [
            {
                "metadata": {"labels": {"name": one["name"], "version": str(one["version"])}},
                "data": {
                    "release": base64.b64encode(base64.b64encode(gzip.compress(json.dumps(one).encode()))).decode()
                },
            }
            for one in records
        ]
        self.pods = [pod("b", False, 2), pod("a", True)]

    def list(self, api_version: str, kind: str, namespace: str, labels: str) -> list[dict[str, Any]]:
        assert (api_version, namespace) == ("v1", "high")
        if kind == "Secret":
            assert labels in ("owner=helm", "owner=helm,name=shop")
            return self.records
        assert kind == "Pod" and labels in ("app.kubernetes.io/instance=shop", "app=shop")
        return self.pods


def test_a_release_is_told_with_its_images_model_and_pods() -> None:
    (seen,) = look(cast(Kube, Cluster({**RECORD, "version": 2}, RECORD)), "high")
    assert (seen.name, seen.chart, seen.revision, seen.status) == ("shop", "rasa-0.3.0", 3, "deployed")
    assert (seen.images, seen.model, seen.model_sha256) == ({"till": "till@sha256:1"}, "http://depot:8/m.tar.gz", "ab")
    assert (seen.updated, seen.note) == ("2026-11-25T04:00:00Z", "Upgrade complete")
    assert [(p.name, p.node, p.restarts, bool(p.blocker)) for p in seen.pods] == [
        ("a", "worker", 0, False),
        ("b", "worker", 2, True),
    ]


@pytest.mark.parametrize(("leaving", "code"), [(False, 1), (True, 0)])
def test_a_pod_that_is_told_to_end_is_shown_and_nothing_is_wrong_with_it(
    leaving: bool, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Cluster(RECORD)
    if leaving:
        there.pods[0]["metadata"]["deletionTimestamp"] = "2026-11-25T04:02:00Z"
    target = SimpleNamespace(namespace="high")
    monkeypatch.setattr(released, "reach", lambda _name: (target, there))
    try:
        released.status.body(Context(), target="there")
        ended = 0
    except Exit as error:
        ended = error.code
    assert ended == code
    assert ("is ending" in capsys.readouterr().out) is leaving


def test_a_namespace_without_a_release_is_told_so() -> None:
    with pytest.raises(BadInput, match="namespace high of context there holds no release"):
        look(cast(Kube, Cluster()), "high")


@pytest.mark.parametrize(
    ("since", "told"),
    [("2026-11-25T03:59:20Z", "40 s"), ("2026-11-25T03:48:00+00:00", "12 min"), ("2026-11-25T02:00:00.5Z", "119 min"),
     ("2026-11-25T00:00:00Z", "4 h"), ("2026-11-20T04:00:00Z", "5 d"), ("2026-11-25T05:00:00Z", "0 s"), ("", "")],
)  # fmt: skip
def test_age_is_told_as_people_say_it(since: str, told: str) -> None:
    assert age(since, datetime(2026, 11, 25, 4, tzinfo=UTC)) == told
