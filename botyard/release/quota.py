"""Does it fit into the namespace's quota? Pods over it are not made at all, which nothing but a line in events says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botyard.release import arithmetic, desired, nodes, rights
from botyard.release.arithmetic import Problem
from botyard.release.nodes import plain, quantity
from botyard.tools.kube import Kube

# As quotas write them; the short names count requests.
_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}
_GROUPS = ("containers", "initContainers")
_COMPUTE = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


@dataclass(frozen=True)
class Need:
    """What a release takes on top of what it has now, at the height of its rollout.

    Args:
        more: by the name that quotas give it, such as pods or requests.memory.
        unsaid: containers without a request or limit, by that name; a quota of it refuses their pods.
    """

    more: Mapping[str, Decimal] = field(default_factory=dict)
    unsaid: Mapping[str, Sequence[str]] = field(default_factory=dict)


def need(objects: Sequence[dict[str, Any]], manifest: str) -> Need:
    """Of the objects of a release, of which the ones in ``manifest`` are there already."""
    scaled = {desired.scale_target(one): one["spec"] for one in objects if one["kind"] == "HorizontalPodAutoscaler"}
    before = {desired.shown(one): one for one in desired.load_documents(manifest)}
    more: dict[str, Decimal] = defaultdict(Decimal)
    unsaid: dict[str, list[str]] = {}
    for body in objects:
        name = desired.shown(body)
        live = before.get(name)
        if body["kind"] == "PersistentVolumeClaim" and live is None:
            more["persistentvolumeclaims"] += 1
        if body["kind"] not in arithmetic.WORKLOADS:
            continue
        scaler = scaled.get(name)
        replicas = arithmetic.replicas(body, scaler)
        pod, without = _pod(body)
        for key, containers in without.items():
            unsaid.setdefault(key, []).extend(f"{name} container {one}" for one in containers)
        changed = live is None or live["spec"]["template"] != body["spec"]["template"]
        rolls = live is not None and changed and arithmetic.rolling(body, replicas).needs_room
        had = _pod(live)[0] if live is not None else {}
        had_pods = arithmetic.replicas(live, scaler) if live is not None else 0
        for key in pod.keys() | had.keys():
            now, then = had.get(key, Decimal(0)) * had_pods, pod.get(key, Decimal(0)) * replicas
            more[key] += max(now, then) - now + (pod.get(key, Decimal(0)) if rolls else 0)
    return Need({key: value for key, value in more.items() if value}, unsaid)


def _pod(workload: Mapping[str, Any]) -> tuple[dict[str, Decimal], dict[str, list[str]]]:
    """What one pod counts for, and the containers that do not say what they ask for."""
    spec = workload["spec"]["template"]["spec"]
    limited = {
        **spec,
        **{
            group: [{**one, "resources": {"limits": _part(one, "limits")}} for one in spec.get(group) or []]
            for group in _GROUPS
        },
    }
    sums = {"requests": nodes.requests(spec), "limits": nodes.requests(limited)}
    counted = {"pods": Decimal(1)}
    unsaid: dict[str, list[str]] = {}
    for key in _COMPUTE:
        part, _, name = key.partition(".")
        counted[key] = sums[part].get(name, Decimal(0))
        for one in [one for group in _GROUPS for one in spec.get(group) or []]:
            if name not in _part(one, part) and name not in _part(one, "limits"):
                unsaid.setdefault(key, []).append(one["name"])
    return counted, unsaid


def _part(container: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (container.get("resources") or {}).get(part) or {}
    return found


def problems(kube: Kube, namespace: str, needs: Mapping[str, Need]) -> tuple[list[Problem], list[str]]:
    """What does not fit into a quota, and warnings; all releases count together.

    Raises:
        ApiException, urllib3 HTTPError, OSError: no answer.
    """
    quotas = rights.readable(kube, "ResourceQuota", namespace)
    if quotas is None:
        return [], [f"quotas of namespace {namespace} may not be read: whether it fits is not known"]
    found: list[Problem] = []
    warnings: list[str] = []
    for one in quotas:
        spec, status = one.get("spec") or {}, one.get("status") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue  # of some pods alone, such as those of a priority
        name = one["metadata"]["name"]
        found += _over(name, namespace, status, needs)
        warnings += _unsaid(name, status.get("hard") or {}, needs)
    return found, warnings


def _over(name: str, namespace: str, status: Mapping[str, Any], needs: Mapping[str, Need]) -> Iterable[Problem]:
    for key, hard in (status.get("hard") or {}).items():
        known = _SHORT.get(key, key)
        wanted = sum((one.more.get(known, Decimal(0)) for one in needs.values()), Decimal(0))
        used = (status.get("used") or {}).get(key, "0")
        if wanted and quantity(used) + wanted > quantity(hard):
            yield Problem(
                f"quota {name} of namespace {namespace}: {key} {hard}, of which {used} are in use; "
                f"{' and '.join(who for who, one in needs.items() if one.more.get(known))} would take "
                f"{plain(wanted, known.rpartition('.')[2])} more at the height of the rollout",
                f"ask for a larger quota (kubectl -n {namespace} describe quota {name}), or for less: replicaCount, "
                "resources; a rollout without a pod more: strategy.rollingUpdate: {maxSurge: 0, maxUnavailable: 1}",
            )


def _unsaid(name: str, hard: Mapping[str, Any], needs: Mapping[str, Need]) -> Iterable[str]:
    for key in hard:
        known = _SHORT.get(key, key)
        if who := [one for each in needs.values() for one in each.unsaid.get(known, ())]:
            yield (
                f"quota {name} counts {key}, and {', '.join(who)} does not say it: without a LimitRange that does, no "
                f"pod of it is made. In the values: resources.{known}"
            )
