"""What charts render, looked at by short paths."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from botyard import yaml11

Objects = dict[tuple[str, str], dict[str, Any]]
Render = Callable[..., Objects]
CONTAINERS = ("rasa-oss", "action-server")


def at(objects: Objects, place: str) -> Any:
    """What is at a place, None where there is nothing.

    - ``Kind/name/...``: a path in an object; ~1 is a slash in a key, -1 the last of a list
    - ``pod/...``, ``container/...``: in the pod of Rasa or of the action server, and in its container
    - ``env/NAME``: a variable there
    - ``endpoints/...``, ``credentials/...``: in Rasa's files
    """
    first, *rest = place.split("/")
    if first in ("endpoints", "credentials"):
        return _follow(rasa_file(objects, f"{first}.yml"), rest)
    if first == "pod":
        return _follow(pod(objects), rest)
    if first == "container":
        return _follow(container(objects), rest)
    if first == "env":
        return _follow(env(container(objects)), rest)
    return _follow(objects.get((first, rest[0])), rest[1:])


def pod(objects: Objects) -> dict[str, Any]:
    """The pod of Rasa or of the action server."""
    found = [o["spec"]["template"]["spec"] for (kind, _), o in objects.items() if kind == "Deployment"]
    return next(spec for spec in found if any(c["name"] in CONTAINERS for c in spec["containers"]))


def container(objects: Objects) -> dict[str, Any]:
    return next(c for c in pod(objects)["containers"] if c["name"] in CONTAINERS)


def env(of: dict[str, Any]) -> dict[str, Any]:
    """The variables of a container: text, or where it comes from."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in of["env"]}


def rasa_file(objects: Objects, file: str) -> dict[str, Any]:
    """A rendered file of Rasa, read back."""
    return dict(yaml11.load(objects["ConfigMap", "myrasa"]["data"][file]))


def with_key(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Values with one more key, as in ``image.tag``."""
    values = copy.deepcopy(values)
    place = values
    *parents, last = key.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return values


def without_randomness(objects: Objects) -> Objects:
    """The objects without what the chart makes at random."""
    objects = copy.deepcopy(objects)
    for (kind, _), body in objects.items():
        if kind == "Secret":
            body["data"] = sorted(body["data"])
    return objects


def _follow(value: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step.replace("~1", "/"))
        else:
            return None
    return value
