"""Which nodes can take a pod: taints, node selector, node affinity and size. What else runs there is not counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botyard.later import later
from botyard.release import selectors

kubernetes = later("kubernetes")

_TO_FLEE = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Fit:
    """The nodes that can take a pod, and why each other one cannot (name -> reason)."""

    nodes: list[dict[str, Any]]
    refused: dict[str, str]


def fit(nodes: Sequence[dict[str, Any]], pod: Mapping[str, Any]) -> Fit:
    """Sorts nodes by whether they can take a pod of this spec."""
    reasons = {node["metadata"]["name"]: why_not(node, pod) for node in nodes}
    taking = [node for node in nodes if not reasons[node["metadata"]["name"]]]
    return Fit(taking, {name: why for name, why in reasons.items() if why})


def why_not(node: Mapping[str, Any], pod: Mapping[str, Any]) -> str:
    """Why a node cannot take a pod of this spec, in a few words; '' where it can."""
    tolerations = pod.get("tolerations") or []
    for taint in (node.get("spec") or {}).get("taints") or []:
        if taint["effect"] in _TO_FLEE and not selectors.tolerated(taint, tolerations):
            return f"taint {taint['key']}"
    labels = node["metadata"].get("labels") or {}
    wanted = pod.get("nodeSelector") or {}
    if missing := [key for key, value in wanted.items() if labels.get(key) != value]:
        return f"nodeSelector {missing[0]}: {wanted[missing[0]]}"
    affinity = (pod.get("affinity") or {}).get("nodeAffinity") or {}
    if not selectors.node_terms(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"), node):
        return "nodeAffinity"
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    for name, asked in requests(pod).items():
        if asked > quantity(allocatable.get(name, "0")):
            return f"{name}: {plain(asked, name)} asked for, {allocatable.get(name, '0')} there"
    return ""


def requests(pod: Mapping[str, Any]) -> dict[str, Decimal]:
    """What the scheduler looks for, by resource: all containers, or the greediest init container if that is more."""
    total: dict[str, Decimal] = {}
    start: dict[str, Decimal] = {}
    beside: dict[str, Decimal] = {}  # init containers that go on running
    for container in pod.get("initContainers") or []:
        own = _asked(container)
        if container.get("restartPolicy") == "Always":
            beside = _sum(beside, own)
            start = _most(start, beside)
        else:
            start = _most(start, _sum(beside, own))
    for container in pod.get("containers") or []:
        total = _sum(total, _asked(container))
    overhead = {name: quantity(value) for name, value in (pod.get("overhead") or {}).items()}
    return _sum(_most(_sum(total, beside), start), overhead)


def _asked(container: Mapping[str, Any]) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    # A limit without a request is the request too.
    both = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: quantity(value) for name, value in both.items()}


def _sum(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: one.get(name, Decimal(0)) + other.get(name, Decimal(0)) for name in {**one, **other}}


def _most(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: max(one.get(name, Decimal(0)), other.get(name, Decimal(0))) for name in {**one, **other}}


def quantity(value: object) -> Decimal:
    """A Kubernetes quantity, as in ``250m``, ``2Gi``, ``1e3`` or 4; 0 for anything else: the API server refuses it."""
    try:
        return Decimal(kubernetes.utils.parse_quantity(str(value).strip()))
    except ValueError:
        return Decimal(0)


def plain(amount: Decimal, resource: str) -> str:
    """An amount for a person: memory in Mi."""
    if resource in ("memory", "ephemeral-storage"):
        return f"{amount / Decimal(1024) ** 2:.0f}Mi"
    return f"{amount.normalize():f}"
