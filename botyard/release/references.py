"""Which Secrets and ConfigMaps pods read, and which of them are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botyard.release.arithmetic import Problem

Lookup = Callable[[str, str], Sequence[str] | None]
"""Gives the keys of a Secret or ConfigMap in the cluster by kind and name; None where there is none."""


@dataclass(frozen=True)
class Reference:
    """One place where a pod reads from a Secret or ConfigMap; '' as key: all of it.

    Args:
        needed: the pod does not start without it; pull secrets are only told, as an image may be public.
    """

    kind: str
    name: str
    key: str
    who: str
    needed: bool = True


def of_pod(pod: Mapping[str, Any], who: str) -> Iterator[Reference]:
    """What a pod spec reads; optional references are left out."""
    for one in pod.get("imagePullSecrets") or []:
        yield Reference("Secret", one.get("name", ""), "", f"{who}, imagePullSecrets", needed=False)
    for container in [*(pod.get("initContainers") or []), *(pod.get("containers") or [])]:
        place = f"{who}, container {container['name']}"
        for entry in container.get("env") or []:
            source = entry.get("valueFrom") or {}
            yield from _chosen(source.get("secretKeyRef"), "Secret", f"{place}, env {entry['name']}")
            yield from _chosen(source.get("configMapKeyRef"), "ConfigMap", f"{place}, env {entry['name']}")
        for entry in container.get("envFrom") or []:
            yield from _whole(entry.get("secretRef"), "Secret", "name", f"{place}, envFrom")
            yield from _whole(entry.get("configMapRef"), "ConfigMap", "name", f"{place}, envFrom")
    for volume in pod.get("volumes") or []:
        place = f"{who}, volume {volume['name']}"
        yield from _whole(volume.get("secret"), "Secret", "secretName", place)
        yield from _whole(volume.get("configMap"), "ConfigMap", "name", place)
        for source in (volume.get("projected") or {}).get("sources") or []:
            yield from _whole(source.get("secret"), "Secret", "name", place)
            yield from _whole(source.get("configMap"), "ConfigMap", "name", place)


def _chosen(found: Mapping[str, Any] | None, kind: str, who: str) -> Iterator[Reference]:
    if found and not found.get("optional"):
        yield Reference(kind, found.get("name", ""), found.get("key", ""), who)


def _whole(found: Mapping[str, Any] | None, kind: str, key: str, who: str) -> Iterator[Reference]:
    if not found or found.get("optional"):
        return
    items = [item["key"] for item in found.get("items") or []]
    for item in items or [""]:
        yield Reference(kind, found.get(key, ""), item, who)


def missing(
    references: Iterable[Reference],
    coming: Mapping[tuple[str, str], Sequence[str]],
    lookup: Lookup,
) -> tuple[list[Problem], list[str]]:
    """What pods would wait for, and what they could do without but should not; each object is told once.

    Args:
        coming: keys by kind and name of what the release itself, or a task before it, makes.
    """
    known: dict[tuple[str, str], Sequence[str] | None] = {}
    wanted: dict[tuple[str, str], dict[str, Reference]] = {}
    for one in references:
        wanted.setdefault((one.kind, one.name), {}).setdefault(one.key, one)
    problems, warnings = [], []
    for what, by_key in wanted.items():
        if what not in known:
            live = lookup(*what)
            known[what] = None if live is None and what not in coming else [*(live or []), *coming.get(what, [])]
        keys = known[what]
        lost = [one for key, one in by_key.items() if keys is None or (key and key not in keys)]
        if not lost:
            continue
        kind, name = what
        told = f"{kind} {name}" + ("" if keys is None else f" has no key {', '.join(one.key for one in lost)}")
        message = f"{told}{' is not there' if keys is None else ''} (wanted by {lost[0].who})"
        if any(one.needed for one in lost):
            named = sorted(key for key in by_key if key)
            cure = f"make it{' with the keys ' + ', '.join(named) if named else ''}, or name another one"
            problems.append(Problem(message, cure))
        else:
            warnings.append(f"{message}: a private image could not be pulled")
    return problems, warnings
