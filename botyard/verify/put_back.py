"""Change a Deployment for a while and put it back exactly, whatever happens in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes.client.exceptions import ApiException

from botyard.contracts import BotyardError
from botyard.tools.helm import Helm, Release
from botyard.tools.kube import Kube
from botyard.verify.released import Pod, Released
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
        if done and gone_too:
            left = [pod.name for pod in released.pods_of(name) if pod.leaving]
            return not left, f"leaving: {', '.join(left)}" if left else shown
        return done, shown

    wait_until(f"Deployment {name}", probe, timeout_s, interval_s=0.5)


def _nothing() -> None:
    return None


@contextlib.contextmanager
def put_back(
    released: Released, name: str, timeout_s: float = 180, on_failure: Callable[[], None] = _nothing
) -> Iterator[dict[str, Any]]:
    """Gives a Deployment as it is, and makes it so again afterwards, also after a failure.

    Who owns which field is put back too: Helm applies server-side, and a field that a check had touched would
    otherwise belong to the check for ever and be a conflict in the next ``helm upgrade``.

    Args:
        on_failure: called before anything is put back, to keep evidence.

    Raises:
        BotyardError: it could not be put back.
    """
    before = released.deployment(name)
    try:
        yield before
    except BaseException:
        on_failure()
        raise
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


@contextlib.contextmanager
def rolled_back(
    released: Released, helm: Helm, name: str, timeout_s: float = 180, on_failure: Callable[[], None] = _nothing
) -> Iterator[Release]:
    """Gives a Helm release as it is; afterwards ``helm rollback`` to that revision, also after a failure.

    Pods that never became ready are removed at once: they served nobody, so there is nothing to wait for.

    Raises:
        BotyardError: there is no such release, or it could not be put back.
    """
    before = helm.status(name, released.namespace)
    if before is None:
        raise BotyardError(f"Helm has no release {name} in namespace {released.namespace}", "run invoke e2e")
    try:
        yield before
    except BaseException:
        on_failure()
        raise
    finally:
        now = helm.status(name, released.namespace)
        if now is None or now.revision != before.revision:
            helm.rollback(name, released.namespace, before.revision)
            _drop_never_ready(released, name)
        settled(released, name, timeout_s, gone_too=True)


def _drop_never_ready(released: Released, name: str) -> None:
    def probe() -> tuple[bool, str]:
        # "replicas" may still count the bad pod for a moment; wait until the controller has let go of it.
        left = [pod for pod in released.pods_of(name) if not pod.ready]
        for pod in left:
            if pod.leaving:
                remove_now(released, pod)
        return not left, ", ".join(pod.name for pod in left)

    wait_until(f"the unready pods of {name} to go", probe, 60, interval_s=0.5)


def remove_now(released: Released, pod: Pod) -> None:
    """Deletes a pod without giving it time to end; one that is gone already is fine."""
    try:
        released.kube.core.delete_namespaced_pod(pod.name, released.namespace, grace_period_seconds=0)
    except ApiException as error:
        if error.status != 404:
            raise


def scale(released: Released, name: str, replicas: int) -> None:
    """Asks for that many replicas; use inside ``put_back``."""
    patch(released.kube, released.namespace, name, {"spec": {"replicas": replicas}})


def roll(released: Released, name: str, stamp: str) -> None:
    """Starts a rolling upgrade by an annotation of the pod template; use inside ``put_back``."""
    note = {"botyard/rolled": stamp}
    patch(released.kube, released.namespace, name, {"spec": {"template": {"metadata": {"annotations": note}}}})
