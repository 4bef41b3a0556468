"""How evidence reads."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, cast

from botyard.release import diagnostics

EVENT = {
    "metadata": {"creationTimestamp": "2026-01-02T03:04:05Z"},
    "lastTimestamp": "2026-01-02T03:05:00Z",
    "type": "Warning",
    "reason": "FailedScheduling",
    "message": "0/3 nodes\n  are available",
    "count": 4,
    "involvedObject": {"kind": "Pod", "name": "myrasa-x"},
}


def test_an_event_is_one_line() -> None:
    assert diagnostics.event_line(EVENT) == (
        "2026-01-02T03:05:00Z Warning Pod/myrasa-x FailedScheduling: 0/3 nodes are available (x4)"
    )


def test_a_description_starts_with_what_holds_the_pod_back() -> None:
    pod = {
        "metadata": {"name": "myrasa-x", "managedFields": [{"noise": 1}]},
        "spec": {"nodeName": "worker"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
            "containerStatuses": [
                {"name": "rasa-oss", "ready": False, "restartCount": 0, "image": "i", "state": {"running": {"a": 1}}}
            ],
        },
    }
    text = diagnostics.describe(pod, [EVENT])
    assert "held back by: myrasa-x on worker: rasa-oss runs, not Ready yet" in text.splitlines()[2]
    assert "Ready: False ContainersNotReady" in text
    assert "FailedScheduling" in text
    assert "noise" not in text


def test_evidence_shows_no_secret_wherever_it_stands(tmp_path: Path) -> None:
    quoted = 'say "hush" twice'
    env = [{"name": "OLD_PASSWORD", "value": "of-an-older-replica-set"}, {"name": "SIZE", "value": "in-plain-sight"}]
    objects: dict[str, list[dict[str, Any]]] = {
        "ReplicaSet": [{"metadata": {"name": "tea-1"}, "spec": {"env": [*env, {"name": "X", "value": quoted}]}}],
        "Secret": [{"metadata": {"name": "s"}, "data": {"a": base64.b64encode(quoted.encode()).decode()}}],
        "Event": [{**EVENT, "message": "got of-the-plan and of-an-older-replica-set"}],
    }

    class Cluster:
        def list(self, _version: str, kind: str, _namespace: str, **_more: str) -> list[dict[str, Any]]:
            return objects.get(kind, [])

    diagnostics.collect(cast(Any, Cluster()), "shop", tmp_path, hidden=["of-the-plan"])
    written = "".join(file.read_text() for file in tmp_path.iterdir())
    assert "in-plain-sight" in written and "FailedScheduling: got *** and ***" in written
    for secret in ("of-the-plan", "of-an-older-replica-set", json.dumps(quoted)[1:-1]):
        assert secret not in written
