"""A burst of 100 on one pod alone: it stays in the Service all the time, is not restarted, and answers everybody.

The author of the pattern had bursts of 100 that kept one pod busy for about half a minute, as each message took a
quarter of a second. All pods have such a burst, so readiness that gave up on them would lose it. A light bot is much
faster: here each message is the greeting, said so often that it takes as long. Nothing stands before the pod: no
Service, no gateway.
"""

from __future__ import annotations

import os
import threading
import time

import pytest

from botyard.verify.burst import burst
from botyard.verify.conversations import Conversation
from botyard.verify.released import RASA, RASA_CONTAINER, RASA_PODS, RASA_PORT, Pod, Released
from botyard.verify.rest import REST_PATH, LostReply, judge

pytestmark = pytest.mark.disruptive
PEOPLE = 100
AS_THE_AUTHORS_S = 0.27  # of one message, at least
MOST_TIMES = 8192
LOOK_EVERY_S = 0.5


def in_service(released: Released, pod: Pod) -> bool:
    """Whether the pod's endpoint is ready in the Service's slices, or in those that the gateway goes by."""
    return pod.ip in released.ready_behind(RASA, RASA_PODS)


def ready_since(pod: Pod) -> tuple[str, str, int]:
    """Status and time of the pod's Ready condition, and how often Rasa was restarted."""
    state = pod.body["status"]
    ready = next(one for one in state["conditions"] if one["type"] == "Ready")
    restarts = next(one["restartCount"] for one in state["containerStatuses"] if one["name"] == RASA_CONTAINER)
    return ready["status"], str(ready["lastTransitionTime"]), restarts


def heavy(released: Released, at: Pod, greeting: str) -> str:
    """The greeting, repeated until the bot needs as long for it as the author's; or as often as it still answers."""

    def took_s(text: str) -> float:
        sender = f"heavy-{os.urandom(4).hex()}"
        said = {"sender": sender, "message": text}
        begun = time.monotonic()
        status, body = released.kube.pod_http(
            at.name, released.namespace, RASA_PORT, "POST", REST_PATH, said, timeout_s=30
        )
        judge(status, body, sender)
        return time.monotonic() - begun

    good, times = greeting, 64
    while times <= MOST_TIMES:
        text = " ".join([greeting] * times)
        try:
            fastest_s = min(took_s(text) for _ in range(3))
        except LostReply:
            return good
        good = text
        if fastest_s >= AS_THE_AUTHORS_S:
            return good
        times = times * 4 // 3
    return good


def test_a_burst_on_one_pod_never_takes_it_out_of_the_service(released: Released, greeting: Conversation) -> None:
    """100 people at once: the endpoint never leaves, Ready never changes, nobody is lost."""
    at, source = released.rasa_pods()[:2]
    message = heavy(released, at, greeting.turns[0].say)
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
        found = burst(released, source, at, message, name, people=PEOPLE)
    finally:
        over.set()
        watcher.join(timeout=10)
    print(found.line())
    assert not found.lost, "\n".join([found.line(), *found.lost[:5]])
    assert len(found.waits_s) == PEOPLE
    assert looks >= found.seconds / LOOK_EVERY_S / 4, "the Service was hardly looked at"
    assert not left, f"{at.name} was out of the Service at {', '.join(left)}; {found.line()}"
    now = next(pod for pod in released.rasa_pods() if pod.name == at.name)
    assert ready_since(now) == before, "Ready changed meanwhile, or Rasa was restarted"
