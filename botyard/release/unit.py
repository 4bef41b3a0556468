"""Several releases as one: where they stood before a deploy, and all of them back there where it failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from botyard.release import rollout
from botyard.release.releases import Plan
from botyard.tools.helm import Chart, Helm
from botyard.tools.helm_record import kept, last_good, recorded
from botyard.tools.kube import Kube


def noted(kube: Kube, namespace: str, names: Sequence[str]) -> dict[str, int]:
    """The revision of each release to go back to, 0 where there is none; in the order given.

    One that a broken-off deploy left half way is none: going back to it would put back what never served.
    """
    return {name: last_good(kube, name, namespace) for name in names}


def changed(kube: Kube, namespace: str, before: Mapping[str, int]) -> list[str]:
    """Which releases stand elsewhere than they did, the last one first: the order in which they go back."""
    return [name for name in reversed(list(before)) if max(kept(kube, name, namespace), default=0) != before[name]]


def restored(
    helm: Helm,
    kube: Kube,
    namespace: str,
    before: Mapping[str, int],
    moved: Sequence[str],
    evidence: Path,
    progress: Callable[[str], None],
    wait_s: int = 300,
) -> list[str]:
    """Takes what ``moved``, as ``changed`` tells, back to the revision it had; waits until the pods are ready.

    One that was not there before is left for inspection. Secrets and volumes stay in any case.

    Returns:
        a line for each release that had moved.
    Raises:
        BotyardError: helm failed, or the pods of before do not become ready either.
    """
    told = []
    for name in moved:
        if not before[name]:
            cure = f"helm uninstall {name} --namespace {namespace} --kube-context {helm.context}"
            told.append(f"{name}: is new, and left for you to look at; to remove it: {cure}")
            continue
        progress(f"{name}: back to revision {before[name]}")
        helm.rollback(name, namespace, before[name])
        live = recorded(kube, name, namespace)
        if live is not None:
            plan = Plan(name=name, namespace=namespace, chart=Chart(""), wait_s=wait_s)
            rollout.await_ready(kube, plan, live, evidence / f"{name}-back", progress)
        told.append(f"{name}: as in revision {before[name]} again")
    return told
