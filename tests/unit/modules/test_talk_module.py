"""botyard.core.talk: a reply is shown, none is a failure, check mode is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.contracts import Context, Paths
from botyard.modules import talk
from botyard.targets import Target
from botyard.verify.rest import LostReply, Reply


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(check=False, diff=False, paths=Paths(tmp_path, tmp_path, tmp_path), target=Target(name="kind"))


def test_a_reply_is_shown(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(url: str, sender: str, text: str) -> Reply:
        assert (url, sender, text) == ("http://127.0.0.1:5005", "botyard", "hello")
        return Reply(["tea?"], [{"text": "tea?"}])

    monkeypatch.setattr(talk, "say", say)
    result = talk.run(talk.Args(text="hello"), ctx)
    assert (result.failed, result.msg, result.data) == (False, "'hello': tea?", {"texts": ["tea?"]})


def test_no_reply_is_a_failure(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(*_: str) -> Reply:
        raise LostReply("empty", "200 with an empty list")

    monkeypatch.setattr(talk, "say", say)
    result = talk.run(talk.Args(text="hello"), ctx)
    assert result.failed and "'hello': lost reply (empty)" in result.msg


def test_check_mode_says_nothing_to_anyone(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "say", lambda *_: pytest.fail("it spoke"))
    ctx.check = True
    assert talk.run(talk.Args(text="hello"), ctx).msg == "would say 'hello'"
