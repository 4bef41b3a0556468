"""Evidence of a failure, written before anything is put back: events, pods, logs."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from botyard.later import later
from botyard.release import desired, sensitive
from botyard.release.pods import blocker, is_ready
from botyard.tools.kube import Kube

kubernetes = later("kubernetes")

_LOG_LINES = 2000
_SUMMARY_CHARS = 200
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_HIDDEN_FROM_CHARS = 8  # shorter values would blot out plain words


def collect(
    kube: Kube,
    namespace: str,
    folder: Path,
    pods: Sequence[dict[str, Any]] | None = None,
    hidden: Iterable[str] = (),
) -> str:
    """Writes events, a description and the logs of pods into ``folder``; returns a few lines for an error message.

    Args:
        pods: those concerned; all of the namespace where None.
        hidden: texts that must not be shown, besides the values of the namespace's Secrets.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = list(pods) if pods is not None else kube.list("v1", "Pod", namespace)
    events = sorted(kube.list("v1", "Event", namespace), key=_when)
    objects = {
        kind: [_without_managed(o) for o in kube.list(version, kind, namespace)]
        for version, kind in (("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("v1", "Service"))
    }
    # An older ReplicaSet may show what a Secret held before; and not every password is in a Secret.
    hide = _hider(kube, namespace, {*hidden, *sensitive.of_values([objects, found])})
    _write(folder / "events.txt", "\n".join(map(event_line, events)), hide)
    _write(folder / "objects.json", json.dumps(objects, indent=2, ensure_ascii=False), hide)
    summary: list[str] = []
    for pod in found:
        name = pod["metadata"]["name"]
        own = [e for e in events if (e.get("involvedObject") or {}).get("name") == name]
        _write(folder / f"{name}.txt", describe(pod, own), hide)
        last = ""
        for container, restarted in _containers(pod):
            log = _log(kube, namespace, name, container, previous=False)
            _write(folder / f"{name}.{container}.log", log, hide)
            if restarted:
                log_before = _log(kube, namespace, name, container, previous=True)
                _write(folder / f"{name}.{container}.previous.log", log_before, hide)
                log = log or log_before
            last = log or last
        if not is_ready(pod):
            summary.append(blocker(pod))
            summary += [f"    {_clip(e.get('message') or '')}" for e in own if e.get("type") == "Warning"][-1:]
            summary += [f"    {_clip(line)}" for line in hide(last).splitlines()[-3:]]
    return "\n".join(summary[:16])


def _clip(line: str) -> str:
    """One line without colours, short enough for an error message."""
    return " ".join(_COLOUR.sub("", line).split())[:_SUMMARY_CHARS]


def describe(pod: dict[str, Any], events: Sequence[dict[str, Any]]) -> str:
    """One pod for a person: what holds it back, conditions, containers, its events."""
    status = pod.get("status", {})
    lines = [
        f"pod {pod['metadata']['name']}",
        f"node {pod.get('spec', {}).get('nodeName') or 'none'}, phase {status.get('phase')}, IP {status.get('podIP')}",
        f"held back by: {blocker(pod) or 'nothing'}",
        "",
        "conditions",
    ]
    for condition in status.get("conditions") or []:
        why = " ".join(filter(None, (condition.get("reason"), condition.get("message"))))
        lines.append(f"  {condition['type']}: {condition['status']} {why}".rstrip())
    for title, key in (("init containers", "initContainerStatuses"), ("containers", "containerStatuses")):
        lines += ["", title]
        for state in status.get(key) or []:
            lines.append(f"  {state['name']}: ready {state.get('ready')}, restarts {state.get('restartCount')}")
            lines.append(f"    image {state.get('image')} {state.get('imageID')}")
            lines.append(f"    state {json.dumps(state.get('state'))}")
            if state.get("lastState"):
                lines.append(f"    before {json.dumps(state['lastState'])}")
    lines += ["", "events", *(f"  {event_line(e)}" for e in events), "", "object"]
    return "\n".join(lines) + "\n" + json.dumps(_without_managed(pod), indent=2, ensure_ascii=False) + "\n"


def event_line(event: dict[str, Any]) -> str:
    """As in ``2026-01-02T03:04:05Z Warning Pod/myrasa-x FailedScheduling: 0/3 nodes ... (x4)``."""
    what = event.get("involvedObject") or {}
    count = event.get("count") or 1
    return (
        f"{_when(event)} {event.get('type')} {what.get('kind')}/{what.get('name')} {event.get('reason')}: "
        f"{' '.join((event.get('message') or '').split())}" + (f" (x{count})" if count > 1 else "")
    )


def _when(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _containers(pod: dict[str, Any]) -> list[tuple[str, bool]]:
    status = pod.get("status", {})
    states = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return [(state["name"], bool(state.get("restartCount"))) for state in states]


def _log(kube: Kube, namespace: str, pod: str, container: str, previous: bool) -> str:
    try:
        return kube.logs(pod, namespace, container, tail=_LOG_LINES, previous=previous)
    except kubernetes.client.ApiException as error:
        return f"(the log cannot be read: {error.status} {error.reason})\n"


def _without_managed(body: dict[str, Any]) -> dict[str, Any]:
    body["metadata"].pop("managedFields", None)
    return body


def _write(file: Path, text: str, hide: Callable[[str], str]) -> None:
    file.write_text(hide(text), encoding="utf-8")


def _hider(kube: Kube, namespace: str, hidden: Iterable[str]) -> Callable[[str], str]:
    """Replaces these texts and the values of the namespace's Secrets: a reply or a URL in a log may hold a token."""
    known = set(hidden)
    with contextlib.suppress(kubernetes.client.ApiException):  # no right to read Secrets: then none can be hidden
        for secret in kube.list("v1", "Secret", namespace, fields="type=Opaque"):
            known.update(desired.secret_values({**secret, "kind": "Secret"}))  # of a list, items need not say it
    values = {value for value in known if len(value) >= _HIDDEN_FROM_CHARS}
    values |= {json.dumps(value, ensure_ascii=False)[1:-1] for value in values}
    longest_first = sorted(values, key=len, reverse=True)  # one may lie in another

    def hide(text: str) -> str:
        for value in longest_first:
            text = text.replace(value, "***")
        return text

    return hide
