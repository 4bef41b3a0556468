"""Whether a release fits into the namespace's quota at the height of its rollout; told before anything is installed."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from kubernetes.client import ApiException

from botyard.release import quota
from botyard.release.quota import Need
from botyard.tools.kube import Kube

SAID = {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


class Space:
    """A namespace with quotas, or one whose quotas may not be read."""

    def __init__(self, *quotas: dict[str, Any], status: int = 0) -> None:
        self.quotas, self.status = quotas, status

    def list(self, api: str, kind: str, namespace: str) -> list[dict[str, Any]]:
        assert (api, kind, namespace) == ("v1", "ResourceQuota", "shop")
        if self.status:
            raise ApiException(status=self.status)
        return list(self.quotas)


def a_quota(key: str, hard: str, used: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "small"}, "spec": spec, "status": {"hard": {key: hard}, "used": {key: used}}}


def workload(replicas: int = 2, image: str = "one", resources: Any = SAID, **rolling: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": image, "resources": resources}]}
    strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0, **rolling}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "tea"},
        "spec": {"replicas": replicas, "strategy": strategy, "template": {"spec": spec}},
    }  # fmt: skip


def told(space: Space, **needs: Need) -> tuple[list[str], list[str]]:
    problems, warnings = quota.problems(cast(Kube, space), "shop", needs)
    return [one.message for one in problems], warnings


def more(new: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, float]:
    found = quota.need([new], json.dumps(old) if old else "").more
    return {key: float(value) for key, value in found.items() if key in ("pods", "requests.cpu", "limits.memory")}


@pytest.mark.parametrize(
    ("new", "old", "pods"),
    [
        (workload(2), None, 2),  # a first install: no pod goes before
        (workload(2), workload(2), 0),  # nothing rolls
        (workload(2, "two"), workload(2), 1),  # one more while it rolls
        (workload(2, "two", maxSurge=0, maxUnavailable=1), workload(2), 0),
        (workload(4, "two"), workload(2), 3),
        (workload(1, "two"), workload(3), 1),
    ],
)
def test_what_is_needed_at_the_height_of_a_rollout(new: dict[str, Any], old: dict[str, Any] | None, pods: int) -> None:
    wanted = {"pods": pods, "requests.cpu": pods * 0.25, "limits.memory": pods * 2**30} if pods else {}
    assert more(new, old) == wanted


def test_a_scaler_and_not_the_deployment_says_how_many() -> None:
    scaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "tea"},
              "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "tea"}, "minReplicas": 5}}  # fmt: skip
    assert quota.need([workload(1), scaler], "").more["pods"] == 5


@pytest.mark.parametrize(
    ("key", "hard", "used", "said"),
    [
        ("pods", "10", "9", "pods 10, of which 9 are in use; myrasa would take 2 more"),
        ("count/pods", "1", "0", "count/pods 1"),
        ("cpu", "1", "600m", "cpu 1, of which 600m are in use; myrasa would take 0.5 more"),
        ("requests.memory", "1Gi", "1Mi", "myrasa would take 1024Mi more"),
        ("limits.cpu", "1900m", "0", "limits.cpu 1900m"),
    ],
)
def test_what_does_not_fit_is_told_with_its_cure(key: str, hard: str, used: str, said: str) -> None:
    needs = {"myrasa": quota.need([workload(2)], "")}
    [problem], warnings = quota.problems(cast(Kube, Space(a_quota(key, hard, used))), "shop", needs)
    assert problem.message.startswith("quota small of namespace shop: ") and said in problem.message
    assert "kubectl -n shop describe quota small" in problem.cure and "maxSurge: 0" in problem.cure and not warnings


@pytest.mark.parametrize(
    ("key", "hard", "used"), [("pods", "10", "8"), ("requests.cpu", "0.5", "0"), ("secrets", "1", "1")]
)
def test_what_fits_is_not_told(key: str, hard: str, used: str) -> None:
    assert told(Space(a_quota(key, hard, used)), myrasa=quota.need([workload(2)], "")) == ([], [])


def test_releases_count_together() -> None:
    one = quota.need([workload(2)], "")
    [message], _ = told(Space(a_quota("pods", "3", "0")), myrasa=one, actions=one)
    assert "myrasa and actions would take 4 more" in message


def test_a_quota_of_some_pods_alone_is_left_out() -> None:
    scoped = a_quota("pods", "0", "0", scopeSelector={"matchExpressions": []})
    assert told(Space(scoped, a_quota("pods", "0", "0", scopes=["Terminating"])), myrasa=Need({"pods": 1})) == ([], [])  # type: ignore[dict-item]


def test_a_container_that_does_not_say_what_a_quota_counts_is_told() -> None:
    silent = quota.need([workload(1, resources={"requests": {"cpu": "1"}})], "")
    problems, [warning] = told(Space(a_quota("limits.memory", "10Gi", "0")), myrasa=silent)
    assert not problems and "Deployment/tea container c does not say it" in warning and "limits.memory" in warning
    assert told(Space(a_quota("requests.cpu", "10", "0")), myrasa=silent) == ([], [])


def test_quotas_that_may_not_be_read_are_a_warning_and_other_errors_are_not() -> None:
    problems, [warning] = told(Space(status=403), myrasa=Need())
    assert not problems and "may not be read" in warning
    with pytest.raises(ApiException):
        told(Space(status=500))


def test_a_claim_counts_once() -> None:
    claim = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": {"name": "redis"}, "spec": {}}
    assert quota.need([claim], "").more == {"persistentvolumeclaims": 1}
    assert quota.need([claim], json.dumps(claim)).more == {}
