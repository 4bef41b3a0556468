import json
import socket
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import requests
from host_door import Door
from msgspec import structs

from botyard.contracts import BadInput, Context, Paths
from botyard.host import doctor, engine, ports, recipe, sources
from botyard.host.ports import Holder
from botyard.modules import docker_engine, tool
from botyard.modules import doctor as doctor_module
from botyard.targets import Sources, Target
from botyard.tools import docker, go

Usage = namedtuple("Usage", "total used free")
INFO = {"ServerVersion": "28.1", "Driver": "overlay2", "DockerRootDir": "/", "MemTotal": 16e9, "CgroupVersion": "2"}


class FakeClient:
    """An engine that publishes the given containers' ports."""

    def __init__(self, containers: list[dict[str, Any]]) -> None:
        self.listed = containers
        self.api = self

    def info(self) -> dict[str, Any]:
        return INFO

    def containers(self) -> list[dict[str, Any]]:
        return self.listed


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch, door: Door) -> pytest.MonkeyPatch:
    """A machine with the user's engine where all is well."""
    monkeypatch.setattr(docker, "engine_answers", lambda: True)
    monkeypatch.setattr(docker, "client", lambda: FakeClient([]))
    monkeypatch.setattr(engine, "is_ours", lambda home=None: False)
    monkeypatch.setattr(ports, "listeners", lambda wanted: {})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage(0, 0, 100e9))
    monkeypatch.setattr(go, "find", lambda: Path("/go"))
    monkeypatch.setattr(go, "version", lambda toolchain: "1.26.8")
    monkeypatch.setattr("botyard.host.packages.find", lambda program: "/usr/bin/x")
    monkeypatch.setattr("botyard.host.kernel.too_low", lambda proc=None: {})
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setattr(doctor, "CA_BUNDLES", ("/",))
    return monkeypatch


def bad(paths: Paths, target: Target) -> list[str]:
    rows = [row for row in doctor.examine(paths, target) if row.status != "ok"]
    assert all(row.cure for row in rows)
    return [f"{row.status} {row.name}: {row.detail}" for row in rows]


def test_a_fit_machine(fit: pytest.MonkeyPatch, paths: Paths, target: Target, door: Door) -> None:
    assert bad(paths, target) == []
    assert door.calls == []


def test_a_disk_too_small(fit: pytest.MonkeyPatch, paths: Paths, target: Target) -> None:
    fit.setattr("shutil.disk_usage", lambda folder: Usage(0, 0, 5e9))
    assert "you_must disk: 5.0 GB free at" in bad(paths, target)[0]
    assert "a first run needs 15 GB" in bad(paths, target)[0]
    (paths.cache / "tools").mkdir(parents=True)
    paths.state.mkdir()
    (paths.state / "kubeconfig").touch()
    assert bad(paths, target) == []


def test_a_port_taken_names_who_holds_it(fit: pytest.MonkeyPatch, paths: Paths, target: Target) -> None:
    fit.setattr(ports, "listeners", lambda wanted: {5005: Holder(77, "python3")})
    assert bad(paths, target) == ["you_must port 5005 (rasa): taken by python3 (pid 77)"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"botyard.cluster": "botyard"}, []),
        ({"io.x-k8s.kind.cluster": "botyard"}, []),
        ({"name.minikube.sigs.k8s.io": "botyard"}, []),
        ({"botyard.cluster": "other"}, ["you_must port 5001 (registry): taken by container theirs"]),
        ({}, ["you_must port 5001 (registry): taken by container theirs"]),
    ],
)
def test_ports_of_our_own_containers_are_fine(
    fit: pytest.MonkeyPatch, paths: Paths, target: Target, labels: dict[str, str], expected: list[str]
) -> None:
    one = {"Names": ["/theirs"], "Labels": labels, "Ports": [{"PublicPort": 5001}, {}]}
    fit.setattr(docker, "client", lambda: FakeClient([one]))
    fit.setattr(ports, "listeners", lambda wanted: {5001: Holder(9, "docker-proxy")})
    assert bad(paths, target) == expected


def test_cgroup_v1_refuses_a_kubernetes_that_does_not_start(
    fit: pytest.MonkeyPatch, paths: Paths, target: Target
) -> None:
    fit.setitem(INFO, "CgroupVersion", "1")
    assert bad(paths, target) == []
    newer = structs.replace(target, kubernetes_version="v1.35.0")
    assert bad(paths, newer) == ["you_must cgroup: version 1, where Kubernetes v1.35.0 does not start"]


@pytest.mark.parametrize(("version", "toolchain", "fine"), [
    ("1.26.8", "auto", True), ("1.25.3", "auto", True), ("1.25.3", "local", False), ("1.19.8", "auto", False),
])  # fmt: skip
def test_go(fit: pytest.MonkeyPatch, paths: Paths, target: Target, version: str, toolchain: str, fine: bool) -> None:
    fit.setattr(go, "version", lambda one: version)
    fit.setenv("GOTOOLCHAIN", toolchain)
    assert (bad(paths, target) == []) is fine
    fit.setattr(recipe, "built", lambda paths, name: Path("/"))
    assert bad(paths, target) == []


@pytest.mark.parametrize("mode", ["registries", "auto"])
def test_where_registries_serve_neither_go_nor_debootstrap_is_asked_for(
    fit: pytest.MonkeyPatch, paths: Paths, target: Target, mode: str
) -> None:
    fit.setattr(go, "find", lambda: None)
    fit.setattr("botyard.host.packages.find", lambda program: None)
    assert {line.split(":")[0].split(" ", 1)[1] for line in bad(paths, target)} == {"Go", "build programs"}
    fit.setattr(requests, "head", lambda url, **_: namedtuple("Answer", "status_code")(401))
    there = structs.replace(target, sources=structs.replace(target.sources, mode=mode))
    assert bad(paths, there) == []


def test_a_ca_bundle_that_is_named_but_missing(fit: pytest.MonkeyPatch, paths: Paths, target: Target) -> None:
    fit.setenv("SSL_CERT_FILE", "/no/such")
    assert bad(paths, target) == ["you_must CA bundle: SSL_CERT_FILE=/no/such, but there is no such file"]


def test_no_engine_is_seen_to_or_told(fit: pytest.MonkeyPatch, paths: Paths, target: Target) -> None:
    fit.setattr(docker, "engine_answers", lambda: False)
    fit.setattr("botyard.host.capabilities.missing", list)
    fit.setattr(engine, "why_not_startable", lambda: None)
    assert bad(paths, target) == ["will_fix Docker engine: none answers"]
    fit.setattr(engine, "why_not_startable", lambda: BadInput("no engine, not root", "become root"))
    assert bad(paths, target) == ["you_must Docker engine: no engine, not root"]


def test_the_module_refuses_with_all_rows(fit: pytest.MonkeyPatch, paths: Paths, target: Target) -> None:
    context = Context(check=False, diff=False, paths=paths, target=target)
    assert doctor_module.run(doctor_module.Args(), context).changed is False
    fit.setattr(ports, "listeners", lambda wanted: {5005: Holder(77, "python3"), 5002: Holder(0, "another")})
    with pytest.raises(BadInput, match=r"5005 .*python3.*; port 5002 \(depot\): taken by another"):
        doctor_module.run(doctor_module.Args(), context)


def test_modules_change_nothing_in_check_mode(
    fit: pytest.MonkeyPatch, paths: Paths, target: Target, door: Door
) -> None:
    context = Context(check=True, diff=False, paths=paths, target=target)
    doctor_module.run(doctor_module.Args(), context)
    docker_engine.run(docker_engine.Args(), context)
    assert tool.run(tool.Args(names=["kind"]), context).changed is True
    assert not paths.cache.exists()
    assert not paths.state.exists()
    assert door.calls == []


def test_who_listens_on_a_port() -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))  # bound but not listening
        port, other = taken.getsockname()[1], free.getsockname()[1]
        found = ports.listeners({port, other})
        assert list(found) == [port]
        import os

        assert found[port].pid == os.getpid()


def test_auto_asks_once_a_day(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    asked: list[str] = []

    def head(url: str, **_: Any) -> Any:
        asked.append(url)
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(requests, "head", head)
    auto = Target(name="kind", sources=Sources(mode="auto", mirror="mirror.example:5000/hub"))
    assert sources.choose(paths, auto, write=False).mode == "packages"
    assert not paths.cache.exists()
    first = sources.choose(paths, auto)
    assert sorted(asked[:2]) == ["https://github.com/", "https://mirror.example:5000/v2/"]
    assert "does not answer" in first.why
    asked.clear()
    assert sources.choose(paths, auto) == first
    assert asked == []
    file = paths.cache / "sources.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"at": time.time() - 90_000}))
    sources.choose(paths, auto)
    assert len(asked) == 2
    file.write_text("half a fi")
    monkeypatch.setattr(requests, "head", lambda url, **_: namedtuple("Answer", "status_code")(401))
    assert sources.choose(paths, auto).mode == "registries"


def test_a_chosen_mode_asks_nobody(paths: Paths, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "head", None)
    assert sources.choose(paths, target).mode == "packages"
    assert not paths.cache.exists()
