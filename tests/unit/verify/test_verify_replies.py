"""What counts as an answer."""

from __future__ import annotations

import json

import pytest

from botyard.verify.rest import LostReply, judge, say


def body(*items: dict[str, object]) -> str:
    return json.dumps(list(items))


def test_texts_come_in_order() -> None:
    reply = judge(200, body({"recipient_id": "a", "text": "one"}, {"recipient_id": "a", "text": "two"}), "a")
    assert reply.texts == ["one", "two"]
    assert reply.text == "one\ntwo"


def test_an_image_alone_is_an_answer() -> None:
    assert judge(200, body({"recipient_id": "a", "image": "http://x/tea.png"}), "a").texts == []


def test_what_is_no_text_is_shown_too() -> None:
    image = {"recipient_id": "a", "image": "http://x/tea.png"}
    asked = {"recipient_id": "a", "text": "Sure?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}
    assert judge(200, body(image, asked), "a").lines == ["[image] http://x/tea.png", "Sure?", "[button] Yes: /affirm"]


def test_where_nobody_listens_the_cure_is_a_release() -> None:
    with pytest.raises(LostReply) as lost:
        say("http://127.0.0.1:1", "a", "hello")
    assert lost.value.kind == "connection"
    assert "invoke release" in lost.value.cure


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (200, "[]", "empty"),  # what Rasa says when the action server is dead
        (500, "[]", "status"),
        (503, "", "status"),
        (200, "Hello from Rasa", "not-json"),
        (200, '{"text": "x"}', "not-a-list"),
        (200, '["x"]', "not-a-list"),
        (200, '[{"recipient_id": "a", "text": ""}]', "blank"),
        (200, '[{"recipient_id": "b", "text": "x"}]', "crossed"),
    ],
)
def test_anything_else_is_a_lost_reply(status: int, text: str, kind: str) -> None:
    with pytest.raises(LostReply) as lost:
        judge(status, text, "a")
    assert lost.value.kind == kind
