"""The chat widget's channel: socket.io by websocket, with a session that outlives the connection."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from botyard.verify.conversations import TOKEN, Conversation, new_token, play
from botyard.verify.released import Released
from botyard.verify.websocket import converse

pytestmark = pytest.mark.readonly


def test_greeting_by_websocket(released: Released, greeting: Conversation) -> None:
    """One greeting over a websocket brings bot_uttered, as a chat widget expects it."""
    first = Conversation(greeting.name, greeting.turns[:1], greeting.language)
    play(first, lambda sender, message: "\n".join(converse(released.base_url, [message], sender)[0]))


def test_session_is_remembered_over_reconnects(released: Released, memory: Conversation) -> None:
    """With session_persistence a widget that connects again with its session id goes on where it was, on any pod."""
    token, session = new_token(), f"check-{uuid.uuid4().hex}"
    for number, turn in enumerate(memory.turns):  # a connection of its own for each turn
        answer = "\n".join(converse(released.base_url, [turn.say.replace(TOKEN, token)], session)[0])
        assert re.search(turn.expect.replace(TOKEN, token), answer, re.DOTALL), f"turn {number}: {answer}"


def test_two_sockets_at_once_hear_only_their_own(released: Released, memory: Conversation) -> None:
    """Two widgets at the same time each hear the own name."""

    def talk(token: str) -> list[list[str]]:
        return converse(
            released.base_url, [turn.say.replace(TOKEN, token) for turn in memory.turns], f"check-{uuid.uuid4().hex}"
        )

    tokens = [new_token(), new_token()]
    with ThreadPoolExecutor(2) as pool:
        heard = ["\n".join(map(str, answers)) for answers in pool.map(talk, tokens)]
    for own, other, text in zip(tokens, reversed(tokens), heard, strict=True):
        assert own in text
        assert other not in text
