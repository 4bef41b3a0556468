"""A Helm release: what it should be, what is there, and what would change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botyard.contracts import CommandError, Diff
from botyard.release import desired, pods, sensitive
from botyard.tools.helm import STATUS_DEPLOYED, Chart, Helm, Release
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube

# What helm says in check mode where an earlier task of the same run would have made the thing.
_NOT_THERE_YET = re.compile(
    r"repo .* not found|not found in .* (index|repository)|namespaces? .* not found|no cached repo"
)
# Field manager of a helm 4 that applies by the server.
_MANAGER = "helm"


@dataclass(frozen=True)
class Plan:
    """What a release should be.

    Args:
        values_files: merged by helm in this order.
        values: win over the files.
        wait_s: seconds for everything to become ready; None does not wait.
        hidden: texts that evidence must not show.
        selectors: choose its pods, besides the usual label.
    """

    name: str
    namespace: str
    chart: Chart
    values_files: tuple[Path, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    reuse_values: bool = False
    reset_values: bool = True
    create_namespace: bool = False
    wait_s: int | None = None
    hidden: frozenset[str] = frozenset()
    selectors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What has to be done: nothing where ``why`` is empty.

    Args:
        wanted: what helm would make of the plan; None where it could not say.
        seen: where nothing has to be done, the API path of each live object with its fingerprint.
    """

    why: str = ""
    live: Release | None = None
    diff: tuple[Diff, ...] = ()
    warning: str = ""
    wanted: Release | None = None
    seen: Mapping[str, str] = field(default_factory=dict)

    def known_to(self, plan: Plan) -> Plan:
        """The plan with what the renderings say of it: texts that must never be shown, and how its pods are found."""
        known = [one for one in (self.live, self.wanted) if one is not None]
        hidden = {*sensitive.of_values([one.values for one in known])}
        for one in known:
            hidden.update(sensitive.of_manifest(f"{one.manifest}\n---\n{one.hooks}"))
        bodies = desired.load_documents(known[-1].manifest) if known else []
        return replace(plan, hidden=plan.hidden | hidden, selectors=pods.selectors_of(bodies, plan.name))


def decide(helm: Helm, kube: Kube, plan: Plan, values: Sequence[Path], check: bool = False) -> Decision:
    """Compares the release with what helm would make of the plan now, and the cluster with the release.

    Args:
        check: earlier tasks changed nothing, so a missing repository or namespace is no error.
    Raises:
        CommandError: the chart cannot be rendered with these values, or the server refuses it.
    """
    decision = _observed(helm, kube, plan, values, check)
    if decision.why and not check and not (decision.live and decision.live.pending):
        _dry_run(helm, plan, values)
    return decision


def _observed(helm: Helm, kube: Kube, plan: Plan, values: Sequence[Path], check: bool) -> Decision:
    """As ``decide``; outside of check mode what is rendered is not validated, as mostly it is what was released."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        rendered = pool.submit(_dry_run, helm, plan, values, validate=check)
        live = recorded(kube, plan.name, plan.namespace)
        if live is not None and live.pending:
            return Decision(why=f"a run that was killed left it {live.status}", live=live)
        try:
            new = rendered.result()
        except CommandError as error:
            if not (check and _NOT_THERE_YET.search(error.stderr)):
                raise
            return Decision(why="it cannot be compared yet", live=live, warning=error.stderr.strip().splitlines()[-1])
    seen: dict[str, str] = {}
    why, changes = _compared(kube, live, new, seen)
    return Decision(why, live, tuple(changes), wanted=new, seen=seen)


def _compared(kube: Kube, live: Release | None, new: Release, seen: dict[str, str]) -> tuple[str, Sequence[Diff]]:
    """Why the release is not as wanted ('' where it is), and in what; ``seen`` takes what is as the release says."""
    if live is None:
        return "it is not installed", manifest_diff("", new.manifest)
    if live.status != STATUS_DEPLOYED:
        return f"its last revision is {live.status}", manifest_diff(live.manifest, new.manifest)
    if changes := manifest_diff(live.manifest, new.manifest):
        return "it would be rendered differently", changes
    if changes := manifest_diff(live.hooks, new.hooks):
        return "its hooks would be rendered differently", changes
    if canonical(live.values) != canonical(new.values):
        return "its values differ", [_values_diff(live, new)]
    if live.chart != new.chart:
        # No pod is touched, but helm list and a roll back would name the old one; Ansible's own module says the same.
        return f"its chart is {live.chart}", [Diff(f"chart of {live.name}", f"{live.chart}\n", f"{new.chart}\n")]
    if drift := drifted(kube, live, seen):
        return f"the cluster differs from it: {', '.join(d.header for d in drift)}", drift
    return "", []


def _dry_run(helm: Helm, plan: Plan, values: Sequence[Path], validate: bool = True) -> Release:
    return upgrade(helm, plan, values, dry_run=True, validate=validate)


def upgrade(helm: Helm, plan: Plan, values: Sequence[Path], *, dry_run: bool = False, validate: bool = True) -> Release:
    return helm.upgrade(
        plan.name,
        plan.namespace,
        plan.chart,
        values,
        reuse_values=plan.reuse_values,
        reset_values=plan.reset_values,
        create_namespace=plan.create_namespace,
        wait_s=plan.wait_s,
        dry_run=dry_run,
        validate=validate,
    )


def canonical(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def _values_diff(live: Release, new: Release) -> Diff:
    """Only which keys differ: values may hold secrets."""
    keys = sorted(k for k in {*live.values, *new.values} if live.values.get(k) != new.values.get(k))
    return Diff(header=f"values of {live.name}", before="", after="".join(f"{key}: differs\n" for key in keys))


def manifest_diff(before: str, after: str) -> list[Diff]:
    """Which objects two manifests differ in; comments and order do not count."""
    if before == after:
        return []
    old = {desired.shown(o): o for o in _without_counts(desired.load_documents(before))}
    new = {desired.shown(o): o for o in _without_counts(desired.load_documents(after))}
    return [
        Diff(header=name, before=desired.as_text(old.get(name)), after=desired.as_text(new.get(name)))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _scaled(bodies: Sequence[dict[str, Any]]) -> set[str]:
    """What an autoscaler among these objects scales: how many replicas that has is the autoscaler's affair."""
    return {desired.scale_target(body) for body in bodies if body["kind"] == "HorizontalPodAutoscaler"}


def _without_counts(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    scaled = _scaled(bodies)
    for body in bodies:
        if desired.shown(body) in scaled:
            body["spec"].pop("replicas", None)
    return bodies


def drifted(kube: Kube, live: Release, seen: dict[str, str]) -> list[Diff]:
    """Where the cluster is not what the release says: objects gone, or changed by hand in a field of the chart."""

    def note(found: dict[str, Any]) -> None:
        about = found["metadata"]
        place = kube.place(found["apiVersion"], found["kind"], about.get("namespace"), about["name"])
        seen[place] = desired.fingerprint(found)

    def one(body: dict[str, Any]) -> Diff | None:
        # Without what helm adds itself, the dry run would take it away.
        metadata = body["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
        metadata["annotations"] = {
            **(metadata.get("annotations") or {}),
            "meta.helm.sh/release-name": live.name,
            "meta.helm.sh/release-namespace": live.namespace,
        }
        if desired.shown(body) in scaled:
            now = kube.get(body["apiVersion"], body["kind"], metadata["name"], live.namespace)
            body["spec"]["replicas"] = now["spec"].get("replicas") if now else None
        return desired.difference(kube, body, live.namespace, _MANAGER, note)

    bodies = desired.load_documents(live.manifest)
    scaled = _scaled(bodies)
    if not bodies:
        return []
    with ThreadPoolExecutor(max_workers=4) as pool:
        return [diff for diff in pool.map(one, bodies) if diff is not None]
