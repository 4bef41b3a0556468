"""What a release would run into, told before anything is installed: room, Secrets, names that a cloud refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botyard import yaml11
from botyard.contracts import BadInput, CommandError
from botyard.release import arithmetic, desired, nodes, platforms, references, selectors
from botyard.release.arithmetic import Problem, Room
from botyard.release.releases import Plan
from botyard.tools.helm import STATUS_DEPLOYED, Helm, Release
from botyard.tools.kube import Kube

_AZURE_NAME = "service.beta.kubernetes.io/azure-dns-label-name"
_AZURE_PATTERN = r"[a-z][a-z0-9-]{1,61}[a-z0-9]"
_GONE = ("Succeeded", "Failed")


@dataclass
class Findings:
    """What stands in the way, and what may do so later."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, problem: Problem | None) -> bool:
        """Whether there was one."""
        if problem is not None:
            self.problems.append(problem)
        return problem is not None

    def raised(self, release: str, files: Sequence[Path]) -> None:
        """Refuses the release where anything stands in its way.

        Raises:
            BadInput: all problems, each with its cure.
        """
        if not self.problems:
            return
        lines = [problem.message for problem in self.problems]
        cures = list(dict.fromkeys(problem.cure for problem in self.problems))
        where = f" (values: {', '.join(file.name for file in files)})" if files else ""
        raise BadInput(f"release {release} cannot go well{where}:\n  " + "\n  ".join(lines), "\n        ".join(cures))


@dataclass(frozen=True)
class Cluster:
    """What is looked at: asked once for all releases of a task.

    Args:
        nodes: None where they may not be listed: then nobody can say whether pods find room.
        secrets: keys by name of Secrets that a later task makes.
        platforms: by repository, what images built here run on, as ``linux/amd64``.
    """

    kube: Kube
    nodes: Sequence[dict[str, Any]] | None
    secrets: Mapping[str, Sequence[str]]
    platforms: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, namespace: str) -> references.Lookup:
        def keys(kind: str, name: str) -> list[str] | None:
            found = self.kube.get("v1", kind, name, namespace) if name else None
            return None if found is None else [*(found.get("data") or {}), *(found.get("binaryData") or {})]

        return keys


def as_released(plan: Plan, live: Release | None, chart: str) -> bool:
    """Whether the values and the chart (as in ``rasa-0.3.0``) are those that are released: then no pod will move."""
    if live is None or live.status != STATUS_DEPLOYED or live.chart != chart:
        return False
    return merged_values(plan) == live.values


def merged_values(plan: Plan) -> dict[str, Any]:
    """The files and the plan's own values in one, as helm merges them: maps are merged, all else is replaced."""
    merged: dict[str, Any] = {}
    for file in plan.values_files:
        document = yaml11.load(file.read_text(encoding="utf-8"))
        merged = _merged(merged, document if isinstance(document, dict) else {})
    return _merged(merged, plan.values)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return both


def rendered(helm: Helm, plan: Plan, values: Sequence[Path], kube_version: str) -> list[dict[str, Any]]:
    """The objects that helm would make of a plan; the cluster is not asked.

    Raises:
        BadInput: the chart refuses these values.
    """
    try:
        return desired.load_documents(helm.template(plan.name, plan.namespace, plan.chart, values, kube_version))
    except CommandError as error:
        said = error.stderr.strip() or error.message
        raise BadInput(f"release {plan.name}: helm cannot render these values: {said}", _files(plan)) from error


def _files(plan: Plan) -> str:
    return f"look at {', '.join(map(str, plan.values_files))}" if plan.values_files else ""


def examine(objects: Sequence[dict[str, Any]], live: Release | None, namespace: str, cluster: Cluster) -> Findings:
    """Looks for what would keep these objects from coming up, or from being upgraded later.

    Args:
        objects: as ``rendered`` gives them.
        live: what is released now; None before the first install.
    """
    found = Findings()
    before = {desired.shown(body): body for body in desired.load_documents(live.manifest)} if live else {}
    workloads = [body for body in objects if body["kind"] in arithmetic.WORKLOADS]
    pods = cluster.kube.list("v1", "Pod", namespace) if workloads else []
    scalers = {
        desired.scale_target(body): body["spec"] for body in objects if body["kind"] == "HorizontalPodAutoscaler"
    }
    for workload in workloads:
        spec = scalers.get(desired.shown(workload))
        old = before.get(desired.shown(workload))
        if cluster.nodes is not None:
            _workload(found, workload, old, namespace, cluster, cluster.nodes, pods, spec)
    problems, warnings = references.missing(
        _references(workloads), _coming(objects, cluster), cluster.lookup(namespace)
    )
    found.problems += problems
    found.warnings += warnings
    if cluster.nodes is None:
        found.warnings.append("nodes may not be listed: whether the pods find room was not looked at")
    for body in objects:
        found.add(_azure_name(body))
    for api, kind in sorted({(body["apiVersion"], body["kind"]) for body in objects}):
        found.add(_served(cluster.kube, api, kind))
    return found


def _served(kube: Kube, api: str, kind: str) -> Problem | None:
    if kube.place_or_none(api, kind) is not None:
        return None
    return Problem(
        f"this cluster knows no {kind} of {api}",
        f"install what brings it (KEDA, cert-manager, an operator), or turn off the value that asks for a {kind}",
    )


def _workload(
    found: Findings,
    workload: dict[str, Any],
    before: dict[str, Any] | None,
    namespace: str,
    cluster: Cluster,
    all_nodes: Sequence[dict[str, Any]],
    pods: Iterable[dict[str, Any]],
    scaler: Mapping[str, Any] | None,
) -> None:
    name = desired.shown(workload)
    template = workload["spec"]["template"]
    selector = workload["spec"].get("selector")
    strangers = [
        pod
        for pod in pods
        if not selectors.matches(selector, pod["metadata"].get("labels") or {})
        and (pod.get("status") or {}).get("phase") not in _GONE
    ]
    live = before["spec"]["template"] if before else None
    fit = nodes.fit(all_nodes, template["spec"])
    found.add(platforms.problem(name, template["spec"], fit.nodes, cluster.platforms))
    room = Room(fit, strangers, live)
    replicas = arithmetic.replicas(workload, scaler)
    if found.add(arithmetic.placed(name, template, namespace, replicas, room)):
        return
    problem = arithmetic.rolled(workload, namespace, replicas, room)
    if problem is not None and before and before["spec"]["template"] == template:
        found.warnings.append(f"{problem.message}; nothing rolls now. Before the next upgrade: {problem.cure}")
    else:
        found.add(problem)
    if scaler and problem is None:
        most = int(scaler["maxReplicas"])
        later = arithmetic.placed(name, template, namespace, most, room) or arithmetic.rolled(
            workload, namespace, most, room
        )
        if later is not None:
            found.warnings.append(f"scaled out to maxReplicas, {later.message}: {later.cure}")


def _references(workloads: Sequence[dict[str, Any]]) -> Iterable[references.Reference]:
    for body in workloads:
        yield from references.of_pod(body["spec"]["template"]["spec"], desired.shown(body))


def _coming(objects: Sequence[dict[str, Any]], cluster: Cluster) -> dict[tuple[str, str], list[str]]:
    coming = {("Secret", name): list(keys) for name, keys in cluster.secrets.items()}
    for body in objects:
        if body["kind"] in ("Secret", "ConfigMap"):
            keys = [key for part in ("data", "stringData", "binaryData") for key in body.get(part) or {}]
            coming[body["kind"], body["metadata"]["name"]] = keys
    return coming


def _azure_name(body: Mapping[str, Any]) -> Problem | None:
    name = (body["metadata"].get("annotations") or {}).get(_AZURE_NAME)
    if name is None or re.fullmatch(_AZURE_PATTERN, str(name)):
        return None
    return Problem(
        f"{body['kind']}/{body['metadata']['name']}: Azure takes no DNS label {str(name)!r} ({_AZURE_NAME})",
        "set 3 to 63 small letters, digits and -, a letter first and no - last; it must be free in the region",
    )
