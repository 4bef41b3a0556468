"""What is decided for each state that a cluster can be found in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.host import cluster_health, cluster_spec, kind_cluster, services
from botyard.host.cluster_spec import ClusterSpec
from botyard.host.kind_cluster import Plan
from botyard.targets import Target

from .conftest import Engine, FakeContainer

KUBE = Path("kubeconfig")


@pytest.fixture
def spec(target: Target) -> ClusterSpec:
    return cluster_spec.spec_of(target, "k")


def nodes(status: str = "running", network: str = "shop-net") -> list[FakeContainer]:
    roles = [("shop-worker", "worker"), ("shop-control-plane", "control-plane"), ("shop-worker2", "worker")]
    return [
        FakeContainer(name, {"io.x-k8s.kind.cluster": "shop", "io.x-k8s.kind.role": role}, status, network)
        for name, role in roles
    ]


@pytest.fixture
def cluster(engine: Engine, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A healthy cluster of ours."""
    engine.all = nodes()
    monkeypatch.setattr(kind_cluster, "_kube", lambda *_: object())
    monkeypatch.setattr(cluster_health, "stored_spec", lambda _kube: spec.to_json())
    monkeypatch.setattr(cluster_health, "probe", lambda *_: (True, "3 nodes Ready, DNS up"))
    return engine


def plan(spec: ClusterSpec, *, recreate: bool = False) -> Plan:
    return kind_cluster.observe(spec, KUBE, recreate=recreate).plan


def test_nothing_there(engine: Engine, spec: ClusterSpec) -> None:
    assert plan(spec) is Plan.CREATE


def test_healthy_and_unchanged(cluster: Engine, spec: ClusterSpec) -> None:
    assert plan(spec) is Plan.KEEP
    assert plan(spec, recreate=True) is Plan.KEEP


def test_the_control_plane_comes_first(cluster: Engine) -> None:
    assert [n.name for n in kind_cluster.nodes_of("shop")] == ["shop-control-plane", "shop-worker", "shop-worker2"]


def test_ill(cluster: Engine, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_health, "probe", lambda *_: (False, "CoreDNS 0/2"))
    assert plan(spec) is Plan.HEAL


def test_another_spec_is_refused_and_named(cluster: Engine, spec: ClusterSpec) -> None:
    with pytest.raises(BadInput, match="workers 2 -> 3"):
        plan(dataclasses.replace(spec, workers=3))


def test_another_spec_with_recreate(cluster: Engine, spec: ClusterSpec) -> None:
    found = kind_cluster.observe(dataclasses.replace(spec, workers=3), KUBE, recreate=True)
    assert found.plan is Plan.REMAKE_ASKED and found.diff is not None


def test_a_cluster_without_our_mark_is_refused(
    cluster: Engine, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_health, "stored_spec", lambda _kube: None)
    for recreate in (False, True):
        with pytest.raises(BadInput, match="not ours"):
            plan(spec, recreate=recreate)


def test_a_cluster_on_another_network_is_refused(cluster: Engine, spec: ClusterSpec) -> None:
    cluster.all = nodes(network="kind")
    with pytest.raises(BadInput, match="not ours"):
        plan(spec)


def test_a_network_of_that_name_without_our_label_proves_nothing(cluster: Engine, spec: ClusterSpec) -> None:
    cluster.networks["shop-net"]["Labels"] = {}
    with pytest.raises(BadInput, match="not ours"):
        plan(spec)


@pytest.mark.parametrize(("half_made", "wanted"), [(True, Plan.REMAKE_HALF), (False, Plan.HEAL)])
def test_stopped_nodes_come_back_unless_an_interrupted_run_left_them(
    cluster: Engine, spec: ClusterSpec, half_made: bool, wanted: Plan
) -> None:
    cluster.all = nodes("exited")
    if half_made:
        cluster.volumes["shop-creation"] = {}
    assert plan(spec) is wanted


def test_half_made_without_mark_is_made_anew(
    cluster: Engine, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_health, "stored_spec", lambda _kube: None)
    cluster.volumes["shop-creation"] = {}
    assert plan(spec) is Plan.REMAKE_HALF


def test_killed_after_the_mark_was_written_is_kept(cluster: Engine, spec: ClusterSpec) -> None:
    cluster.volumes["shop-creation"] = {}
    assert plan(spec) is Plan.KEEP


def test_an_api_server_that_does_not_answer(
    cluster: Engine, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_kube: object) -> str:
        raise ConnectionRefusedError

    monkeypatch.setattr(cluster_health, "stored_spec", silent)
    assert plan(spec) is Plan.HEAL


def test_a_kubeconfig_that_is_not_here(cluster: Engine, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_cluster, "_kube", lambda *_: None)
    assert plan(spec) is Plan.HEAL


def test_removing_touches_only_ours(cluster: Engine, tmp_path: Path) -> None:
    cluster.all = nodes(network="kind")
    with pytest.raises(BadInput, match="not ours"):
        kind_cluster.remove("shop", "shop-net", tmp_path / "kubeconfig", check=False)
    assert cluster.ran == []


def test_removing_in_check_mode_only_says_so(cluster: Engine, tmp_path: Path) -> None:
    assert kind_cluster.remove("shop", "shop-net", tmp_path / "kubeconfig", check=True)
    assert cluster.ran == []


def test_removing_takes_nodes_volume_and_kubeconfig(cluster: Engine, tmp_path: Path) -> None:
    cluster.allowed = [("rm", "--force", "--volumes"), ("volume", "rm", "shop-creation")]
    cluster.volumes["shop-creation"] = {}
    cluster.networks.clear()
    cluster.networks["shop-net"] = {"Id": "net1", "Labels": {"botyard.cluster": "shop"}}
    kube = tmp_path / "kubeconfig"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "drop_network", lambda *_: True)
        patch.setattr(kind_cluster, "_must_carry_mark", lambda *_: pytest.fail("a half-made one has no mark"))
        kube.write_text("")
        assert kind_cluster.remove("shop", "shop-net", kube, check=False)
    assert not kube.exists()
    assert cluster.ran[0][3:] == ("shop-control-plane", "shop-worker", "shop-worker2")
