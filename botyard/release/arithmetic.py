"""Can it be rolled out here? Pods that stay apart need a node each, and while an upgrade goes on there is one more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botyard.release import selectors
from botyard.release.nodes import Fit

_HASH = "pod-template-hash"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True)
class Problem:
    """What cannot work, and what to do about it."""

    message: str
    cure: str


WORKLOADS = ("Deployment", "StatefulSet")


def replicas(workload: Mapping[str, Any], scaler: Mapping[str, Any] | None) -> int:
    """How many pods a workload has at least; ``scaler``: the spec of its HorizontalPodAutoscaler."""
    return int((scaler or {}).get("minReplicas") or workload["spec"].get("replicas", 1))


@dataclass(frozen=True)
class Rolling:
    """How many pods there may be more, and how many less, while an upgrade goes on; None for both: all at once."""

    surge: int | None
    unavailable: int | None

    @property
    def needs_room(self) -> bool:
        """Whether a new pod must run before any old one goes."""
        return self.unavailable == 0


def rolling(workload: Mapping[str, Any], replicas: int) -> Rolling:
    """A workload's strategy as numbers, rounded as Kubernetes does: surge up, unavailable down, never both 0."""
    if workload["kind"] != "Deployment":
        return Rolling(0, 1)  # a StatefulSet takes each pod away before its new one comes
    strategy = workload["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Rolling(None, None)
    given = strategy.get("rollingUpdate") or {}
    surge = _part(given.get("maxSurge", "25%"), replicas, math.ceil)
    unavailable = min(replicas, _part(given.get("maxUnavailable", "25%"), replicas, math.floor))
    return Rolling(surge, unavailable if surge or unavailable else 1)


def _part(value: Any, of: int, rounded: Any) -> int:
    text = str(value)
    return int(rounded(int(text[:-1]) * of / 100)) if text.endswith("%") else int(text)


@dataclass(frozen=True)
class Apart:
    """One term of required pod anti-affinity, with the labels and namespace of the pods that carry it."""

    term: Mapping[str, Any]
    own: Mapping[str, str]
    namespace: str

    @property
    def key(self) -> str:
        return str(self.term["topologyKey"])

    def repels(self, labels: Mapping[str, str], namespace: str, same_version: bool) -> bool:
        """Whether it keeps pods with these labels away; ``same_version``: they are of the same pod template."""
        named = self.term.get("namespaces") or []
        chosen = self.term.get("namespaceSelector")  # an empty one: all namespaces
        if not (namespace in named or chosen == {} or (not named and chosen is None and namespace == self.namespace)):
            return False
        if not selectors.matches(self.term.get("labelSelector"), labels):
            return False
        for key in self.term.get("matchLabelKeys") or []:
            if not (same_version if key == _HASH else key not in self.own or labels.get(key) == self.own[key]):
                return False
        for key in self.term.get("mismatchLabelKeys") or []:
            if same_version if key == _HASH else key in self.own and labels.get(key) == self.own[key]:
                return False
        return True


def apart(template: Mapping[str, Any], namespace: str) -> list[Apart]:
    """The terms of required pod anti-affinity of a pod template."""
    affinity = (template["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    return [Apart(term, labels_of(template), namespace) for term in affinity.get(_REQUIRED) or []]


def labels_of(template: Mapping[str, Any]) -> dict[str, str]:
    return dict((template.get("metadata") or {}).get("labels") or {})


@dataclass(frozen=True)
class Room:
    """What there is for one workload.

    Args:
        fit: nodes that can take its pods.
        strangers: other pods that run there.
        live: the pod template that runs now; None where none does.
    """

    fit: Fit
    strangers: Sequence[Mapping[str, Any]]
    live: Mapping[str, Any] | None = None

    def places(self, term: Apart) -> int | None:
        """How many pods a term lets in, one a place; None: as many as you like, as a node has no such label."""
        where = {node["metadata"]["name"]: (node["metadata"].get("labels") or {}) for node in self.fit.nodes}
        found = {labels.get(term.key) for labels in where.values()}
        if None in found:
            return None
        for pod in self.strangers:
            node = where.get((pod.get("spec") or {}).get("nodeName") or "")
            about = pod["metadata"]
            if node and term.repels(about.get("labels") or {}, about.get("namespace", ""), same_version=False):
                found.discard(node[term.key])
        return len(found)


def placed(name: str, template: Mapping[str, Any], namespace: str, replicas: int, room: Room) -> Problem | None:
    """Whether that many pods find a place at all, as in a first install."""
    if not replicas:
        return None
    if not room.fit.nodes:
        return Problem(
            f"{name}: no node can take its pods{_others(room)}", "change what its pods ask for, or the nodes"
        )
    for term in apart(template, namespace):
        places = room.places(term)
        if places is not None and replicas > places and term.repels(term.own, namespace, same_version=True):
            return Problem(
                f"{name}: {replicas} replicas need {replicas} {_different(term)}; {_can(places, term)}{_others(room)}",
                f"ask for {places} replicas at most, or make the anti-affinity preferred instead of required",
            )
    return None


def rolled(workload: Mapping[str, Any], namespace: str, replicas: int, room: Room) -> Problem | None:
    """Whether an upgrade can end: this one, where pods run, and each later one.

    A new pod that finds no place stays Pending; with maxUnavailable 0 no old pod goes for it, and the upgrade hangs.
    Terms count from both sides: pods that run keep new ones away by the rule that they were made with.
    """
    if not replicas or not rolling(workload, replicas).needs_room:
        return None
    template = workload["spec"]["template"]
    labels = labels_of(template)
    others = [labels] if room.live is None else [labels, labels_of(room.live)]
    new = [term for term in apart(template, namespace) if any(term.repels(of, namespace, False) for of in others)]
    old = [] if room.live is None else apart(room.live, namespace)
    of_new = _tightest(room, new)
    of_old = _tightest(room, [term for term in old if term.repels(labels, namespace, same_version=False)])
    wanted = replicas + 1
    held = [one for one in (of_new, of_old) if one is not None and wanted > one[0]]
    if not held:
        return None
    places, term = held[0]
    surge = rolling(workload, replicas).surge or 1
    extra = "1 surge" if surge == 1 else f"1 of {surge} surge"
    return Problem(
        f"{workload['kind']}/{workload['metadata']['name']}: {replicas} replicas + {extra} = {wanted} pods that need "
        f"{wanted} {_different(term)}; {_can(places, term)}{_others(room)}, so an upgrade would hang",
        _cure(by_new=of_new in held, by_old=of_old in held),
    )


def _cure(*, by_new: bool, by_old: bool) -> str:
    fewer = "strategy.rollingUpdate: {maxSurge: 0, maxUnavailable: 1}"
    if not by_new:
        return f"the pods that run now still carry a rule that counts all versions: for this one upgrade set {fewer}"
    cure = (
        f"either {fewer} (one pod less while it rolls), or matchLabelKeys: [pod-template-hash] in that term of the "
        "anti-affinity (it then counts pods of one version)"
    )
    now = (
        "; the pods that run now carry such a rule too, so this one upgrade needs the first, with or without the second"
    )
    return cure + now if by_old else cure


def _tightest(room: Room, terms: Sequence[Apart]) -> tuple[int, Apart] | None:
    counted = [(places, term) for term in terms if (places := room.places(term)) is not None]
    return min(counted, key=lambda one: one[0], default=None)


def _different(term: Apart) -> str:
    if term.key == "kubernetes.io/hostname":
        return "different nodes"
    return f"different places by {term.key}"


def _can(places: int, term: Apart) -> str:
    one = "node" if term.key == "kubernetes.io/hostname" else "place"
    return f"{places} {one}{' ' if places == 1 else 's '}can take them"


def _others(room: Room) -> str:
    if not room.fit.refused:
        return ""
    return f" (not {', '.join(f'{name}: {why}' for name, why in sorted(room.fit.refused.items()))})"
