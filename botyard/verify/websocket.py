"""Talk to a released bot over socket.io, as a chat widget does."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import Any

import socketio

from botyard.verify.rest import LostReply


def converse(
    base_url: str,
    messages: Sequence[str],
    session_id: str,
    *,
    timeout_s: float = 10,
    quiet_s: float = 0.2,
    transports: Sequence[str] = ("websocket",),
) -> list[list[str]]:
    """Opens one socket, asks for a persistent session and sends the messages one after another.

    Args:
        base_url: where the bot listens.
        session_id: conversation id; with ``session_persistence`` the server keeps it over reconnects.
        timeout_s: seconds to wait for connecting and for the first reply to each message.
        quiet_s: seconds without a further reply after which a message counts as answered.
        transports: websocket stays with one pod by itself; polling needs something that leads every request of a
            session to the same pod.

    Returns:
        The texts that the bot uttered, a list for each message.

    Raises:
        LostReply: no connection, the session was not confirmed, or a message got no reply.
    """
    heard: queue.Queue[str] = queue.Queue()
    confirmed: queue.Queue[str] = queue.Queue()
    client = socketio.Client(reconnection=False, handle_sigint=False)

    def on_reply(data: dict[str, Any]) -> None:
        heard.put(str(data.get("text", "")))

    client.on("bot_uttered", on_reply)
    client.on("session_confirm", lambda data: confirmed.put(str(data)))
    try:
        client.connect(base_url, transports=list(transports), socketio_path="/socket.io", wait_timeout=timeout_s)
    except socketio.exceptions.ConnectionError as error:
        raise LostReply("connection", f"socket.io at {base_url}: {error}") from None
    try:
        client.emit("session_request", {"session_id": session_id})
        given = _next(confirmed, timeout_s, "the session was not confirmed")
        if session_id not in given:
            raise LostReply("crossed", f"asked for session {session_id}, got {given}")
        answers = []
        for message in messages:
            client.emit("user_uttered", {"message": message, "session_id": session_id})
            answers.append(_collect(heard, timeout_s, quiet_s, message))
        return answers
    finally:
        if client.transport() == "polling":
            client.eio.disconnect(abort=True)  # the server answers a poll that is under way after 45 s only
        else:
            client.disconnect()


def _next(source: queue.Queue[str], timeout_s: float, what: str) -> str:
    try:
        return source.get(timeout=timeout_s)
    except queue.Empty:
        raise LostReply("timeout", f"socket.io: {what} within {timeout_s:.0f} s") from None


def _collect(heard: queue.Queue[str], timeout_s: float, quiet_s: float, message: str) -> list[str]:
    texts = [_next(heard, timeout_s, f"no bot_uttered for {message!r}")]
    while True:
        try:
            texts.append(heard.get(timeout=quiet_s))
        except queue.Empty:
            break
    if not any(texts):
        raise LostReply("blank", f"socket.io: only blank replies to {message!r}")
    return texts
