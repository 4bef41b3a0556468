"""Machines without a Docker engine: looked at in check mode, taken down, or told what is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from host_door import Door

from botyard.contracts import BadInput, BotyardError, Context, Paths
from botyard.host import doctor, engine, image_build, ledger, processes, removal
from botyard.host.image_context import ImageSpec
from botyard.modules import docker_engine
from botyard.targets import Target
from botyard.tools import docker, go


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def client() -> None:
        raise BotyardError("no Docker engine answers")

    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker, "engine_answers", lambda: False)
    monkeypatch.setattr(docker, "client", client)
    monkeypatch.setattr(docker, "_yet_to_be_started", False)


def test_check_mode_goes_on_where_the_engine_would_be_started(
    monkeypatch: pytest.MonkeyPatch, paths: Paths, target: Target
) -> None:
    monkeypatch.setattr(engine, "ensure", lambda **_: engine.Engine(True, ["start a Docker engine"]))
    with pytest.raises(BotyardError):
        docker.image("x")
    docker_engine.run(docker_engine.Args(), Context(check=True, diff=False, paths=paths, target=target))
    assert docker.image("x") is None
    assert docker.container("x") is None
    assert docker.containers("x") == []
    assert docker.inspect("volume", "x") is None
    docker_engine.run(docker_engine.Args(), Context(check=False, diff=False, paths=paths, target=target))
    with pytest.raises(BotyardError):
        docker.image("x")


def test_an_image_without_its_base_would_be_built(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    docker.take_as_empty(True)
    spec = ImageSpec("shop", tmp_path, {"BASE": "debian:bookworm-slim"}, [])
    assert not image_build.observe(spec, base_must_exist=False).is_built
    with pytest.raises(BotyardError, match="is not on this machine"):
        image_build.observe(spec)


def test_where_no_engine_ever_was_there_is_nothing_to_ask(tmp_path: Path) -> None:
    assert engine.can_be_asked(tmp_path, tmp_path / "docker.sock") is False


def test_an_engine_that_should_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docker.sock").write_text("")
    with pytest.raises(BotyardError, match="does not answer"):
        engine.can_be_asked(tmp_path, tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(BotyardError, match="at DOCKER_HOST=tcp"):
        engine.can_be_asked(tmp_path, tmp_path / "nothing")


def test_down_all_leaves_our_engine_alone_where_docker_host_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch, door: Door, tmp_path: Path
) -> None:
    ours = processes.Identity(pid=4242, start_ticks=1, boot_id="b")
    ledger.write(ledger.Ledger(engine=ours, packages=["docker.io"]), tmp_path)
    monkeypatch.setattr(processes, "alive", lambda _: True)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(BadInput, match="leads past the Docker engine that we started"):
        removal.absent(check=False, progress=print, home=tmp_path)
    assert door.calls == []
    assert ledger.read(tmp_path).engine == ours


def test_a_go_that_does_not_run_is_for_the_user_to_mend(
    monkeypatch: pytest.MonkeyPatch, paths: Paths, tmp_path: Path
) -> None:
    def broken(_: Path) -> str:
        raise BotyardError("go env GOVERSION ended with exit code 3")

    monkeypatch.setattr(go, "find", lambda: tmp_path / "go")
    monkeypatch.setattr(go, "version", broken)
    check = doctor._go(paths, "packages")
    assert (check.status, "exit code 3" in check.detail) == ("you_must", True)
