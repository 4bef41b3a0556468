"""What keeps pods from serving, as sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from botyard.tools.kube import Kube

_STILL_STARTING = {"ContainerCreating", "PodInitializing", ""}
_LINE_CHARS = 300
_INSTANCE = "app.kubernetes.io/instance"
# The scheduler always adds why it evicts nobody; that is never the cause.
_PREEMPTION = re.compile(r"\.\s+(no new claims to deallocate,\s*)?preemption:.*", re.DOTALL)
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def release_pods(kube: Kube, namespace: str, release: str, selectors: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The pods that carry the usual label of a Helm release, and those that ``selectors`` choose."""
    found: dict[str, dict[str, Any]] = {}
    for labels in (f"{_INSTANCE}={release}", *selectors):
        found |= {pod["metadata"]["name"]: pod for pod in kube.list("v1", "Pod", namespace, labels=labels)}
    return list(found.values())


def selectors_of(bodies: Iterable[dict[str, Any]], release: str) -> tuple[str, ...]:
    """How the pods of a chart are found that does not give them the usual label: one selector a workload."""
    found = []
    for body in bodies:
        if body["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
            labels = (body["spec"].get("selector") or {}).get("matchLabels") or {}
            if labels and labels.get(_INSTANCE) != release:
                found.append(",".join(f"{key}={value}" for key, value in sorted(labels.items())))
    return tuple(found)


def is_ready(pod: dict[str, Any]) -> bool:
    """Ready by its own condition (or done, as a Job's pod), and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    status = pod.get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or []}
    return conditions.get("Ready") == "True" or status.get("phase") == "Succeeded"


def blocker(pod: dict[str, Any]) -> str:
    """Why this pod is not Ready, '' where it is; names pod, node, container and the cluster's own reason."""
    if is_ready(pod):
        return ""
    where = pod["metadata"]["name"]
    node = pod.get("spec", {}).get("nodeName")
    if node:
        where += f" on {node}"
    if pod["metadata"].get("deletionTimestamp"):
        return f"{where}: is ending"
    status = pod.get("status", {})
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            why = _PREEMPTION.sub("", condition.get("message", ""))
            return _one_line(f"{where}: {condition.get('reason', 'Pending')}: {why}")
    for kind, states in (
        ("init container ", status.get("initContainerStatuses") or []),
        ("", status.get("containerStatuses") or []),
    ):
        for state in states:
            text = _container(kind, state)
            if text:
                return _one_line(f"{where}: {text}")
    return f"{where}: {status.get('reason') or status.get('phase', 'Pending')}"


def _container(kind: str, state: dict[str, Any]) -> str:
    name = f"{kind}{state['name']}"
    now = state.get("state") or {}
    restarts = state.get("restartCount", 0)
    if now.get("waiting"):
        why = now["waiting"].get("reason") or ""
        if why in _STILL_STARTING:
            # A container whose init containers still run waits for them: they are told first.
            return "" if why == "PodInitializing" and not kind else f"{name} waits for its image and volumes"
        return f"{name}: {why}: {_last_words(state) or now['waiting'].get('message', '')}"
    if now.get("terminated"):
        ended = now["terminated"]
        if ended.get("exitCode") == 0:
            return ""
        return f"{name} ended with exit code {ended.get('exitCode')}: {ended.get('message') or ended.get('reason', '')}"
    if now.get("running") and kind:
        return f"{name} runs" + (f", restarted {restarts} times: {_last_words(state)}" if restarts else "")
    if now.get("running") and not state.get("ready"):
        again = f", restarted {restarts} times: {_last_words(state)}" if restarts else ""
        return f"{name} runs, not Ready yet{again}"
    return ""


def _last_words(state: dict[str, Any]) -> str:
    ended = (state.get("lastState") or {}).get("terminated") or {}
    if not ended:
        return ""
    return f"exit code {ended.get('exitCode')}: {ended.get('message') or ended.get('reason') or ''}".rstrip(": ")


def _one_line(text: str) -> str:
    """Short enough for a terminal; the end stays, as the root of a chain of errors stands there."""
    flat = _DIGEST.sub(r"\1...", " ".join(text.split()))
    if len(flat) <= _LINE_CHARS:
        return flat
    half = (_LINE_CHARS - 5) // 2
    return f"{flat[:half]} ... {flat[-half:]}"


def blocked(pods: list[dict[str, Any]], most: int = 2) -> str:
    """One line over all pods: how many are Ready and what holds the others back; '' where none is held back.

    Args:
        most: how many different reasons are told.
    """
    kept = [p for p in pods if not p["metadata"].get("deletionTimestamp")]
    reasons: dict[str, list[str]] = {}
    held = 0
    for who, _, why in (text.partition(": ") for text in map(blocker, kept) if text):
        reasons.setdefault(why, []).append(who)
        held += 1
    if not held:
        return ""
    told = "; ".join(f"{', '.join(who)}: {why}" for why, who in list(reasons.items())[:most])
    more = f" (and {len(reasons) - most} more reasons)" if len(reasons) > most else ""
    return f"{len(kept) - held} of {len(kept)} pods Ready; {told}{more}"


def unfinished(deployment: dict[str, Any]) -> str:
    """Why a Deployment's rollout is not done, '' where it is."""
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    name = deployment["metadata"]["name"]
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return f"{name}: the change is not noticed yet"
    for key, word in (("updatedReplicas", "new"), ("availableReplicas", "available")):
        if (status.get(key) or 0) < wanted:
            return f"{name}: {status.get(key) or 0} of {wanted} pods {word}"
    if (status.get("replicas") or 0) > wanted:
        return f"{name}: {status['replicas'] - wanted} pods of an older version still there"
    return ""
