"""Messages of one sender, over all pods at once: each is answered, one at a time, in the order in which they came."""

from __future__ import annotations

import os

import pytest

from botyard.verify.conversations import Conversation
from botyard.verify.one_sender import Answer, Crowd, crowd
from botyard.verify.released import Pod, Released
from botyard.verify.rest import judge

pytestmark = pytest.mark.readonly
MESSAGES = 48


@pytest.fixture(scope="module")
def seen(released: Released, rasa_pods: list[Pod], greeting: Conversation) -> Crowd:
    """Both crowds, once for all checks of this file."""
    assert len(rasa_pods) > 1, "needs two Rasa pods"
    sender = f"check-order-{os.urandom(4).hex()}"
    return crowd(released, rasa_pods, sender, greeting.turns[0].say, MESSAGES)


def all_answered(replies: list[Answer]) -> None:
    """Each with something that a person can read."""
    for reply in replies:
        judge(reply.status, reply.body, reply.sender)


def test_messages_of_one_sender_keep_the_order_in_which_they_came(seen: Crowd) -> None:
    """48 messages come at the pods in turn, while one before them is handled; they are handled in that order."""
    all_answered(seen.held.replies)
    assert seen.early == 0, "answered while another message of the sender was being handled"
    assert seen.held.numbers == list(range(MESSAGES))
    assert seen.held.mixed == []
    print(f"{MESSAGES} of {MESSAGES} in order, {seen.seconds:.1f} s")


def test_messages_of_one_sender_at_once_are_handled_one_at_a_time(seen: Crowd) -> None:
    """48 messages at the same moment: none is lost from the conversation, and no two are mixed."""
    all_answered(seen.free.replies)
    assert sorted(seen.free.numbers) == list(range(MESSAGES))
    assert seen.free.mixed == []


def test_another_sender_does_not_wait(seen: Crowd) -> None:
    """While 48 messages of one sender wait, every pod answers somebody else."""
    all_answered(seen.others)
    print(f"slowest {max(reply.seconds for reply in seen.others):.2f} s")
