"""What is told before a release: room, missing Secrets, names; and when nothing needs to be looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from botyard.contracts import BadInput
from botyard.release import preflight
from botyard.release.preflight import Cluster, Findings
from botyard.release.releases import Plan
from botyard.tools.helm import Chart, Helm, Release
from botyard.tools.kube import Kube

HOST = "kubernetes.io/hostname"
NODES = [
    {"metadata": {"name": name, "labels": {HOST: name}}, "status": {"allocatable": {"cpu": "2"}}}
    for name in ("worker", "worker2")
]
RULE = {"labelSelector": {"matchLabels": {"app": "tea"}}, "topologyKey": HOST}


class FakeKube:
    """A cluster with these Secrets (name -> keys) and no pods."""

    def __init__(self, **secrets: Sequence[str]) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    def list(self, _api: str, kind: str, namespace: str) -> list[dict[str, Any]]:
        assert (kind, namespace) == ("Pod", "shop")
        return []

    def place_or_none(self, _api: str, kind: str) -> str | None:
        return None if kind == "ScaledObject" else "/there"

    def get(self, _api: str, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        assert namespace == "shop"
        self.asked.append(name)
        keys = self.secrets.get(name) if kind == "Secret" else None
        return None if keys is None else {"data": dict.fromkeys(keys, "eA==")}


def cluster(kube: FakeKube | None = None, **coming: Sequence[str]) -> Cluster:
    return Cluster(cast(Kube, kube or FakeKube()), NODES, coming)


def deployment(replicas: int | None = 2, rule: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}} if rule else {}
    spec = {"affinity": apart, "containers": [{"name": "c"}], **pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tea"},
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": {"app": "tea"}},
            "template": {"metadata": {"labels": {"app": "tea"}}, "spec": spec},
        },
    }


def release(*objects: dict[str, Any], values: dict[str, Any] | None = None, status: str = "deployed") -> Release:
    manifest = "\n---\n".join(json.dumps(body) for body in objects)
    return Release("tea", "shop", 3, status, values or {}, manifest, chart="tea-1.0.0")


def examine(*objects: dict[str, Any], live: Release | None = None, **more: Any) -> Findings:
    return preflight.examine(objects, live, "shop", cluster(**more))


def test_a_values_file_that_cannot_roll_out_is_refused_at_the_first_install_too() -> None:
    found = examine(deployment(2, RULE))
    with pytest.raises(BadInput, match=r"2 replicas \+ 1 surge = 3 pods that need 3 different nodes") as refused:
        found.raised("tea", [Path("base.yaml")])
    assert "maxSurge: 0" in refused.value.cure and "matchLabelKeys" in refused.value.cure
    assert "base.yaml" in refused.value.message


def test_where_no_pod_will_move_it_is_a_warning() -> None:
    found = examine(deployment(2, RULE), live=release(deployment(2, RULE)))
    assert not found.problems
    assert "Before the next upgrade" in found.warnings[0]
    other = examine(deployment(2, RULE, hostname="new"), live=release(deployment(2, RULE)))
    assert other.problems


def test_what_autoscaling_may_come_to_is_a_warning() -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "tea"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "tea"}, "minReplicas": 1, "maxReplicas": 5},
    }
    found = examine(deployment(None, RULE), scaler)
    assert not found.problems
    assert "5 replicas need 5 different nodes; 2 nodes can take them" in found.warnings[0]
    scaler["spec"] = {**cast(dict[str, Any], scaler["spec"]), "minReplicas": 3}
    assert examine(deployment(None, RULE), scaler).problems


KEY_B = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "half", "key": "b"}}}
PODS: list[tuple[dict[str, Any], str]] = [
    ({"volumes": [{"name": "v", "secret": {"secretName": "lost"}}]}, "Secret lost is not there .*volume v"),
    (
        {"volumes": [{"name": "v", "secret": {"secretName": "half", "items": [{"key": "b", "path": "b"}]}}]},
        "Secret half has no key b",
    ),
    ({"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "lost"}}]}}]}, "Secret lost is not"),
    ({"volumes": [{"name": "v", "configMap": {"name": "lost"}}]}, "ConfigMap lost is not there"),
    ({"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "lost"}}]}]}, "lost is not there .*envFrom"),
    (
        {"containers": [{"name": "c", "env": [KEY_B]}]},
        "Secret half has no key b .*container c, env A",
    ),
    (
        {"initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "lost"}}]}]},
        "ConfigMap lost is not there .*container i",
    ),
]


@pytest.mark.parametrize(("pod", "told"), PODS)
def test_what_pods_read_and_is_not_there_is_refused(pod: dict[str, Any], told: str) -> None:
    found = examine(deployment(1, **pod), kube=FakeKube(half=["a"]))
    with pytest.raises(BadInput, match=told):
        found.raised("tea", [])


def test_what_is_there_or_comes_is_not_told() -> None:
    pod: dict[str, Any] = {
        "volumes": [
            {"name": "a", "secret": {"secretName": "there", "items": [{"key": "x", "path": "x"}]}},
            {"name": "b", "secret": {"secretName": "later", "items": [{"key": "y", "path": "y"}]}},
            {"name": "c", "secret": {"secretName": "ours", "items": [{"key": "z", "path": "z"}]}},
            {"name": "d", "secret": {"secretName": "may-be", "optional": True}},
        ]
    }
    ours = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ours"}, "stringData": {"z": "1"}}
    found = examine(deployment(1, **pod), ours, kube=FakeKube(there=["x"]), later=["y"])
    assert not found.problems and not found.warnings


def test_a_pull_secret_that_is_not_there_is_a_warning_as_the_image_may_be_public() -> None:
    found = examine(deployment(1, imagePullSecrets=[{"name": "lost"}]))
    assert not found.problems
    assert "Secret lost is not there" in found.warnings[0]


def test_all_problems_are_told_at_once_and_each_object_is_asked_for_once() -> None:
    kube = FakeKube()
    lost = {"envFrom": [{"secretRef": {"name": "lost"}}]}
    pod = {"containers": [{"name": "a", **lost}, {"name": "b", **lost}]}
    found = examine(deployment(3, RULE, **pod), kube=kube)
    assert len(found.problems) == 2
    assert kube.asked == ["lost"]


@pytest.mark.parametrize(("label", "good"), [("my-bot", True), ("My_bot", False), ("1bot", False), ("bot-", False)])
def test_a_dns_label_that_azure_refuses(label: str, good: bool) -> None:
    about = {"name": "tea", "annotations": {"service.beta.kubernetes.io/azure-dns-label-name": label}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": {}}
    assert (not examine(service).problems) == good


def test_a_release_with_the_same_chart_and_values_is_left_alone(tmp_path: Path) -> None:
    base, own = tmp_path / "base.yaml", tmp_path / "own.yaml"
    base.write_text("a: {x: 1, y: [1, 2]}\nb: null\n")
    own.write_text("a: {y: [3]}\n")
    plan = Plan("tea", "shop", Chart("tea"), values_files=(base, own), values={"a": {"z": "9"}})
    values = {"a": {"x": 1, "y": [3], "z": "9"}, "b": None}
    assert preflight.merged_values(plan) == values
    assert preflight.as_released(plan, release(values=values), "tea-1.0.0")
    assert not preflight.as_released(plan, release(values=values), "tea-1.0.1")
    assert not preflight.as_released(plan, release(values=values, status="failed"), "tea-1.0.0")
    assert not preflight.as_released(plan, release(values={**values, "b": 1}), "tea-1.0.0")
    assert not preflight.as_released(plan, None, "tea-1.0.0")


def test_values_that_the_chart_refuses_are_bad_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from botyard.contracts import CommandError
    from botyard.tools import helm as helm_tool

    def run(argv: list[object], **_more: object) -> None:
        assert [str(word) for word in argv][1:6] == ["template", "tea", "charts/tea", "--namespace", "shop"]
        raise CommandError(["helm"], 1, "", "Error: replicaCount: got string, want integer\n")

    monkeypatch.setattr(helm_tool, "run", run)
    plan = Plan("tea", "shop", Chart("charts/tea"), values_files=(Path("base.yaml"),))
    with pytest.raises(BadInput, match="got string, want integer") as refused:
        preflight.rendered(Helm(Path("helm"), tmp_path), plan, [], "v1.34.4")
    assert "base.yaml" in refused.value.cure


def test_a_kind_that_this_cluster_lacks_is_named() -> None:
    scaler = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "tea"}}
    (found,) = examine(deployment(), scaler).problems
    assert found.message == "this cluster knows no ScaledObject of keda.sh/v1alpha1" and "KEDA" in found.cure


def test_where_nodes_may_not_be_listed_the_rest_is_looked_at() -> None:
    blind = Cluster(cast(Kube, FakeKube()), None, {})
    found = preflight.examine([deployment(200, RULE, imagePullSecrets=[{"name": "lost"}])], None, "shop", blind)
    assert not found.problems and len(found.warnings) == 2 and "nodes may not be listed" in found.warnings[1]
    assert found.demand["pods"] == 200
