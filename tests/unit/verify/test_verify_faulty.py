"""What a pod says against its model, and what must never be said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from botyard.targets import Target
from botyard.verify import rest
from botyard.verify.faulty import why_refused
from botyard.verify.released import Pod, Released


class Kube:
    """Stands for the cluster: one answer over HTTP, one log."""

    def __init__(self, status: int = 0, body: str = "", log: str = "") -> None:
        self.status, self.body, self.log = status, body, log

    def pod_http(self, *_: Any) -> tuple[int, str]:
        assert self.status, "nobody was to be asked over HTTP"
        return self.status, self.body

    def logs(self, *_: Any, **__: Any) -> str:
        return self.log


def ask(kube: Kube, **status: Any) -> str:
    pod = Pod.of({"metadata": {"name": "myrasa-1"}, "spec": {}, "status": status})
    released = Released(Target(name="kind"), kube, Path("state"), Path("root"), {})  # type: ignore[arg-type]
    return why_refused(released, pod)


def init(**state: Any) -> list[dict[str, Any]]:
    return [{"name": "fetch-model", "state": state}]


def rasa(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "rasa-oss", "state": {"running": {"startedAt": "x"}}, **more}]


def test_the_fetchers_last_words() -> None:
    ended = init(terminated={"exitCode": 1, "message": "404 Not Found"})
    assert ask(Kube(), initContainerStatuses=ended) == "fetch-model ended with 1: 404 Not Found"


def test_the_fetcher_tries_again() -> None:
    log = "fetch_model: attempt 1 of 6: the content has sha256 x, not y; again in 1 s"
    assert "sha256" in ask(Kube(log=log), initContainerStatuses=init(running={"startedAt": "x"}), containerStatuses=[])


def test_a_good_download_is_no_refusal() -> None:
    assert ask(Kube(), initContainerStatuses=init(terminated={"exitCode": 0}), containerStatuses=[]) == ""


def test_rasa_says_503() -> None:
    answer = '{"reason":"no model is loaded","pod":"myrasa-1"}'
    assert "no model is loaded" in ask(Kube(503, answer), containerStatuses=rasa())


def test_the_api_servers_own_503_is_no_refusal() -> None:
    answer = '{"kind":"Status","message":"connection refused","reason":"ServiceUnavailable","code":503}'
    assert ask(Kube(503, answer), containerStatuses=rasa()) == ""


def test_a_crashing_rasa_is_a_refusal() -> None:
    crashed = rasa(restartCount=1, lastState={"terminated": {"exitCode": 1, "message": "no models"}})
    assert ask(Kube(), containerStatuses=crashed) == "rasa-oss ended with 1: no models"


def test_a_failed_status_never_shows_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(url: str, params: dict[str, str], timeout: float) -> None:
        raise requests.ConnectionError(f"Max retries exceeded with url: /status?token={params['token']}")

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(rest.LostReply) as lost:
        rest.status("http://127.0.0.1:5005", "very-secret")
    assert "very-secret" not in str(lost.value)
