"""Does it fit the namespace's quotas? While an upgrade goes on there are more pods than before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from botyard.release import nodes
from botyard.release.arithmetic import Problem, rolling

Demand = dict[str, Decimal]
"""Amounts by resource, as quotas name them: ``pods``, ``requests.cpu``, ``limits.memory``."""

_CURE = "have the quota raised, or ask for less: fewer replicas, smaller resources, maxSurge: 0"
_SAME = {"count/pods": "pods", "cpu": "requests.cpu", "memory": "requests.memory"}


def of_workload(workload: Mapping[str, Any], before: Mapping[str, Any] | None, replicas: int) -> Demand:
    """What it takes at its height, less what it has now.

    Args:
        before: the same workload as it is released; None where it is new.
        replicas: how many pods there are to be.
    """
    template = workload["spec"]["template"]
    most = _times(_of_pod(template["spec"]), replicas)
    if before is None:
        return most
    was = int(before["spec"].get("replicas") or replicas)
    now = _times(_of_pod(before["spec"]["template"]["spec"]), was)
    if before["spec"]["template"] != template and (more := rolling(workload, replicas).surge):
        # The old pods go as the new ones come; beside all of the new ones there are never more than these.
        add(most, _times(_of_pod(template["spec"]), more))
    return {name: most.get(name, Decimal(0)) - now.get(name, Decimal(0)) for name in {**most, **now}}


def add(to: Demand, more: Mapping[str, Decimal]) -> None:
    """Adds amounts to others, in place."""
    for name, amount in more.items():
        to[name] = to.get(name, Decimal(0)) + amount


def total(demands: Iterable[Mapping[str, Decimal]]) -> Demand:
    """The sum of several."""
    found: Demand = {}
    for one in demands:
        add(found, one)
    return found


def problems(quotas: Sequence[Mapping[str, Any]], demand: Mapping[str, Decimal]) -> list[Problem]:
    """What would not fit. Quotas with scopes are left out: they count some pods only."""
    found = []
    for quota in quotas:
        spec = quota.get("spec") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue
        used = (quota.get("status") or {}).get("used") or {}
        for name, hard in sorted((spec.get("hard") or {}).items()):
            wanted = demand.get(_SAME.get(name, name), Decimal(0))
            taken, limit = nodes.quantity(used.get(name, "0")), nodes.quantity(hard)
            if wanted > 0 and taken + wanted > limit:
                more, now, most = (nodes.plain(amount, name.rpartition(".")[2]) for amount in (wanted, taken, limit))
                told = f"{name}: {more} more at the height of the rollout, {now} of {most} taken"
                found.append(Problem(f"ResourceQuota/{quota['metadata']['name']}: {told}", _CURE))
    return found


def _times(one: Mapping[str, Decimal], count: int) -> Demand:
    return {name: amount * count for name, amount in one.items()}


def _of_pod(pod: Mapping[str, Any]) -> Demand:
    limits = {part: [_only_limits(one) for one in pod.get(part) or []] for part in ("initContainers", "containers")}
    found: Demand = {"pods": Decimal(1)}
    for kind, spec in (("requests", pod), ("limits", {**pod, **limits})):
        found |= {f"{kind}.{name}": amount for name, amount in nodes.requests(spec).items()}
    return found


def _only_limits(container: Mapping[str, Any]) -> dict[str, Any]:
    return {**container, "resources": {"requests": (container.get("resources") or {}).get("limits") or {}}}
