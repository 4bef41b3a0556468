from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from host_door import Door

from botyard.contracts import BadInput
from botyard.host import ledger, removal
from botyard.host.engine_config import Places
from botyard.tools import docker


class Things:
    """A kind of thing in the engine, listed by label."""

    def __init__(self, *things: Any) -> None:
        self.things = things

    def list(self, *, filters: dict[str, str], all: bool = False, ignore_removed: bool = False) -> list[Any]:
        return [thing for thing in self.things if filters["label"] in thing.labels]


def thing(name: str, networks: tuple[str, ...] = (), **labels: str) -> SimpleNamespace:
    named = {key if "." in key else key.replace("__", ".").replace("_", "-"): value for key, value in labels.items()}
    attrs = {"Labels": named, "NetworkSettings": {"Networks": dict.fromkeys(networks)}}
    return SimpleNamespace(name=name, labels=named, attrs=attrs)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine with things of ours, of a user's kind cluster and minikube, and of others."""
    kind, minikube = "io__x_k8s__kind__cluster", "created_by.minikube.sigs.k8s.io"
    engine = SimpleNamespace(
        containers=Things(
            thing("a-registry", ("a-net",), botyard__cluster="a"),
            thing("a-worker", ("a-net",), **{kind: "a"}),
            thing("b-worker", ("a-net",), **{kind: "b"}),
            thing("users-worker", ("kind",), **{kind: "a"}),
            thing("users"),
            thing("c", ("c-net",), **{minikube: "true"}),
            thing("c-m02", ("c-net",), **{minikube: "true"}),
            thing("d-m02", ("c-net",), **{minikube: "true"}),
            thing("a", ("minikube",), **{minikube: "true"}),
        ),
        networks=Things(
            thing("a-net", botyard__cluster="a"), thing("c-net", botyard__cluster="c"), thing("kind"), thing("minikube")
        ),
        volumes=Things(thing("v", botyard__cluster="a"), thing("users")),
    )
    monkeypatch.setattr(docker, "client", lambda: engine)
    monkeypatch.setattr(docker, "engine_answers", lambda: True)
    monkeypatch.setattr(docker, "inspect", lambda kind, name: {"Containers": {"c0ffee": {}}})


def test_only_what_is_ours_is_found(full: None) -> None:
    assert removal.leftovers() == {
        "container": ["a-registry", "a-worker", "c", "c-m02"],
        "network": ["a-net", "c-net"],
        "volume": ["v"],
    }


def test_leftovers_go_and_strangers_are_taken_off_our_network_first(full: None, door: Door, tmp_path: Path) -> None:
    door.expect("docker")
    done = removal.absent(check=False, progress=print, home=tmp_path)
    assert door.calls == [
        ["docker", "rm", "--force", "--volumes", "a-registry"],
        ["docker", "rm", "--force", "--volumes", "a-worker"],
        ["docker", "rm", "--force", "--volumes", "c"],
        ["docker", "rm", "--force", "--volumes", "c-m02"],
        ["docker", "network", "disconnect", "--force", "a-net", "c0ffee"],
        ["docker", "network", "rm", "a-net"],
        ["docker", "network", "disconnect", "--force", "c-net", "c0ffee"],
        ["docker", "network", "rm", "c-net"],
        ["docker", "volume", "rm", "v"],
    ]
    assert len(done) == 7


def test_check_mode_lists_and_removes_nothing(full: None, door: Door, tmp_path: Path) -> None:
    ledger.write(ledger.Ledger(packages=["runc"]), tmp_path)
    plan = removal.absent(check=True, progress=print, home=tmp_path)
    assert plan[0] == "remove container a-registry"
    assert plan[-1] == "undo: installed packages runc"
    assert door.calls == []
    assert ledger.file_of(tmp_path).exists()


def test_host_changes_need_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(docker, "engine_answers", lambda: False)
    ledger.write(ledger.Ledger(packages=["runc"]), tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(BadInput, match="by root only"):
        removal.absent(check=False, progress=print, home=tmp_path)


def test_nothing_of_ours_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch, door: Door, tmp_path: Path) -> None:
    monkeypatch.setattr(docker, "engine_answers", lambda: False)
    assert removal.absent(check=False, progress=print, home=tmp_path / "none") == []
    assert door.calls == []


def test_only_dockers_own_firewall_rules_go(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    monkeypatch.setattr("botyard.host.packages.find", lambda program: program)
    rules = [
        "-P FORWARD DROP",
        "-N DOCKER",
        "-N MINE",
        "-A FORWARD -j MINE",
        "-A FORWARD -o docker0 -j DOCKER",
        "-A DOCKER -d 172.17.0.2/32 -j ACCEPT",
    ]
    door.expect("iptables", "-t", "filter", "-S", stdout="\n".join(rules))
    door.expect("iptables")
    door.expect("ip6tables")
    removal._remove_firewall("ACCEPT")
    changes = [call for call in door.calls if call[-1] != "-S"]
    assert changes == [
        ["iptables", "-t", "filter", "-D", "FORWARD", "-o", "docker0", "-j", "DOCKER"],
        ["iptables", "-t", "filter", "-F", "DOCKER"],
        ["iptables", "-t", "filter", "-X", "DOCKER"],
        ["iptables", "-P", "FORWARD", "ACCEPT"],
    ]


def test_packages_that_others_need_stay_and_are_named(
    monkeypatch: pytest.MonkeyPatch, door: Door, tmp_path: Path
) -> None:
    door.expect("dpkg-query", stdout="installed runc\n")
    door.expect("apt-get", stdout="Purg runc [1]\nPurg podman [4]\n")
    ledger.write(ledger.Ledger(packages=["runc"]), tmp_path / "home")
    places = Places(tmp_path / "home", tmp_path / "run", tmp_path / "sock")
    done = removal.undo_since(ledger.Ledger(), places.home, places, print)
    assert done == ["kept packages runc: podman came to need them"]
    assert not places.home.exists()
