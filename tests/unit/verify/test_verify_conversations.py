"""Reading and playing a bot's expected conversations."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.verify.conversations import Conversation, Turn, WrongReply, load_conversations, pick, play

GOOD = """
conversations:
  - name: remember
    language: en
    turns:
      - {say: 'I am {token}', expect: 'Hi {token}'}
      - {say: 'who am I', expect: 'You are {token}'}
  - name: status
    turns:
      - {say: 'order 12', expect: '\\d{2}'}
"""


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "conversations.yml").write_text(text)
    return tmp_path


def test_load(tmp_path: Path) -> None:
    remember, status = load_conversations(write(tmp_path, GOOD))
    assert remember.remembers and not status.remembers
    assert status.turns == (Turn("order 12", r"\d{2}"),)
    assert pick([remember, status], "stat") is status
    assert pick([remember, status], "re", "zh") is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("conversations: []", "no list"),
        ("a: [", "not valid YAML"),
        ("conversations: [{name: x, turns: []}]", "no turns"),
        ("conversations: [{name: x, turns: [{say: hi}]}]", "needs name and turns"),
        ("conversations: [{name: x, turns: [{say: hi, expect: '('}]}]", "no regular expression"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        load_conversations(write(tmp_path, text))


@pytest.mark.parametrize(
    ("config", "greeting"), [("language: zh", "你好"), ("language: fi", "hello"), ("a: 1", "hello")]
)
def test_without_a_file_any_reply_to_a_greeting_will_do(tmp_path: Path, config: str, greeting: str) -> None:
    (tmp_path / "config.yml").write_text(config)
    (only,) = load_conversations(tmp_path)
    assert play(only, lambda _who, said: f"to {said}") == [f"to {greeting}"]
    with pytest.raises(WrongReply):
        play(only, lambda _who, _said: " ")


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is gone"):
        load_conversations(tmp_path / "moved")


def test_play_uses_one_sender_and_one_token(tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []

    def speak(sender: str, message: str) -> str:
        heard.append((sender, message))
        return "Hi Ann99" if len(heard) == 1 else "You are Ann99."

    play(load_conversations(write(tmp_path, GOOD))[0], speak, token="Ann99")
    assert [message for _, message in heard] == ["I am Ann99", "who am I"]
    assert len({sender for sender, _ in heard}) == 1


def test_a_crossed_answer_fails(tmp_path: Path) -> None:
    with pytest.raises(WrongReply, match="turn 1"):
        play(load_conversations(write(tmp_path, GOOD))[0], lambda _s, _m: "Hi Bob", token="Ann99")


def test_expect_spans_lines() -> None:
    play(Conversation("x", (Turn("a", "one.*two"),)), lambda _s, _m: "one\ntwo")
