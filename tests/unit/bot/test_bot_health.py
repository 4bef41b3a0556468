from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from .files import mounted


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The channel's file; Rasa and Sanic are not installed here, only their names are needed to read it."""
    names = {
        "rasa": (),
        "rasa.core": (),
        "rasa.core.channels": (),
        "rasa.core.channels.channel": ("InputChannel", "UserMessage"),
        "sanic": ("Blueprint", "response"),
        "sanic.request": ("Request",),
        "sanic.response": ("HTTPResponse",),
    }
    for name, members in names.items():
        module = ModuleType(name)
        for member in members:
            setattr(module, member, type(member, (), {}))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "botyard_gateway", mounted("botyard_gateway"))
    monkeypatch.setenv("HOSTNAME", "pod-1")
    monkeypatch.setenv("BOTYARD_MODEL_FILE", "/app/models/tea-1.tar.gz")
    return mounted("botyard_health")


def agent(file: str, ready: bool = True) -> SimpleNamespace:
    return SimpleNamespace(is_ready=lambda: ready, model_id="abc", processor=SimpleNamespace(model_filename=file))


def test_ready(health: ModuleType) -> None:
    body = {"model_id": "abc", "model_file": "tea-1.tar.gz", "pod": "pod-1"}
    assert health.readiness(agent("tea-1.tar.gz")) == (200, body)
    assert health.HealthChannel.name() == "botyard"


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        (None, "no model is loaded"),
        (agent("tea-1.tar.gz", ready=False), "no model is loaded"),
        (agent("old.tar.gz"), "serves old.tar.gz instead of tea-1.tar.gz"),
    ],
)
def test_not_ready(health: ModuleType, loaded: SimpleNamespace | None, reason: str) -> None:
    assert health.readiness(loaded) == (503, {"reason": reason, "pod": "pod-1"})


def test_a_pod_that_is_to_end_says_so(health: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(health, "LEAVING", tmp_path / "leaving")
    assert health.readiness(agent("tea-1.tar.gz"))[0] == 200
    (tmp_path / "leaving").touch()
    assert health.readiness(agent("tea-1.tar.gz")) == (404, {"reason": "this pod is to end", "pod": "pod-1"})


def test_any_model_where_none_is_named(health: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOTYARD_MODEL_FILE")
    assert health.readiness(agent("old.tar.gz"))[0] == 200
