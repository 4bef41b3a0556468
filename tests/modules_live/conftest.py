"""A live cluster, a namespace, a registry and a depot of the suite's own; all of these are gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import ALONE, BESIDE, LIVE, LIVE_STATE, NAMESPACES, Kit
from rows import NAMESPACE, NO_SERVICES, SERVICES

from botyard.commands.locks import one_run_at_a_time
from botyard.tools import docker
from botyard.tools.registry_api import Registry
from botyard.wait import wait_until


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """Everything is made anew, so that a killed run before this one makes no difference."""
    if not (LIVE_STATE / "kubeconfig").is_file() or docker.image("botyard/registry:latest") is None:
        pytest.fail("there is no cluster: first run invoke e2e")
    # What is compared before and after must not be changed by another run meanwhile.
    with one_run_at_a_time(LIVE.cluster):
        yield from _made(Kit(tmp_path_factory.mktemp("modules")))


def _made(kit: Kit) -> Iterator[Kit]:
    _leave_nothing(kit)
    kit.variables |= {
        "ns": NAMESPACES[0],
        "made_ns": NAMESPACES[1],
        "image": _small_image(),
        "node_image": _node_image(),
        "charts_url": f"http://127.0.0.1:{BESIDE.ports.depot}/charts",
    }
    try:
        assert kit.play(SERVICES, target=BESIDE).exit_code == 0
        assert kit.play(NAMESPACE).exit_code == 0
        yield kit
    finally:
        _leave_nothing(kit)


@pytest.fixture(scope="session", params=["helm 4", "helm 3"])
def binary(request: pytest.FixtureRequest, kit: Kit) -> str:
    """What ``binary_path`` is: '' for our own Helm 4, or the path of a Helm 3."""
    return "" if request.param == "helm 4" else kit.helm_3()


def _small_image() -> str:
    """An image that the nodes have already, by digest; every pod of the suite sleeps in it."""
    registry = Registry(f"http://127.0.0.1:{LIVE.ports.registry}")
    found = registry.manifest("botyard/redis", "latest")
    registry.close()
    assert found is not None, "the live registry has no botyard/redis: first run invoke e2e"
    return f"localhost:{LIVE.ports.registry}/botyard/redis@{found.digest}"


def _node_image() -> str:
    found = docker.container(f"{LIVE.cluster}-control-plane")
    assert found is not None and found.image is not None
    return str(found.image.id)


def _leave_nothing(kit: Kit) -> None:
    for namespace in NAMESPACES:
        kit.kube.delete("v1", "Namespace", namespace)
    for target in (BESIDE, ALONE):
        assert kit.play(NO_SERVICES, target=target).exit_code == 0
    for tag in docker.tags_of("botyard/matrix-tiny"):
        docker.cli("rmi", "--force", tag)
    left = list(NAMESPACES)

    def gone() -> tuple[bool, str]:
        left[:] = [n for n in left if kit.kube.get("v1", "Namespace", n) is not None]
        return not left, ", ".join(left)

    wait_until("the end of the suite's namespaces", gone, 120, interval_s=0.5)


@pytest.fixture
def work(kit: Kit, request: pytest.FixtureRequest) -> Path:
    """A folder of one test's own below the folder that playbooks know as ``work``."""
    folder = kit.work / "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
