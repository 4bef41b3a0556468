"""How a release gets there: recovered, installed or upgraded, waited for; and the evidence where that fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from botyard.contracts import BotyardError, CommandError, TimedOut
from botyard.release import desired, diagnostics, pods
from botyard.release.releases import Plan, upgrade
from botyard.tools.helm import STATUS_DEPLOYED, Helm, Release
from botyard.tools.kube import Kube, no_answer
from botyard.wait import wait_until

_POLL_S = 1.5


def recover(helm: Helm, kube: Kube, plan: Plan, live: Release, evidence: Path, progress: Callable[[str], None]) -> bool:
    """Frees a release whose helm was killed; our lock on the cluster says that no other helm is at work.

    What its pods say is written down first: going back takes them away.

    Returns:
        whether the release is still there (it went back to its last good revision).
    """
    summary = collected(kube, plan, evidence)
    progress(f"{live.name} was left {live.status}; evidence is in {evidence}")
    for line in summary.splitlines()[:3]:
        progress(f"{live.name}: {line.strip()}")
    good = [r for r in helm.history(live.name, live.namespace) if r["status"] in (STATUS_DEPLOYED, "superseded")]
    if live.status == "uninstalling" or not good:
        progress(f"{live.name} has no good revision: uninstalling it (Secrets and volumes stay)")
        helm.uninstall(live.name, live.namespace)
        return False
    best = [r for r in good if r["status"] == STATUS_DEPLOYED] or good
    revision = int(best[-1]["revision"])
    progress(f"{live.name} goes back to revision {revision} first")
    helm.rollback(live.name, live.namespace, revision)
    return True


def act(
    helm: Helm, kube: Kube, plan: Plan, values: Sequence[Path], evidence: Path, progress: Callable[[str], None]
) -> Release:
    """Installs or upgrades, telling what blocks while it waits.

    Raises:
        BotyardError: helm failed or gave up waiting; says what held the pods back and where the evidence lies.
    """
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(kube, plan, done, progress), daemon=True)
    watcher.start()
    try:
        return upgrade(helm, plan, values)
    except (CommandError, TimedOut) as error:
        said = error.stderr.strip() if isinstance(error, CommandError) else str(error)
        raise failure(kube, plan, evidence, (said.splitlines() or [""])[-1]) from error
    finally:
        done.set()
        watcher.join(timeout=10)


def await_ready(kube: Kube, plan: Plan, live: Release, evidence: Path, progress: Callable[[str], None]) -> None:
    """For a release that needs no change: its Deployments may still be on their way (the machine started anew).

    Raises:
        BotyardError: they are not ready in time.
    """
    names = [o["metadata"]["name"] for o in desired.load_documents(live.manifest) if o["kind"] == "Deployment"]

    def probe() -> tuple[bool, str]:
        for name in names:
            found = kube.get("apps/v1", "Deployment", name, plan.namespace)
            why = pods.unfinished(found) if found else f"{name}: gone"
            if why:
                blocked = pods.blocked(pods.release_pods(kube, plan.namespace, plan.name, plan.selectors))
                return False, f"{why}; {blocked}" if blocked else why
        return True, ""

    try:
        wait_until(f"release {plan.name}", probe, plan.wait_s or 0, interval_s=1, progress=progress)
    except TimedOut as error:
        raise failure(kube, plan, evidence, str(error)) from error


def failure(kube: Kube, plan: Plan, evidence: Path, said: str) -> BotyardError:
    """Collects evidence and puts it into one error."""
    lines = [f"release {plan.name} in namespace {plan.namespace} failed: {said}", collected(kube, plan, evidence)]
    return BotyardError("\n".join(filter(None, lines)), f"read events, pods and logs in {evidence}")


def collected(kube: Kube, plan: Plan, evidence: Path) -> str:
    """What the release's pods say, in a few lines; all of it goes to ``evidence``, in place of what was there."""
    shutil.rmtree(evidence, ignore_errors=True)
    try:
        own = pods.release_pods(kube, plan.namespace, plan.name, plan.selectors)
        return diagnostics.collect(kube, plan.namespace, evidence, own, hidden=plan.hidden)
    except no_answer() as error:
        return f"(no evidence: {type(error).__name__}: {error})"


def _watch(kube: Kube, plan: Plan, done: threading.Event, progress: Callable[[str], None]) -> None:
    last = ""
    while not done.wait(_POLL_S):
        try:
            line = pods.blocked(pods.release_pods(kube, plan.namespace, plan.name, plan.selectors))
        except no_answer():
            continue  # helm will tell if the API server is gone
        if line and line != last:
            progress(f"{plan.name}: {line}")
            last = line
