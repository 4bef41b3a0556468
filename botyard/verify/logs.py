"""Errors in the logs of pods."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from botyard.verify.released import Pod, Released

STARTING = timedelta(seconds=30)
# A level or a crash, as Rasa, Sanic, rasa-sdk, Redis, HAProxy and Python's own handler print them.
ERROR = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|\[(error|critical|ALERT)\s*\]|^Traceback \(most recent call last\)")

# Sanic forgets the task that waits for more from a websocket whose other end has gone, as a closed page does; Python
# says so, when it clears the task away, in two lines. Nobody loses anything.
FORGOTTEN = re.compile(r"\bERROR\b.*\bTask was destroyed but it is pending!$")
BY_SANIC = re.compile(r"task: <Task pending\b.*\bWebsocketImplProtocol\.async_data_received\(\)")


def moment(stamp: str) -> datetime:
    """Time out of an RFC 3339 stamp as the API server writes it (nanoseconds are cut off)."""
    whole, _, rest = stamp.partition(".")
    text = whole.rstrip("Z") + ("." + re.sub(r"\D.*", "", rest)[:6] if rest else "") + "+00:00"
    return datetime.fromisoformat(text)


def error_lines(log: str, started: datetime | None, since: datetime) -> list[str]:
    """Lines that tell of an error, out of a log with timestamps.

    Looked at are the container's start (its first 30 s) and the time from ``since`` on. What lies between belongs to
    earlier runs, whose disruptive checks make errors on purpose.
    """
    found = []
    lines = log.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        stamp, _, text = line.partition(" ")
        if FORGOTTEN.search(text) and BY_SANIC.search(following):
            continue
        try:
            at = moment(stamp)
        except ValueError:
            continue
        in_start = started is not None and at <= started + STARTING
        if (in_start or at >= since) and ERROR.search(text):
            found.append(f"{stamp} {text[:300]}")
    return found


def errors_of(released: Released, pod: Pod, since: datetime) -> list[str]:
    """Error lines of all containers of a pod, each led by pod and container."""
    found = []
    states = (pod.body.get("status") or {}).get("containerStatuses") or []
    for state in states:
        begun = ((state.get("state") or {}).get("running") or {}).get("startedAt")
        log = released.kube.logs(pod.name, released.namespace, state["name"], timestamps=True)
        lines = error_lines(log, moment(begun) if begun else None, since)
        found += [f"{pod.name} {state['name']}: {line}" for line in lines]
    return found
