"""The pod that held a conversation is deleted, and another pod goes on with it."""

from __future__ import annotations

from typing import Any

import pytest

from botyard.verify.conversations import Conversation, play
from botyard.verify.put_back import settled
from botyard.verify.released import RASA, RASA_PORT, Pod, Released
from botyard.verify.rest import REST_PATH, judge

pytestmark = pytest.mark.disruptive


def test_a_conversation_goes_on_at_another_pod_when_its_pod_is_deleted(
    released: Released, memory: Conversation
) -> None:
    """Told to one pod, which is then deleted; the other one, asked at once and past the Service, knows it."""
    told, other = released.rasa_pods()[:2]
    at: list[Pod] = [told]

    def speak(sender: str, message: str) -> str:
        body: dict[str, Any] = {"sender": sender, "message": message}
        pod = at[-1]
        answer = released.kube.pod_http(pod.name, released.namespace, RASA_PORT, "POST", REST_PATH, body)
        if pod is told:
            released.kube.delete("v1", "Pod", told.name, released.namespace)
            at.append(other)
        return judge(*answer, sender).text

    try:
        play(memory, speak)
    finally:
        settled(released, RASA, 180, gone_too=True)
    assert told.name not in [pod.name for pod in released.rasa_pods()]
