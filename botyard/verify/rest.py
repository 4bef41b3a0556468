"""Talk to a released bot over its REST channel, and say what counts as an answer.

Rasa's REST channel answers 200 with an empty list when the action server failed, was too slow, or no model is
loaded. So an empty list is a lost reply here, never a success.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botyard.contracts import BotyardError
from botyard.later import later

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

REST_PATH = "/webhooks/rest/webhook"


class LostReply(BotyardError):
    """A message got no answer that a person could read; ``kind`` is one word for counting."""

    def __init__(self, kind: str, detail: str) -> None:
        nobody = "invoke release brings a bot there; invoke doctor tells who holds its port"
        cure = nobody if kind == "connection" else "look at the logs of the Rasa and action pods"
        super().__init__(f"lost reply ({kind}): {detail}", cure)
        self.kind = kind


@dataclass(frozen=True)
class Reply:
    """What the bot said to one message: its texts in order and the raw list that the channel sent."""

    texts: list[str]
    raw: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """All texts as one, a line each."""
        return "\n".join(self.texts)

    @property
    def lines(self) -> list[str]:
        """All that a person is shown: texts, and what stands beside or in place of them."""
        found = []
        for item in self.raw:
            found += [str(item["text"])] if item.get("text") else []
            found += [f"[{kind}] {item[kind]}" for kind in ("image", "attachment", "custom") if item.get(kind)]
            found += [f"[button] {b.get('title')}: {b.get('payload')}" for b in item.get("buttons") or []]
        return found


def judge(status: int, body: str, sender: str) -> Reply:
    """Decides whether a REST answer is one.

    Raises:
        LostReply: another status than 200, no JSON list, an empty list, a reply for somebody else, or a list in
            which nothing can be shown to a person.
    """
    if status != 200:
        raise LostReply("status", f"HTTP {status}: {body[:200]!r}")
    try:
        found = json.loads(body)
    except ValueError:
        raise LostReply("not-json", repr(body[:200])) from None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise LostReply("not-a-list", repr(body[:200]))
    if not found:
        raise LostReply("empty", "HTTP 200 with an empty list")
    strangers = {str(item.get("recipient_id")) for item in found} - {sender}
    if strangers:
        raise LostReply("crossed", f"asked as {sender}, answered to {', '.join(sorted(strangers))}")
    shown = [
        item for item in found if any(item.get(key) for key in ("text", "image", "buttons", "custom", "attachment"))
    ]
    if not shown:
        raise LostReply("blank", repr(body[:200]))
    return Reply([str(item["text"]) for item in found if item.get("text")], found)


def say(
    base_url: str, sender: str, message: str, *, timeout_s: float = 15, session: requests.Session | None = None
) -> Reply:
    """Sends one message and returns the bot's answer.

    Args:
        base_url: where the bot listens, as ``http://127.0.0.1:5005``.
        sender: conversation id; messages of one sender must go one after another.
        timeout_s: seconds for connecting and for each read.
        session: reuse connections; without one every message opens its own, as separate users do.

    Raises:
        LostReply: see ``judge``; also when nothing answered at all.
    """
    post = session.post if session is not None else requests.post
    try:
        response = post(f"{base_url}{REST_PATH}", json={"sender": sender, "message": message}, timeout=timeout_s)
    except requests.Timeout:
        raise LostReply("timeout", f"no answer within {timeout_s:.0f} s from {base_url}") from None
    except requests.RequestException as error:
        raise LostReply("connection", f"{base_url} does not answer ({type(error).__name__})") from None
    response.encoding = "utf-8"
    return judge(response.status_code, response.text, sender)


def status(base_url: str, token: str | None = None, *, timeout_s: float = 10) -> tuple[int, dict[str, Any]]:
    """``GET /status``: HTTP code and JSON body ({} where it is none); Rasa takes ``token`` as ``?token=`` only.

    Raises:
        LostReply: nothing answered. The token is not in it (it is in the URL, so in what requests raises).
    """
    params = {"token": token} if token is not None else None
    try:
        response = requests.get(f"{base_url}/status", params=params, timeout=timeout_s)
    except requests.RequestException as error:
        raise LostReply("connection", f"{base_url}/status: {type(error).__name__}") from None
    try:
        body = response.json()
    except ValueError:
        body = {}
    return response.status_code, body if isinstance(body, dict) else {}
