"""Deploys as they were made, kept in the cluster: which revisions of the releases belong together, since when, by whom.

Helm knows each release alone. A rollback that takes one chart back and leaves the other one is what this prevents.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from botyard.contracts import BadInput, BotyardError
from botyard.release import desired
from botyard.tools.kube import Kube

CONFIG_MAP = "botyard-deploys"
KEPT = 10  # as many revisions as Helm keeps


@dataclass(frozen=True)
class Deploy:
    """One deploy that ended well.

    Args:
        number: counts up in a namespace.
        at: when it ended, RFC 3339 in UTC.
        by: who made it, and from where.
        about: what was released: bot, model, model_sha256, images; as the run noted it.
        revisions: release -> Helm's revision.
        note: '' or what is special about it.
    """

    number: int
    at: str
    by: str
    about: dict[str, Any]
    revisions: dict[str, int]
    note: str = ""


def read(kube: Kube, namespace: str) -> list[Deploy]:
    """The last deploys, oldest first.

    Raises:
        BotyardError: somebody wrote something else there.
    """
    body = kube.get("v1", "ConfigMap", CONFIG_MAP, namespace)
    if body is None:
        return []
    try:
        return [Deploy(**entry) for entry in json.loads(body["data"]["deploys"])]
    except (KeyError, TypeError, ValueError) as error:
        cure = f"put it right, or start anew: kubectl -n {namespace} delete configmap {CONFIG_MAP}"
        raise BotyardError(f"ConfigMap {CONFIG_MAP} in namespace {namespace} cannot be read: {error}", cure) from error


def add(
    kube: Kube,
    namespace: str,
    known: Sequence[Deploy],
    about: Mapping[str, Any],
    revisions: Mapping[str, int],
    note: str = "",
) -> Deploy:
    """Notes a deploy after the ``known`` ones; the oldest of more than ten goes."""
    number = known[-1].number + 1 if known else 1
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = Deploy(number, now, whoever_runs_this(), dict(about), dict(revisions), note)
    text = json.dumps([asdict(one) for one in [*known, new][-KEPT:]], indent=1)
    meta = {"name": CONFIG_MAP, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "botyard"}}
    desired.applied(kube, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"deploys": text}})
    return new


def chosen(known: Sequence[Deploy], number: int, namespace: str) -> Deploy:
    """The deploy to go back to: the one before the last, or that of this number.

    Raises:
        BadInput: there is no such deploy.
    """
    if not known:
        raise BadInput(f"namespace {namespace} has no note of a deploy", "make one: invoke deploy")
    if not number:
        if len(known) < 2:
            raise BadInput(f"namespace {namespace} has seen one deploy, and nothing before it to go back to")
        return known[-2]
    found = next((one for one in known if one.number == number), None)
    if found is None:
        raise BadInput(f"there is no deploy {number}", f"choose from {', '.join(str(one.number) for one in known)}")
    return found


def whoever_runs_this() -> str:
    """A person or a workflow, and the machine or run: ``ada@laptop``, ``ada in https://github.com/...``."""
    env = os.environ
    if env.get("GITHUB_ACTOR") and env.get("GITHUB_RUN_ID"):
        place = f"{env.get('GITHUB_SERVER_URL', '')}/{env.get('GITHUB_REPOSITORY', '')}/actions/runs"
        return f"{env['GITHUB_ACTOR']} in {place}/{env['GITHUB_RUN_ID']}"
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
