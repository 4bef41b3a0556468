"""Label selectors, node selectors and taints, read as Kubernetes reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector chooses these labels: an empty one chooses all, a missing one nothing."""
    if selector is None:
        return False
    equal = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(requirement(one, labels) for one in selector.get("matchExpressions") or [])


def requirement(one: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """One of ``matchExpressions``: In, NotIn, Exists, DoesNotExist, and for nodes Gt and Lt."""
    here, values = labels.get(one["key"]), [str(value) for value in one.get("values") or []]
    operator = str(one["operator"])
    if operator in ("Gt", "Lt"):
        numbers = _whole(here), _whole(values[0] if values else None)
        if numbers[0] is None or numbers[1] is None:
            return False
        return numbers[0] > numbers[1] if operator == "Gt" else numbers[0] < numbers[1]
    if operator == "In":
        return here in values
    if operator == "NotIn":
        return here not in values
    return (here is not None) == (operator == "Exists")


def _whole(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def node_terms(required: Mapping[str, Any] | None, node: Mapping[str, Any]) -> bool:
    """Whether a node is chosen by ``requiredDuringScheduling...`` of nodeAffinity: one of its terms is enough."""
    if required is None:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    labels = node["metadata"].get("labels") or {}
    for term in required.get("nodeSelectorTerms") or []:
        wanted = [(one, labels) for one in term.get("matchExpressions") or []]
        wanted += [(one, fields) for one in term.get("matchFields") or []]
        if wanted and all(requirement(one, have) for one, have in wanted):
            return True
    return False


def tolerated(taint: Mapping[str, Any], tolerations: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of a pod's tolerations takes a taint."""
    for one in tolerations:
        if one.get("effect") and one["effect"] != taint["effect"]:
            continue
        exists = one.get("operator") == "Exists"
        if not one.get("key") and exists:
            return True
        if one.get("key") == taint["key"] and (exists or (one.get("value") or "") == (taint.get("value") or "")):
            return True
    return False
