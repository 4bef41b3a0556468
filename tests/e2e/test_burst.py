"""A burst of 100 on one pod alone: it stays in the Service all the time, is not restarted, and answers everybody.

The author of the pattern had bursts of 100 that kept one pod busy for about half a minute. All pods have such a burst,
so readiness that gave up on them would lose it. Here nothing stands before the pod: no Service, no gateway.
"""

from __future__ import annotations

import os
import threading

import pytest

from botyard.verify.burst import burst
from botyard.verify.conversations import Conversation
from botyard.verify.released import RASA, RASA_CONTAINER, Pod, Released

pytestmark = pytest.mark.disruptive
PEOPLE = 100
BUSY_S = 30.0
LOOK_EVERY_S = 0.5


def in_service(released: Released, pod: Pod) -> bool:
    """Whether the pod's endpoint is ready in the Service's slices."""
    slices = released.kube.list(
        "discovery.k8s.io/v1", "EndpointSlice", released.namespace, labels=f"kubernetes.io/service-name={RASA}"
    )
    return any(
        pod.ip in endpoint["addresses"] and (endpoint.get("conditions") or {}).get("ready")
        for piece in slices
        for endpoint in piece.get("endpoints") or []
    )


def ready_since(pod: Pod) -> tuple[str, str, int]:
    """Status and time of the pod's Ready condition, and how often Rasa was restarted."""
    state = pod.body["status"]
    ready = next(one for one in state["conditions"] if one["type"] == "Ready")
    restarts = next(one["restartCount"] for one in state["containerStatuses"] if one["name"] == RASA_CONTAINER)
    return ready["status"], str(ready["lastTransitionTime"]), restarts


def test_a_burst_on_one_pod_never_takes_it_out_of_the_service(released: Released, greeting: Conversation) -> None:
    """100 people at once for half a minute: the endpoint never leaves, Ready never changes, nobody is lost."""
    at, source = released.rasa_pods()[:2]
    before = ready_since(at)
    left: list[str] = []
    looks, over = 0, threading.Event()

    def look() -> None:
        nonlocal looks
        while not over.wait(LOOK_EVERY_S):
            looks += 1
            if not in_service(released, at):
                left.append(f"look {looks}")

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        name = f"burst-{os.urandom(4).hex()}"
        found = burst(released, source, at, [greeting.turns[0].say], name, people=PEOPLE, seconds=BUSY_S)
    finally:
        over.set()
        watcher.join(timeout=10)
    print(found.line())
    assert not found.lost, "\n".join([found.line(), *found.lost[:5]])
    assert len(found.waits_s) >= PEOPLE
    assert looks >= BUSY_S / LOOK_EVERY_S / 4, "the Service was hardly looked at"
    assert not left, f"{at.name} was out of the Service at {', '.join(left)}; {found.line()}"
    now = next(pod for pod in released.rasa_pods() if pod.name == at.name)
    assert ready_since(now) == before, "Ready changed meanwhile, or Rasa was restarted"
