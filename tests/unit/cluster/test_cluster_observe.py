"""What is decided for each state that a cluster can be found in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BadInput
from botyard.host import cluster_health, cluster_spec, own_cluster, services
from botyard.host.cluster_driver import Driver
from botyard.host.cluster_spec import ClusterSpec
from botyard.host.kind_cluster import KindDriver
from botyard.host.minikube_cluster import MinikubeDriver
from botyard.host.own_cluster import Plan
from botyard.targets import Target

from .conftest import Engine, FakeContainer

NODES = {
    "kind": ("shop-control-plane", "shop-worker", "shop-worker2"),
    "minikube": ("shop", "shop-m02", "shop-m03"),
}


@pytest.fixture(params=list(NODES))
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Driver:
    """Each of them; its program is asked for by no test here."""
    more: dict[str, Any] = {
        "kubeconfig": tmp_path / "kubeconfig",
        "binary": lambda: pytest.fail("nothing is to be run"),
    }
    if request.param == "kind":
        return KindDriver(**more)
    return MinikubeDriver(**more, version="v1.34.4", manifests=tmp_path)


@pytest.fixture
def spec(driver: Driver) -> ClusterSpec:
    return cluster_spec.spec_of(Target(name=driver.name, driver=driver.name, cluster="shop", workers=2), "k")  # type: ignore[arg-type]


def nodes(driver: Driver, status: str = "running", network: str = "shop-net") -> list[FakeContainer]:
    """Those of that driver, in no order, with one that is no node of this cluster."""
    first, *workers = NODES[driver.name]
    if driver.name == "kind":
        labels = {first: "control-plane", **dict.fromkeys(workers, "worker")}
        own = [{"io.x-k8s.kind.cluster": "shop", "io.x-k8s.kind.role": role} for role in labels.values()]
        other = FakeContainer("shop2-worker", {"io.x-k8s.kind.cluster": "shop2", "io.x-k8s.kind.role": "worker"})
    else:
        own = [{"created_by.minikube.sigs.k8s.io": "true"} for _ in NODES[driver.name]]
        other = FakeContainer("shop-eu", {"created_by.minikube.sigs.k8s.io": "true"})
    found = [FakeContainer(name, one, status, network) for name, one in zip(NODES[driver.name], own, strict=True)]
    return [*reversed(found), other]


@pytest.fixture
def cluster(engine: Engine, driver: Driver, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A healthy cluster of ours."""
    engine.all = nodes(driver)
    monkeypatch.setattr(own_cluster, "_kube", lambda *_: object())
    monkeypatch.setattr(cluster_health, "stored_spec", lambda _kube: spec.to_json())
    monkeypatch.setattr(cluster_health, "probe", lambda *_: (True, "3 nodes Ready, DNS up"))
    return engine


def plan(driver: Driver, spec: ClusterSpec, *, recreate: bool = False) -> Plan:
    return own_cluster.observe(driver, spec, recreate=recreate).plan


def test_nothing_there(engine: Engine, driver: Driver, spec: ClusterSpec) -> None:
    assert plan(driver, spec) is Plan.CREATE


def test_healthy_and_unchanged(cluster: Engine, driver: Driver, spec: ClusterSpec) -> None:
    assert plan(driver, spec) is Plan.KEEP
    assert plan(driver, spec, recreate=True) is Plan.KEEP


def test_the_control_plane_comes_first(cluster: Engine, driver: Driver) -> None:
    assert tuple(n.name for n in driver.nodes("shop")) == NODES[driver.name]


def test_ill(cluster: Engine, driver: Driver, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_health, "probe", lambda *_: (False, "CoreDNS 0/2"))
    assert plan(driver, spec) is Plan.HEAL


def test_another_spec_is_refused_and_named(cluster: Engine, driver: Driver, spec: ClusterSpec) -> None:
    with pytest.raises(BadInput, match="workers 2 -> 3"):
        plan(driver, dataclasses.replace(spec, workers=3))


def test_another_spec_with_recreate(cluster: Engine, driver: Driver, spec: ClusterSpec) -> None:
    found = own_cluster.observe(driver, dataclasses.replace(spec, workers=3), recreate=True)
    assert found.plan is Plan.REMAKE_ASKED and found.diff is not None


def test_a_cluster_without_our_mark_is_refused(
    cluster: Engine, driver: Driver, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_health, "stored_spec", lambda _kube: None)
    for recreate in (False, True):
        with pytest.raises(BadInput, match="not ours"):
            plan(driver, spec, recreate=recreate)


def test_a_cluster_on_another_network_is_refused(cluster: Engine, driver: Driver, spec: ClusterSpec) -> None:
    cluster.all = nodes(driver, network="kind")
    with pytest.raises(BadInput, match="not ours"):
        plan(driver, spec)


def test_a_network_of_that_name_without_our_label_proves_nothing(
    cluster: Engine, driver: Driver, spec: ClusterSpec
) -> None:
    cluster.networks["shop-net"]["Labels"] = {}
    with pytest.raises(BadInput, match="not ours"):
        plan(driver, spec)


@pytest.mark.parametrize(("half_made", "wanted"), [(True, Plan.REMAKE_HALF), (False, Plan.HEAL)])
def test_stopped_nodes_come_back_unless_an_interrupted_run_left_them(
    cluster: Engine, driver: Driver, spec: ClusterSpec, half_made: bool, wanted: Plan
) -> None:
    cluster.all = nodes(driver, "exited")
    if half_made:
        cluster.volumes["shop-creation"] = {}
    assert plan(driver, spec) is wanted


def test_half_made_without_mark_is_made_anew(
    cluster: Engine, driver: Driver, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_health, "stored_spec", lambda _kube: None)
    cluster.volumes["shop-creation"] = {}
    assert plan(driver, spec) is Plan.REMAKE_HALF


def test_killed_after_the_mark_was_written_is_kept(cluster: Engine, driver: Driver, spec: ClusterSpec) -> None:
    cluster.volumes["shop-creation"] = {}
    assert plan(driver, spec) is Plan.KEEP


def test_an_api_server_that_does_not_answer(
    cluster: Engine, driver: Driver, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_kube: object) -> str:
        raise ConnectionRefusedError

    monkeypatch.setattr(cluster_health, "stored_spec", silent)
    assert plan(driver, spec) is Plan.HEAL


def test_a_kubeconfig_that_is_not_here(
    cluster: Engine, driver: Driver, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_cluster, "_kube", lambda *_: None)
    assert plan(driver, spec) is Plan.HEAL


def test_removing_touches_only_ours(cluster: Engine, driver: Driver) -> None:
    cluster.all = nodes(driver, network="kind")
    with pytest.raises(BadInput, match="not ours"):
        own_cluster.remove(driver, "shop", "shop-net", check=False)
    assert cluster.ran == []


def test_removing_in_check_mode_only_says_so(cluster: Engine, driver: Driver) -> None:
    assert own_cluster.remove(driver, "shop", "shop-net", check=True)
    assert cluster.ran == []


def test_removing_takes_nodes_volume_and_kubeconfig(cluster: Engine, driver: Driver) -> None:
    cluster.allowed = [("rm", "--force", "--volumes"), ("volume", "rm", "shop-creation")]
    cluster.volumes["shop-creation"] = {}
    cluster.networks.clear()
    cluster.networks["shop-net"] = {"Id": "net1", "Labels": {"botyard.cluster": "shop"}}
    kube = driver.kubeconfig
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "drop_network", lambda *_: True)
        patch.setattr(own_cluster, "_must_carry_mark", lambda *_: pytest.fail("a half-made one has no mark"))
        kube.write_text("")
        assert own_cluster.remove(driver, "shop", "shop-net", check=False)
    assert not kube.exists()
    assert cluster.ran[0][3:] == NODES[driver.name]
