"""What runs where: each Helm release of a namespace with its chart, images, model and pods, as the cluster says now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botyard.contracts import BadInput, Diff
from botyard.release import desired, pods, releases
from botyard.release.guard import answering
from botyard.release.signed_url import without_secrets
from botyard.tools.helm import release_of
from botyard.tools.helm_record import newest
from botyard.tools.kube import Kube

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class PodState:
    """One pod: where it runs, since when, and what holds it back ('' where nothing does).

    Args:
        leaving: it is told to end, as one of the revision before; nothing is wrong with that.
    """

    name: str
    node: str
    since: str
    restarts: int
    blocker: str
    leaving: bool = False


@dataclass(frozen=True)
class Status:
    """One release.

    Args:
        updated: when its newest revision was made, RFC 3339.
        note: what Helm keeps beside it: how it ended and, where botyard made it, by whom.
        images: container -> image, as the pods are told to run it.
        model: URL of the model, without signature and password; '' where the chart has none.
    """

    name: str
    chart: str
    revision: int
    status: str
    updated: str
    note: str
    images: dict[str, str]
    model: str = ""
    model_sha256: str = ""
    pods: list[PodState] = field(default_factory=list)


def names(kube: Kube, namespace: str) -> list[str]:
    """The Helm releases of a namespace.

    Raises:
        BadInput: there is none.
        BotyardError: the API server does not answer.
    """
    with answering(kube):
        found = {s["metadata"]["labels"]["name"] for s in kube.list("v1", "Secret", namespace, labels="owner=helm")}
    if not found:
        raise BadInput(f"namespace {namespace} of context {kube.context} holds no release", "install one: invoke e2e")
    return sorted(found)


def look(kube: Kube, namespace: str) -> list[Status]:
    """Every release of a namespace; raises as ``names`` does."""
    known = names(kube, namespace)
    with answering(kube):
        return [_status(kube, namespace, name) for name in known]


def _status(kube: Kube, namespace: str, name: str) -> Status:
    record = newest(kube, name, namespace) or {}
    live, about = release_of(record), record.get("info", {})
    bodies = desired.load_documents(live.manifest)
    own = pods.release_pods(kube, namespace, name, pods.selectors_of(bodies, name))
    app = live.values.get("applicationSettings") or {}
    return Status(
        name=name,
        chart=live.chart,
        revision=live.revision,
        status=live.status,
        updated=str(about.get("last_deployed", "")),
        note=str(about.get("description", "")),
        images=_images(bodies),
        model=without_secrets(str(app.get("initialModel") or "")),
        model_sha256=str(app.get("initialModelSha256") or ""),
        pods=sorted((_pod(body) for body in own), key=lambda pod: pod.name),
    )


def _images(bodies: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {
        container["name"]: container["image"]
        for body in bodies
        if body["kind"] in _WORKLOADS
        for container in body["spec"]["template"]["spec"]["containers"]
    }


def _pod(body: dict[str, Any]) -> PodState:
    state = body.get("status") or {}
    return PodState(
        name=body["metadata"]["name"],
        node=body["spec"].get("nodeName") or "",
        since=str(state.get("startTime") or ""),
        restarts=sum(one.get("restartCount", 0) for one in state.get("containerStatuses") or []),
        blocker=pods.blocker(body),
        leaving=bool(body["metadata"].get("deletionTimestamp")),
    )


def drift(kube: Kube, namespace: str) -> dict[str, list[Diff]]:
    """What was changed by hand or is gone, by release: the cluster against what Helm recorded. Nothing is changed.

    Raises:
        BadInput: there is no release.
        BotyardError: the API server does not answer.
    """
    known = names(kube, namespace)
    with answering(kube):
        return {
            name: releases.drifted(kube, release_of(record), {})
            for name in known
            if (record := newest(kube, name, namespace)) is not None
        }


def age(since: str, now: datetime | None = None) -> str:
    """Of a moment in RFC 3339, as people say it: 40 s, 12 min, 3 h, 5 d; '' where there is none."""
    try:
        began = datetime.fromisoformat(since)
    except ValueError:
        return ""
    passed = ((now or datetime.now(UTC)) - began.astimezone(UTC)).total_seconds()
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= 2 * seconds:
            return f"{int(passed // seconds)} {unit}"
    return f"{max(0, int(passed))} s"
