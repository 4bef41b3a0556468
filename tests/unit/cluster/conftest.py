"""An engine of dictionaries in place of tools.docker; a docker command that a test does not expect fails it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from botyard.process import Completed
from botyard.targets import Target
from botyard.tools import docker


@dataclass
class FakeImage:
    id: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeContainer:
    name: str
    labels: dict[str, str]
    status: str = "running"
    network: str = "shop-net"
    network_id: str = "net1"

    @property
    def attrs(self) -> dict[str, Any]:
        joined = {self.network: {"NetworkID": self.network_id, "IPAddress": "172.20.0.2"}}
        state = {"StartedAt": "2026-01-01T10:00:00.123456789Z"}
        return {"NetworkSettings": {"Networks": joined}, "State": state}

    def reload(self) -> None:
        return None


@dataclass
class Engine:
    """What there is in the engine; ``allowed``: beginnings of docker commands that may run, ``ran``: those that did."""

    images: dict[str, FakeImage] = field(default_factory=dict)
    all: list[FakeContainer] = field(default_factory=list)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    allowed: list[tuple[str, ...]] = field(default_factory=list)
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def image(self, ref: str) -> FakeImage | None:
        return self.images.get(ref)

    def container(self, name: str) -> FakeContainer | None:
        return next((c for c in self.all if c.name == name), None)

    def containers(self, label: str) -> list[FakeContainer]:
        key, _, value = label.partition("=")
        return [c for c in self.all if key in c.labels and (not value or c.labels[key] == value)]

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        return (self.networks if kind == "network" else self.volumes).get(name)

    def cli(self, *argv: Any, **_: Any) -> Completed:
        words = tuple(str(word) for word in argv)
        if not any(words[: len(begin)] == begin for begin in self.allowed):
            pytest.fail(f"unexpected docker command: {words}")
        self.ran.append(words)
        return Completed(["docker", *words], 0, "", "", 0.0)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    one = Engine()
    one.networks["shop-net"] = {"Id": "net1", "Labels": {"botyard.cluster": "shop"}}
    for name in ("image", "container", "containers", "inspect", "cli"):
        monkeypatch.setattr(docker, name, getattr(one, name))
    return one


@pytest.fixture
def target() -> Target:
    return Target(name="kind", cluster="shop", workers=2)
