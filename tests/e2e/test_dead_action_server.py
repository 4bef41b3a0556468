"""An action server that is gone must be noticed: Rasa then answers 200 with an empty list."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from botyard.verify.conversations import Conversation, play
from botyard.verify.put_back import put_back, scale
from botyard.verify.released import ACTIONS, Released
from botyard.verify.rest import LostReply, say
from botyard.wait import wait_until

pytestmark = pytest.mark.disruptive


def test_a_dead_action_server_fails_the_greeting(
    released: Released, greeting: Conversation, speak: Callable[[str, str], str], take_evidence: Callable[[], None]
) -> None:
    """With no action pod the greeting is lost every time, in the end as an empty list; with the pods back it passes."""
    if released.release["bot"] != "tea":
        pytest.skip("only of the demo bot it is known that its greeting comes from the action server")
    with put_back(released, ACTIONS, on_failure=take_evidence):
        scale(released, ACTIONS, 0)
        wait_until(
            "the action pods to leave",
            lambda: (not released.pods_of(ACTIONS), f"{len(released.pods_of(ACTIONS))} left"),
            60,
        )

        def loss() -> tuple[bool, str]:
            with pytest.raises(LostReply) as lost:
                say(released.base_url, f"check-dead-{os.urandom(4).hex()}", greeting.turns[0].say)
            return lost.value.kind == "empty", f"lost: {lost.value.kind}"

        # At first Rasa may still hold a kept-alive connection to a pod that is gone, and waits on it: that is lost too.
        wait_until("the loss to show as an empty list", loss, 90)
        with pytest.raises(LostReply):
            play(greeting, speak)

    def answered() -> tuple[bool, str]:
        try:
            play(greeting, speak)
        except LostReply as lost:
            return False, f"lost: {lost.kind}"
        return True, "answered"

    # The pods are Ready a moment before every node leads to them again.
    wait_until("the greeting after the pods are back", answered, 30)
