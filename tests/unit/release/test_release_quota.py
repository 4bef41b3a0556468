"""What a rollout takes from a namespace's quotas, at the moment when old and new pods are there together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from botyard.release import quota

ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def deployment(
    replicas: int = 2, *, image: str = "tea:1", strategy: Any = ROLLING, cpu: str = "500m"
) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu, "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    pod = {"spec": {"containers": [{"name": "c", "image": image, "resources": resources}]}}
    return {"kind": "Deployment", "spec": {"replicas": replicas, "strategy": strategy, "template": pod}}


def limit(used: dict[str, str], hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "team"}, "spec": {"hard": hard, **spec}, "status": {"used": used}}


def test_a_first_install_takes_all_of_it() -> None:
    found = quota.of_workload(deployment(), None, 2)
    assert found == {
        "pods": 2, "requests.cpu": 1, "requests.memory": 2 * 2**30, "limits.memory": 4 * 2**30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("new", "replicas", "pods", "cpu"),
    [
        (deployment(), 2, 0, "0"),
        (deployment(image="tea:2"), 2, 1, "0.5"),
        (deployment(image="tea:2", cpu="1"), 2, 1, "2"),
        (deployment(image="tea:2", strategy={"type": "Recreate"}), 2, 0, "0"),
        (deployment(3), 3, 1, "0.5"),
        (deployment(1), 1, -1, "-0.5"),
    ],
)
def test_an_upgrade_takes_what_comes_beside_the_old_pods(new: Any, replicas: int, pods: int, cpu: str) -> None:
    found = quota.of_workload(new, deployment(), replicas)
    assert (found["pods"], found["requests.cpu"]) == (pods, Decimal(cpu))


@pytest.mark.parametrize(
    ("hard", "told"),
    [
        ({"requests.cpu": "3", "pods": "10"}, []),
        ({"cpu": "2500m"}, ["cpu: 1 more at the height of the rollout, 2 of 2.5 taken"]),
        ({"count/pods": "5"}, ["count/pods: 2 more at the height of the rollout, 4 of 5 taken"]),
        ({"limits.memory": "5Gi"}, ["limits.memory: 4096Mi more at the height of the rollout, 2048Mi of 5120Mi taken"]),
        ({"services.loadbalancers": "0", "configmaps": "1"}, []),
    ],
)
def test_what_would_not_fit_is_told_with_the_sum(hard: dict[str, str], told: list[str]) -> None:
    used = {"requests.cpu": "2", "cpu": "2", "pods": "4", "count/pods": "4", "limits.memory": "2Gi"}
    found = quota.problems([limit(used, hard)], quota.of_workload(deployment(), None, 2))
    assert [one.message for one in found] == [f"ResourceQuota/team: {line}" for line in told]


def test_a_quota_that_counts_some_pods_only_is_left_out() -> None:
    scoped = limit({}, {"pods": "0"}, scopes=["BestEffort"])
    assert quota.problems([scoped], quota.of_workload(deployment(), None, 2)) == []


def test_releases_of_one_namespace_are_summed() -> None:
    demand = quota.total([quota.of_workload(deployment(), None, 2)] * 2)
    assert len(quota.problems([limit({}, {"pods": "3"})], demand)) == 1
