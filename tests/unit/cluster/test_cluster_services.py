"""The registry and the depot: what is decided for each state, and whose things are touched."""

from __future__ import annotations

import dataclasses

import pytest

from botyard.contracts import LABEL_CLUSTER, LABEL_KEY, BadInput, BotyardError
from botyard.host import services
from botyard.host.services import Service
from botyard.targets import Target

from .conftest import Engine, FakeContainer, FakeImage


@pytest.fixture
def service(engine: Engine, target: Target) -> Service:
    engine.images["reg:1"] = FakeImage("sha256:1")
    return services.registry(target, "reg:1")


def running(engine: Engine, service: Service) -> FakeContainer:
    labels = {LABEL_CLUSTER: "shop", LABEL_KEY: service.key("sha256:1")}
    engine.all = [FakeContainer(service.name, labels)]
    return engine.all[0]


def test_names_and_ports(target: Target) -> None:
    depot = services.depot(target, "d")
    assert (depot.name, depot.host_port, depot.port, depot.mount) == ("shop-depot", 5002, 80, "/srv/depot")


def test_absent_is_created(engine: Engine, service: Service) -> None:
    assert services.observe(service) == "create"


def test_running_and_unchanged(engine: Engine, service: Service) -> None:
    running(engine, service)
    assert services.observe(service) == "unchanged"


def test_stopped_is_started(engine: Engine, service: Service) -> None:
    running(engine, service).status = "exited"
    assert services.observe(service) == "start"


def test_another_image_or_port_makes_it_anew(engine: Engine, service: Service) -> None:
    running(engine, service)
    assert services.observe(dataclasses.replace(service, host_port=6001)) == "recreate"
    engine.images["reg:1"] = FakeImage("sha256:2")
    assert services.observe(service) == "recreate"


def test_a_network_that_was_made_anew_makes_it_anew(engine: Engine, service: Service) -> None:
    running(engine, service)
    engine.networks["shop-net"]["Id"] = "net2"
    assert services.observe(service) == "recreate"


def test_somebody_elses_container_is_refused(engine: Engine, service: Service) -> None:
    engine.all = [FakeContainer(service.name, {})]
    with pytest.raises(BadInput, match="is not ours"):
        services.observe(service)
    with pytest.raises(BadInput, match="is not ours"):
        services.remove(service, check=False)
    assert engine.ran == []


def test_somebody_elses_network_is_refused(engine: Engine) -> None:
    engine.networks["shop-net"]["Labels"] = {}
    with pytest.raises(BadInput, match="is not ours"):
        services.ensure_network("shop-net", "shop")


def test_a_missing_image_is_told(engine: Engine, service: Service) -> None:
    running(engine, service)
    engine.images.clear()
    with pytest.raises(BotyardError, match="no local image reg:1"):
        services.observe(service)


def test_made_with_label_loopback_port_and_volume(
    engine: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.allowed = [("rm", "--force", "shop-registry"), ("volume", "create"), ("run",)]
    monkeypatch.setattr(services, "_answers", lambda _service: (True, "answers 200"))
    services.act("create", service, lambda _line: None)
    made = " ".join(engine.ran[-1])
    for part in (
        "--label botyard.cluster=shop",
        "--publish 127.0.0.1:5001:5000",
        "--volume shop-registry-images:/var/lib/docker-registry",
        "--network shop-net",
    ):
        assert part in made
    assert engine.ran[1] == ("volume", "create", "--label", "botyard.cluster=shop", "shop-registry-images")


def test_removing_in_check_mode_only_says_so(engine: Engine, service: Service) -> None:
    running(engine, service)
    assert services.remove(service, check=True)
    assert engine.ran == []
