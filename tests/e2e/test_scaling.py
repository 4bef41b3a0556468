"""More replicas than nodes: the surplus one waits, and says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from botyard.verify.conversations import Conversation, play
from botyard.verify.put_back import put_back, scale, settled
from botyard.verify.released import RASA, Pod, Released
from botyard.wait import wait_until

pytestmark = pytest.mark.disruptive


def test_replicas_fill_the_workers_and_one_more_stays_pending(
    released: Released,
    greeting: Conversation,
    speak: Callable[[str, str], str],
    take_evidence: Callable[[], None],
) -> None:
    """A third replica takes the third worker; a fourth stays Pending, the reason is anti-affinity, the others serve."""
    workers = released.target.workers
    with put_back(released, RASA, on_failure=take_evidence):
        scale(released, RASA, workers)
        settled(released, RASA, 120)
        nodes = [pod.node for pod in released.rasa_pods()]
        assert len(nodes) == len(set(nodes)) == workers, nodes
        scale(released, RASA, workers + 1)
        stuck: list[Pod] = []

        def probe() -> tuple[bool, str]:
            stuck[:] = [pod for pod in released.rasa_pods() if not pod.node]
            reason = stuck[0].why_not_ready() if stuck else "no pod is Pending yet"
            return "Unschedulable" in reason, reason

        reason = wait_until("the surplus replica to be refused", probe, 30)
        assert "anti-affinity" in reason, reason
        print(reason)
        assert sum(pod.ready for pod in released.rasa_pods()) == workers
        play(greeting, speak)
    play(greeting, speak)
