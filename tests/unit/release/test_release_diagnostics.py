"""How evidence reads."""

from __future__ import annotations

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
