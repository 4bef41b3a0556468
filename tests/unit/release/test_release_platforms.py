"""An image for one platform and nodes of another: told before a pod ends with an exec format error."""

from __future__ import annotations

from typing import Any, cast

import pytest

from botyard.release import platforms, preflight
from botyard.release.preflight import Cluster
from botyard.tools.kube import Kube

BUILT = {"shop.azurecr.io/bots/botyard/rasa": "linux/amd64", "localhost:5001/botyard/gateway": "linux/amd64"}
OURS = "shop.azurecr.io/bots/botyard/rasa@sha256:" + "a" * 64


def node(name: str, arch: str, **labels: str) -> dict[str, Any]:
    about = {"operatingSystem": "linux", "architecture": arch}
    found = {"metadata": {"name": name, "labels": {"kubernetes.io/arch": arch, **labels}}}
    return {**found, "status": {"nodeInfo": about, "allocatable": {"cpu": "4"}}}


def told(image: str, *nodes: dict[str, Any], init: str = "redis:7") -> str:
    pod = {"initContainers": [{"image": init}], "containers": [{"image": "redis:7"}, {"image": image}]}
    found = platforms.problem("Deployment/myrasa", pod, nodes, BUILT)
    return f"{found.message} | {found.cure}" if found else ""


def test_nodes_of_the_images_platform_are_fine() -> None:
    assert told(OURS, node("a", "amd64"), node("b", "amd64")) == ""


def test_where_no_node_could_run_it_nodes_or_another_build_are_asked_for() -> None:
    found = told(OURS, node("a", "arm64"), node("b", "arm64"))
    assert "made for linux/amd64, and 2 of 2 nodes" in found and "a: linux/arm64" in found
    assert found.endswith("| add nodes of linux/amd64; or build on a machine of linux/arm64")


def test_where_some_could_not_the_pods_are_to_be_kept_off_them() -> None:
    found = told("localhost:5001/botyard/gateway:v1", node("a", "amd64"), node("w", "arm64"))
    assert "1 of 2 nodes" in found and "w: linux/arm64" in found
    assert "| keep its pods off: nodeSelector: {kubernetes.io/arch: amd64} in its values" in found


def test_an_init_container_is_a_container_too() -> None:
    assert "made for linux/amd64" in told("redis:7", node("a", "arm64"), init=OURS)


@pytest.mark.parametrize("image", ["docker.io/library/redis:7", "shop.azurecr.io/bots/botyard/rasa2@sha256:1", ""])
def test_an_image_from_elsewhere_is_not_looked_at(image: str) -> None:
    assert told(image, node("a", "arm64")) == ""


def test_what_has_not_been_built_yet_has_no_platform() -> None:
    pod = {"containers": [{"image": OURS}]}
    assert platforms.problem("tea", pod, [node("a", "arm64")], dict.fromkeys(BUILT, "")) is None


@pytest.mark.parametrize(("selector", "problems"), [({}, 1), ({"kubernetes.io/arch": "amd64"}, 0)])
def test_only_nodes_that_the_pods_may_come_to_count(selector: dict[str, str], problems: int) -> None:
    spec = {"nodeSelector": selector, "containers": [{"name": "c", "image": OURS}]}
    template = {"metadata": {"labels": {"app": "tea"}}, "spec": spec}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tea"},
        "spec": {"selector": {"matchLabels": {"app": "tea"}}, "template": template},
    }

    class FakeKube:
        def place_or_none(self, _api: str, _kind: str) -> str:
            return "/there"

        def list(self, _api: str, kind: str, _namespace: str) -> list[dict[str, Any]]:
            assert kind == "Pod"
            return []

    cluster = Cluster(cast(Kube, FakeKube()), [node("a", "amd64"), node("w", "arm64")], {}, BUILT)
    assert len(preflight.examine([body], None, "shop", cluster).problems) == problems
