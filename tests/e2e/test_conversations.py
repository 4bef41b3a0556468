"""What a user sees: the bot answers, in both languages, with a memory, and never mixes people up."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from botyard.verify.conversations import Conversation, new_token, play
from botyard.verify.released import RASA_PORT, Pod, Released
from botyard.verify.rest import REST_PATH, judge, say

pytestmark = pytest.mark.readonly
CROWD = 20


def through(released: Released, pod: Pod) -> Callable[[str, str], str]:
    """Says something to one pod, past the Service (the API server carries it there)."""

    def over_api_server(sender: str, message: str) -> str:
        body: dict[str, Any] = {"sender": sender, "message": message}
        status, text = released.kube.pod_http(pod.name, released.namespace, RASA_PORT, "POST", REST_PATH, body)
        return judge(status, text, sender).text

    return over_api_server


def test_conversation(conversation: Conversation, speak: Callable[[str, str], str]) -> None:
    """The bot's own expected conversation, turn by turn over REST: greeting, name, form, order status, in zh and en."""
    play(conversation, speak)


def test_greeting_comes_from_an_action_pod(
    released: Released, greeting: Conversation, action_pods: list[Pod], speak: Callable[[str, str], str]
) -> None:
    """The greeting was made by the action server: it names the action pod that served it. Never an empty list."""
    if released.release["bot"] != "tea":
        pytest.skip("only the demo bot says which pod served it")
    reply = speak(f"check-{os.urandom(4).hex()}", greeting.turns[0].say)
    assert any(pod.name in reply for pod in action_pods), reply


def test_every_action_pod_serves_greetings(
    released: Released, greeting: Conversation, action_pods: list[Pod], speak: Callable[[str, str], str]
) -> None:
    """Greetings are spread over all action pods; none stands by idle."""
    if released.release["bot"] != "tea":
        pytest.skip("only the demo bot says which pod served it")
    unseen = {pod.name for pod in action_pods}
    for _ in range(30):
        reply = speak(f"check-{os.urandom(4).hex()}", greeting.turns[0].say)
        unseen = {name for name in unseen if name not in reply}
        if not unseen:
            break
    assert not unseen, f"30 greetings and none from {', '.join(unseen)}"


def test_every_rasa_pod_answers_by_itself(released: Released, rasa_pods: list[Pod], greeting: Conversation) -> None:
    """Each Rasa pod, asked past the Service, gives the greeting."""
    for pod in rasa_pods:
        play(greeting, through(released, pod))


def test_twenty_conversations_at_once_are_not_crossed(memory: Conversation, speak: Callable[[str, str], str]) -> None:
    """20 people tell different names at the same time; each hears the own one and nobody else's."""
    tokens = [new_token() for _ in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as pool:
        replies = list(pool.map(lambda token: play(memory, speak, token=token), tokens))
    for own, heard in zip(tokens, replies, strict=True):
        strangers = [token for token in tokens if token != own and token in "\n".join(heard)]
        assert not strangers, f"{own} heard of {strangers}"


def test_a_slot_is_remembered_across_pods(released: Released, rasa_pods: list[Pod], memory: Conversation) -> None:
    """Told to one pod, known to the other: each message goes to another pod than the one before."""
    assert len(rasa_pods) > 1, "needs two Rasa pods"
    doors = [through(released, pod) for pod in rasa_pods]
    turn = iter(range(1000))
    play(memory, lambda sender, message: doors[next(turn) % len(doors)](sender, message))


@pytest.mark.parametrize("body", ['{"sender": "check-bad", "message": ', "not json at all"], ids=["cut-off", "no-json"])
def test_bad_json_is_refused_and_does_not_hang(released: Released, body: str) -> None:
    """A broken request gets a 4xx or 5xx at once, not an answer and not silence."""
    response = requests.post(
        f"{released.base_url}{REST_PATH}", data=body, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert 400 <= response.status_code < 600, f"{response.status_code}: {response.text[:200]}"


def test_chinese_arrives_unharmed(released: Released, conversations: list[Conversation]) -> None:
    """The reply to Chinese is Chinese in proper UTF-8, without escapes that a browser would show."""
    chinese = next((c for c in conversations if c.language == "zh"), None)
    if chinese is None:
        pytest.skip("this bot has no conversation in Chinese")
    reply = say(released.base_url, f"check-{os.urandom(4).hex()}", chinese.turns[0].say)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in reply.text), reply.text
    assert "\ufffd" not in reply.text
    assert "\\u" not in json.dumps(reply.texts, ensure_ascii=False)
