"""The sum of replicas, surge and nodes. Each row ended so on a real cluster of three workers (Kubernetes 1.34)."""

from __future__ import annotations

from typing import Any

import pytest

from botyard.release import arithmetic, nodes
from botyard.release.arithmetic import Room

HOST = "kubernetes.io/hostname"
BLIND: dict[str, Any] = {"labelSelector": {"matchLabels": {"app": "tea"}}, "topologyKey": HOST}
SEEING: dict[str, Any] = {**BLIND, "matchLabelKeys": ["pod-template-hash"]}


def node(name: str, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {HOST: name, **labels}},
        "spec": {},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"}},
    }


WORKERS = [node("worker"), node("worker2"), node("worker3")]


def template(*terms: dict[str, Any], **labels: str) -> dict[str, Any]:
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}} if terms else {}
    return {"metadata": {"labels": {"app": "tea", **labels}}, "spec": {"affinity": apart, "containers": []}}


def tea(replicas: int, surge: Any, unavailable: Any, of: dict[str, Any], kind: str = "Deployment") -> dict[str, Any]:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    spec = {"replicas": replicas, "strategy": rolling, "template": of}
    return {"kind": kind, "metadata": {"name": "tea"}, "spec": spec}


def room(live: dict[str, Any] | None = None, on: Any = WORKERS, strangers: Any = ()) -> Room:
    return Room(nodes.fit(on, {"containers": []}), strangers, live)


# replicas, maxSurge, maxUnavailable, new rule, rule of the pods that run, does an upgrade end?
ROWS = [
    (3, 1, 0, BLIND, BLIND, False),
    (3, 1, 1, BLIND, BLIND, True),
    (3, 0, 1, BLIND, BLIND, True),
    (3, 1, 0, SEEING, SEEING, True),
    (3, 1, 0, SEEING, BLIND, False),  # "didn't satisfy existing pods anti-affinity rules"
    (3, 0, 1, SEEING, BLIND, True),
    (3, "25%", "25%", BLIND, BLIND, False),  # 1 more, 0 less
    (2, 2, 0, BLIND, BLIND, True),  # one of the two finds a place, and an old one goes for it
    (2, 1, 0, BLIND, BLIND, True),
]


@pytest.mark.parametrize(("replicas", "surge", "unavailable", "new", "old", "ends"), ROWS)
def test_whether_an_upgrade_ends(
    replicas: int, surge: Any, unavailable: Any, new: dict[str, Any], old: dict[str, Any], ends: bool
) -> None:
    wanted = tea(replicas, surge, unavailable, template(new))
    assert (arithmetic.rolled(wanted, "shop", replicas, room(template(old))) is None) == ends


def test_the_sum_and_both_cures_are_told() -> None:
    four = [*WORKERS, node("worker4")]
    problem = arithmetic.rolled(tea(4, 1, 0, template(BLIND)), "shop", 4, room(on=four))
    assert problem is not None
    assert problem.message == (
        "Deployment/tea: 4 replicas + 1 surge = 5 pods that need 5 different nodes; 4 nodes can take them, "
        "so an upgrade would hang"
    )
    assert "maxSurge: 0, maxUnavailable: 1" in problem.cure
    assert "matchLabelKeys: [pod-template-hash]" in problem.cure
    assert "run now" not in problem.cure


def test_where_the_running_pods_carry_the_rule_one_cure_is_not_enough() -> None:
    both = arithmetic.rolled(tea(3, 1, 0, template(BLIND)), "shop", 3, room(template(BLIND)))
    cured = arithmetic.rolled(tea(3, 1, 0, template(SEEING)), "shop", 3, room(template(BLIND)))
    assert both is not None and "this one upgrade needs the first" in both.cure
    assert cured is not None and "for this one upgrade set" in cured.cure and "matchLabelKeys" not in cured.cure


def test_the_pods_of_a_rule_that_is_gone_still_keep_new_ones_away() -> None:
    assert arithmetic.rolled(tea(3, 1, 0, template()), "shop", 3, room(template(BLIND))) is not None


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "meant"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (4, "0%", "20%", (0, 1)),  # both 0 after rounding: one less
        (4, 0, "20%", (0, 1)),
        (3, 2, 9, (2, 3)),
        (3, "100%", 0, (3, 0)),
    ],
)
def test_parts_are_rounded_as_kubernetes_does(
    replicas: int, surge: Any, unavailable: Any, meant: tuple[int, int]
) -> None:
    rolling = arithmetic.rolling(tea(replicas, surge, unavailable, template()), replicas)
    assert (rolling.surge, rolling.unavailable) == meant


def test_without_a_strategy_it_is_a_quarter_of_each() -> None:
    bare = tea(4, 1, 1, template())
    del bare["spec"]["strategy"]
    assert arithmetic.rolling(bare, 4) == arithmetic.Rolling(1, 1)


def test_recreate_and_stateful_sets_need_no_more_room() -> None:
    recreate = tea(3, 1, 0, template(BLIND))
    recreate["spec"]["strategy"] = {"type": "Recreate"}
    assert arithmetic.rolled(recreate, "shop", 3, room()) is None
    assert arithmetic.rolled(tea(3, 1, 0, template(BLIND), "StatefulSet"), "shop", 3, room()) is None


def test_more_replicas_than_nodes_find_no_place_at_all() -> None:
    problem = arithmetic.placed("Deployment/tea", template(SEEING), "shop", 4, room())
    assert problem is not None
    assert "4 replicas need 4 different nodes; 3 nodes can take them" in problem.message
    assert "3 replicas at most" in problem.cure and "preferred" in problem.cure
    assert arithmetic.placed("Deployment/tea", template(SEEING), "shop", 3, room()) is None
    assert arithmetic.placed("Deployment/tea", template(), "shop", 4, room()) is None


def test_places_are_counted_by_the_topology_key() -> None:
    zoned = [node("a", zone="1"), node("b", zone="1"), node("c", zone="2")]
    term = {**SEEING, "topologyKey": "zone"}
    problem = arithmetic.placed("Deployment/tea", template(term), "shop", 3, room(on=zoned))
    assert problem is not None and "different places by zone; 2 places can" in problem.message
    # A node without the label takes as many as there are.
    assert arithmetic.placed("Deployment/tea", template(term), "shop", 3, room(on=[*zoned, node("d")])) is None


def test_strangers_that_the_rule_means_take_places() -> None:
    stranger = {"metadata": {"labels": {"app": "tea"}, "namespace": "shop"}, "spec": {"nodeName": "worker"}}
    assert arithmetic.placed("Deployment/tea", template(BLIND), "shop", 3, room(strangers=[stranger])) is not None
    away = {**stranger, "metadata": {**stranger["metadata"], "namespace": "elsewhere"}}
    assert arithmetic.placed("Deployment/tea", template(BLIND), "shop", 3, room(strangers=[away])) is None


@pytest.mark.parametrize(
    ("term", "kept_away"),
    [
        ({"labelSelector": {"matchLabels": {"app": "milk"}}}, False),
        ({}, False),  # no selector chooses nothing
        ({"labelSelector": {}}, True),
        ({"labelSelector": {"matchLabels": {"app": "tea"}}, "namespaces": ["elsewhere"]}, False),
        ({"labelSelector": {"matchLabels": {"app": "tea"}}, "namespaceSelector": {}}, True),
        ({"labelSelector": {"matchLabels": {"app": "tea"}}, "mismatchLabelKeys": ["pod-template-hash"]}, True),
        ({"labelSelector": {"matchLabels": {"app": "tea"}}, "matchLabelKeys": ["app"]}, True),
    ],
)
def test_whom_a_term_keeps_away(term: dict[str, Any], kept_away: bool) -> None:
    wanted = tea(3, 1, 0, template({"topologyKey": HOST, **term}))
    assert (arithmetic.rolled(wanted, "shop", 3, room(template())) is not None) == kept_away


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        ({}, "taint dedicated"),
        ({"tolerations": [{"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}]}, ""),
        ({"tolerations": [{"operator": "Exists"}], "nodeSelector": {"disk": "ssd"}}, "nodeSelector disk: ssd"),
        ({"tolerations": [{"operator": "Exists"}], "nodeSelector": {"zone": "1"}}, ""),
    ],
)
def test_which_pods_a_node_takes(pod: dict[str, Any], why: str) -> None:
    one = node("a", zone="1")
    one["spec"]["taints"] = [{"key": "dedicated", "value": "ml", "effect": "NoSchedule"}]
    assert nodes.why_not(one, {"containers": [], **pod}) == why


@pytest.mark.parametrize(
    ("one", "chosen"),
    [
        ({"key": "zone", "operator": "In", "values": ["1", "2"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["1"]}, False),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, True),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "DoesNotExist"}, False),
        ({"key": "zone", "operator": "Gt", "values": ["0"]}, True),
        ({"key": "disk", "operator": "Lt", "values": ["5"]}, False),
    ],
)
def test_node_affinity(one: dict[str, Any], chosen: bool) -> None:
    required = {"nodeSelectorTerms": [{"matchExpressions": [one]}]}
    pod = {
        "containers": [],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
    }
    assert nodes.why_not(node("a", zone="1"), pod) == ("" if chosen else "nodeAffinity")


def test_a_pod_larger_than_any_node_is_told_with_the_amounts() -> None:
    big = {"containers": [{"name": "a", "resources": {"requests": {"memory": "3Gi"}}}] * 2}
    assert nodes.why_not(WORKERS[0], big) == "memory: 6144Mi asked for, 4Gi there"
    # Init containers come one after the other; a limit alone is a request as well.
    start = {"initContainers": [{"name": "i", "resources": {"limits": {"cpu": "2500m"}}}] * 2, "containers": []}
    assert nodes.why_not(WORKERS[0], start) == "cpu: 2.5 asked for, 2 there"
    start["initContainers"][0]["resources"] = {"limits": {"cpu": "1500m"}}
    assert nodes.why_not(WORKERS[0], start) == ""
