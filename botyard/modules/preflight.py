"""``botyard.core.preflight``: refuses what could not be installed or upgraded here, before anything is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botyard.contracts import BadInput, Context, Result
from botyard.host import toolbox
from botyard.modules.spec import arg
from botyard.release import charts as packing
from botyard.release import guard, preflight, public, quota, remembered, rights, sensitive, signed_url, values_file
from botyard.release.releases import Plan
from botyard.tools.helm import Chart, Helm, Release
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube

NAME = "botyard.core.preflight"
RETURNS = {
    "examined": "names of the releases that were rendered and looked at; the others are as released",
}
EXAMPLE = """\
- name: What is to be released fits this cluster
  botyard.core.preflight:
    releases:
      - name: myrasa
        namespace: "{{ target.namespace }}"
        chart: "{{ root }}/charts/rasa"
        values_files: ["{{ root }}/values/rasa/base.yaml"]
        values: {replicaCount: 2}
    secrets: {botyard-rasa: [rasa-token, jwt-secret, redis-password]}
"""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One release to come."""

    name: str = arg("name of the release")
    namespace: str = arg("its namespace")
    chart: str = arg("folder of its chart")
    values_files: list[str] = arg("values files, merged as helm does; the last one wins", [])
    values: dict[str, Any] = arg("values that win over the files", {})


@dataclass(frozen=True, kw_only=True)
class Args:
    releases: list[Planned] = arg("what is to be released")
    secrets: dict[str, list[str]] = arg("Secrets that a later task makes: name and keys", {})
    images: dict[str, Any] = arg("images as botyard.core.image returns them: can the nodes run their platform?", {})


def run(args: Args, ctx: Context) -> Result:
    """Reads alone, also in check mode; a release whose chart and values are as installed is not rendered again."""
    plans = {one.name: _plan(one, ctx) for one in args.releases}
    for plan in plans.values():
        ctx.hide(list(plan.hidden))
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        return Result(msg="there is no cluster yet", skipped=True)
    home = ctx.paths.state / "helm"
    kube = Kube(kubeconfig, ctx.target.context)
    with guard.answering(kube), ThreadPoolExecutor(max_workers=len(plans) or 1) as pool:
        live = dict(
            zip(plans, pool.map(lambda plan: recorded(kube, plan.name, plan.namespace), plans.values()), strict=True)
        )
        todo = [name for name, plan in plans.items() if not _as_released(plan, live[name], kube, home, ctx)]
        if not todo:
            return Result(msg="as released", data={"examined": []})
        helm = Helm(toolbox.tool(ctx.paths, "helm"), home)
        built = {str(one["repository"]): str(one["platform"]) for one in args.images.values()}
        cluster = preflight.Cluster(kube, rights.readable(kube, "Node"), args.secrets, built)
        looks = pool.map(lambda name: _examined(helm, plans[name], live[name], cluster, ctx), todo)
        examined = dict(zip(todo, looks, strict=True))
        findings = {name: found for name, (found, _) in examined.items()}
        over, told = quota.problems(
            kube, plans[todo[0]].namespace, {name: asks for name, (_, asks) in examined.items()}
        )
        findings[todo[0]].problems += over
        findings[todo[0]].warnings += told
    for name, found in findings.items():
        found.add(signed_url.problem(preflight.merged_values(plans[name]), datetime.now(UTC)))
        found.raised(name, plans[name].values_files)
    warnings = [f"{name}: {text}" for name, found in findings.items() for text in found.warnings]
    return Result(msg=f"{', '.join(todo)} can be rolled out", data={"examined": todo}, warnings=warnings)


def _as_released(plan: Plan, live: Release | None, kube: Kube, home: Path, ctx: Context) -> bool:
    """By the chart's name where its content is in it; else by what the helm module's last look found as wanted."""
    if preflight.as_released(plan, live, packing.wanted(Path(plan.chart.ref)).released_as):
        return True
    if live is None:
        return False
    helm = Helm(toolbox.tool(ctx.paths, "helm"), home, ctx.kubeconfig, ctx.target.context)
    return remembered.Memory(home / "seen", helm, kube, plan).same(ready=False) is not None


def _examined(
    helm: Helm, plan: Plan, live: Release | None, cluster: preflight.Cluster, ctx: Context
) -> tuple[preflight.Findings, quota.Need]:
    with values_file.on_disk(plan, ctx.paths.state / "helm" / "preflight") as values:
        objects = preflight.rendered(helm, plan, values, _version(cluster))
    found = preflight.examine(objects, live, plan.namespace, cluster)
    for body in objects:
        found.add(public.problem(body, ctx.target.driver, ctx.target.exposure.public))
        found.warnings += filter(None, [public.warning(body, ctx.target.driver)])
    return found, quota.need(objects, live.manifest if live is not None else "")


def _version(cluster: preflight.Cluster) -> str:
    """The Kubernetes that charts are rendered for: the oldest kubelet's, or else the API server's."""
    if cluster.nodes is None:
        return str((cluster.kube.read("/version") or {}).get("gitVersion", ""))
    found = [str(node["status"]["nodeInfo"]["kubeletVersion"]) for node in cluster.nodes]
    return min(found, key=lambda text: [int(part) for part in text.lstrip("v").split("-")[0].split(".")], default="")


def _plan(one: Planned, ctx: Context) -> Plan:
    files = tuple(ctx.basedir / path for path in one.values_files)
    for file in files:
        if not file.is_file():
            raise BadInput(f"release {one.name}: there is no values file {file}", "restore it, or leave it out")
    return Plan(
        name=one.name,
        namespace=one.namespace,
        chart=Chart(str(ctx.basedir / one.chart)),
        values_files=files,
        values=one.values,
        hidden=frozenset({*sensitive.of_values(one.values), *sensitive.of_files(files)}),
    )
