"""Change a Deployment for a while and put it back exactly, whatever happens in between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botyard.contracts import BotyardError
from botyard.tools.kube import Kube
from botyard.verify.released import Released
from botyard.wait import wait_until

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def patch(kube: Kube, namespace: str, name: str, body: Any, content_type: str = MERGE) -> None:
    """Patches one Deployment."""
    kube.dynamic.resources.get(api_version="apps/v1", kind="Deployment").patch(
        name=name, namespace=namespace, body=body, content_type=content_type
    )


def rollout_state(body: dict[str, Any]) -> tuple[bool, str]:
    """Whether a Deployment has settled: seen by its controller, all replicas new and ready, none left over."""
    wanted = int(body["spec"].get("replicas", 1))
    status = body.get("status") or {}
    seen = int(status.get("observedGeneration") or 0) >= int(body["metadata"].get("generation") or 0)
    counts = {key: int(status.get(key) or 0) for key in ("updatedReplicas", "readyReplicas", "replicas")}
    done = seen and all(count == wanted for count in counts.values())
    shown = f"{counts['updatedReplicas']} new, {counts['readyReplicas']} ready of {wanted}, {counts['replicas']} in all"
    return done, shown


def settled(released: Released, name: str, timeout_s: float = 120, *, gone_too: bool = False) -> None:
    """Waits until a Deployment's rollout is over.

    Args:
        gone_too: also wait until pods on their way out are gone.

    Raises:
        TimedOut: with the last counts and what the unready pods say.
    """

    def probe() -> tuple[bool, str]:
        body = released.deployment(name)
        done, shown = rollout_state(body)
        selector = ",".join(f"{k}={v}" for k, v in body["spec"]["selector"]["matchLabels"].items())
        if done and gone_too:
            left = [
                pod["metadata"]["name"]
                for pod in released.kube.list("v1", "Pod", released.namespace, labels=selector)
                if pod["metadata"].get("deletionTimestamp")
            ]
            return not left, f"leaving: {', '.join(left)}" if left else shown
        return done, shown

    wait_until(f"Deployment {name}", probe, timeout_s, interval_s=0.5)


@contextlib.contextmanager
def put_back(released: Released, name: str, timeout_s: float = 180) -> Iterator[dict[str, Any]]:
    """Gives a Deployment as it is, and makes it so again afterwards, also after a failure.

    Who owns which field is put back too: Helm applies server-side, and a field that a check had touched would
    otherwise belong to the check for ever and be a conflict in the next ``helm upgrade``.

    Raises:
        BotyardError: it could not be put back; names what differs.
    """
    before = released.deployment(name)
    try:
        yield before
    finally:
        _restore(released, name, before)
        settled(released, name, timeout_s, gone_too=True)


def _restore(released: Released, name: str, before: dict[str, Any]) -> None:
    now = released.kube.get("apps/v1", "Deployment", name, released.namespace)
    if now is None:
        raise BotyardError(f"Deployment {name} vanished during a check", "run invoke e2e to release it again")
    if now["spec"] != before["spec"]:
        swap = [{"op": "replace", "path": "/spec", "value": before["spec"]}]
        patch(released.kube, released.namespace, name, swap, JSON_PATCH)
    owners = before["metadata"].get("managedFields")
    if owners:
        patch(released.kube, released.namespace, name, {"metadata": {"managedFields": owners}})


def scale(released: Released, name: str, replicas: int) -> None:
    """Asks for that many replicas; use inside ``put_back``."""
    patch(released.kube, released.namespace, name, {"spec": {"replicas": replicas}})


def roll(released: Released, name: str, stamp: str) -> None:
    """Starts a rolling upgrade by an annotation of the pod template; use inside ``put_back``."""
    note = {"botyard/rolled": stamp}
    patch(released.kube, released.namespace, name, {"spec": {"template": {"metadata": {"annotations": note}}}})
