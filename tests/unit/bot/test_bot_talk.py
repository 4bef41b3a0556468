"""talk.py, which `helm test` runs, against a real web server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .files import mounted

talk = mounted("talk")


class Bot:
    """What the server answers: (status, body) of the health channel and of REST; ``heard`` is what was said."""

    def __init__(self) -> None:
        self.ready: tuple[int, Any] = (200, {"model_id": "m1"})
        self.rest: tuple[int, Any] = (200, [{"text": "你好"}])
        self.heard: list[dict[str, str]] = []
        self.url = ""


@pytest.fixture
def bot() -> Iterator[Bot]:
    state = Bot()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(*(state.ready if self.path == "/webhooks/botyard/ready" else (404, "")))

        def do_POST(self) -> None:
            state.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(*(state.rest if self.path == "/webhooks/rest/webhook" else (404, "")))

        def answer(self, status: int, body: Any) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def run(bot: Bot, monkeypatch: pytest.MonkeyPatch, message: str = "hello") -> int:
    monkeypatch.setenv("BOT_URL", bot.url)
    monkeypatch.setenv("BOT_MESSAGE", message)
    return int(talk.main())


def test_a_bot_that_answers_passes(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(bot, monkeypatch) == 0
    assert capsys.readouterr().out == 'model m1 answers \'hello\': [{"text": "你好"}]\n'
    assert [said["message"] for said in bot.heard] == ["hello"]


def test_without_rest_only_the_model_is_asked_for(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(bot, monkeypatch, message="") == 0
    assert bot.heard == []


@pytest.mark.parametrize(
    ("ready", "rest", "told"),
    [
        ((503, {"reason": "no model is loaded"}), (200, [{"text": "a"}]), "HTTP 503: {\"reason\": \"no"),
        ((200, {"model_id": "m1"}), (200, []), "answers nothing to 'hello': is its action server there?"),
        ((200, {"model_id": "m1"}), (500, "broken"), "HTTP 500: broken"),
        ((200, "no JSON"), (200, []), "ready: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ready: Any, rest: Any, told: str
) -> None:
    bot.ready, bot.rest = ready, rest
    assert run(bot, monkeypatch) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("talk: ") and told in line


def test_nobody_there_is_told_too(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bot.url = "http://127.0.0.1:9"
    assert run(bot, monkeypatch) == 1
    assert "refused" in capsys.readouterr().err
