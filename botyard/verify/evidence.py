"""What a person needs to see when a check fails: events, states and logs of the pods, kept as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException

from botyard.verify.released import Pod, Released

LOG_LINES = 200
SHOWN_LINES = 25


def collect(released: Released, folder: Path) -> dict[str, str]:
    """Writes events, pod states and logs of the namespace into ``folder``.

    Returns:
        Short sections (title -> text) to show beside the failure; the files have all of it. A cluster that does not
        answer gives one section that says so: evidence never hides the failure itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        bodies = released.kube.list("v1", "Pod", released.namespace)
        events = released.kube.list("v1", "Event", released.namespace)
        sections = {"pods": describe_all(bodies), "events": event_lines(events)}
        for body in bodies:
            for name, text in _logs(released, body).items():
                (folder / f"{body['metadata']['name']}-{name}.log").write_text(text)
                pod = Pod.of(body)
                if not pod.ready or "ERROR" in text:
                    sections[f"log of {pod.name} {name} (end)"] = "\n".join(text.splitlines()[-SHOWN_LINES:])
    except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        return {"diagnostics": f"the cluster did not answer: {error}"}
    for title in ("pods", "events"):
        (folder / f"{title}.txt").write_text(sections[title] + "\n")
    sections["events"] = "\n".join(sections["events"].splitlines()[-SHOWN_LINES:])
    sections["kept"] = f"all of it is in {folder}"
    return sections


def _logs(released: Released, body: dict[str, Any]) -> dict[str, str]:
    found = {}
    for group in ("initContainers", "containers"):
        for container in body["spec"].get(group) or []:
            name = container["name"]
            for previous in (False, True):
                text = released.kube.logs(body["metadata"]["name"], released.namespace, name, LOG_LINES, previous)
                if text:
                    found[f"{name}-before" if previous else name] = text
    return found


def describe_all(bodies: list[dict[str, Any]]) -> str:
    """A block for each pod: node, phase, and what its conditions and containers say. No environment, no arguments."""
    blocks = []
    for body in bodies:
        pod = Pod.of(body)
        leaving = ", leaving" if pod.leaving else ""
        health = "ready" if pod.ready else pod.why_not_ready()
        lines = [f"{pod.name} on {pod.node or 'no node'}: {pod.phase}{leaving}, {health}"]
        state = body.get("status") or {}
        for condition in state.get("conditions") or []:
            if condition["status"] != "True":
                lines.append(
                    f"  {condition['type']}: {condition.get('reason', '')} {condition.get('message', '')}".rstrip()
                )
        for group in ("initContainerStatuses", "containerStatuses"):
            for container in state.get(group) or []:
                lines.append(
                    f"  {container['name']}: {container.get('restartCount', 0)} restarts, {_states(container)}"
                )
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _states(container: dict[str, Any]) -> str:
    shown = []
    for key, title in (("state", ""), ("lastState", "before: ")):
        for name, detail in (container.get(key) or {}).items():
            parts = [
                name,
                *(
                    str((detail or {}).get(word))
                    for word in ("reason", "exitCode", "message")
                    if (detail or {}).get(word) is not None
                ),
            ]
            shown.append(title + " ".join(parts))
    return ", ".join(shown) or "no state yet"


def event_lines(events: list[dict[str, Any]]) -> str:
    """Events by time, a line each."""

    def when(event: dict[str, Any]) -> str:
        return str(
            event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
        )

    return "\n".join(
        f"{when(e)} {e.get('type', '')} {e['involvedObject'].get('kind')}/{e['involvedObject'].get('name')} "
        f"{e.get('reason', '')}: {(e.get('message') or '').strip()}"
        for e in sorted(events, key=when)
    )
