"""Can the nodes run what was built? An image is for one platform, and a cluster may have nodes of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botyard.release.arithmetic import Problem


def problem(
    name: str, pod: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], platforms: Mapping[str, str]
) -> Problem | None:
    """What is wrong where a pod may come to a node that cannot run its images.

    Args:
        name: the workload, as it is shown.
        nodes: those that the scheduler could choose.
        platforms: by repository, what images that were built here run on, as ``linux/amd64``. Others are not looked
            at: most are made for several platforms.
    """
    known = {platforms.get(repository(str(image))) for image in _images(pod)} - {None, ""}
    for wanted in sorted(map(str, known)):
        strange = {str(node["metadata"]["name"]): of_node(node) for node in nodes if of_node(node) != wanted}
        if not strange:
            continue
        node, found = min(strange.items())
        arch = wanted.partition("/")[2]
        off = f"keep its pods off: nodeSelector: {{kubernetes.io/arch: {arch}}} in its values"
        more = f"add nodes of {wanted}"
        return Problem(
            f"{name}: its image is made for {wanted}, and {len(strange)} of {len(nodes)} nodes that it may come to run "
            f"something else ({node}: {found}): a pod there ends with 'exec format error'",
            f"{off if len(strange) < len(nodes) else more}; or build on a machine of {found}",
        )
    return None


def of_node(node: Mapping[str, Any]) -> str:
    """What a node runs, as ``linux/arm64``."""
    about = node["status"]["nodeInfo"]
    return f"{about['operatingSystem']}/{about['architecture']}"


def repository(image: str) -> str:
    """An image's name without its tag and digest."""
    named = image.partition("@")[0]
    folder, slash, last = named.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _images(pod: Mapping[str, Any]) -> list[str]:
    return [one.get("image") or "" for part in ("initContainers", "containers") for one in pod.get(part) or []]
