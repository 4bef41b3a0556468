"""``kubernetes.core.helm``: one release, installed, upgraded or removed; waits and says what blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botyard.contracts import BadInput, Context, Result
from botyard.host import toolbox
from botyard.modules.spec import arg
from botyard.release import guard, releases, remembered, rollout, sensitive, values_file
from botyard.tools.helm import Chart, Helm, Release
from botyard.tools.kube import Kube

NAME = "kubernetes.core.helm"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
RETURNS = {
    "status": "name, namespace, revision and status of the release; nothing where check mode would change it",
}
EXAMPLE = """\
- name: Release
  kubernetes.core.helm:
    release_name: myrasa
    release_namespace: "{{ target.namespace }}"
    chart_ref: "{{ root }}/charts/rasa"
    release_values: {replicaCount: 2}
    wait: true
    wait_timeout: 600s
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    release_name: str = arg("name of the release", aliases=("name",))
    release_namespace: str = arg("its namespace", aliases=("namespace",))
    chart_ref: str = arg("chart: repository/name, folder, archive or oci:// address", "")
    chart_version: str = arg("version of the chart; without it the newest", "")
    values_files: list[str] = arg("values files, merged by helm; the last one wins", [])
    release_values: dict[str, Any] = arg("values that win over the files", {}, aliases=("values",))
    create_namespace: bool = arg("make the namespace where it is missing", False)
    wait: bool = arg("wait until everything is ready", False)
    wait_timeout: str = arg("how long to wait, as in 300s or 5m", "300s")
    state: Literal["present", "absent"] = arg("wanted state", "present", aliases=("release_state",))
    reuse_values: bool = arg("start from the values of the last revision", False)
    reset_values: bool = arg("start from the chart's own values, so a key that is gone here is gone there", True)
    binary_path: str = arg("a helm of your own, 3.13 or newer; without it the one of this checkout", "")


def run(args: Args, ctx: Context) -> Result:
    """Changed is decided from rendered manifest, hooks, values, chart version and drift; check mode only compares."""
    if args.state == "present" and not args.chart_ref:
        raise BadInput(f"release {args.release_name}: chart_ref is missing")
    plan = _plan(args, ctx)
    ctx.hide(list(plan.hidden))
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        return Result(changed=args.state == "present", msg="there is no cluster yet")
    home = ctx.paths.state / "helm"
    helm = Helm(binary(args.binary_path, ctx), home, kubeconfig, ctx.target.context)
    if args.state == "absent":
        return _absent(helm, plan, ctx)
    kube = Kube(kubeconfig, ctx.target.context)
    evidence = _evidence(ctx) / args.release_name
    memory = remembered.Memory(home / "seen", helm, kube, plan)
    with guard.answering(kube):
        known = memory.same(ready=plan.wait_s is not None and not ctx.check)
        if known is not None:
            ctx.hide(list(known.hidden))
            return _as_wanted(known.release)
        if not ctx.check:
            memory.before_a_look()
    with guard.answering(kube), values_file.on_disk(plan, home / "values") as values:
        decision = releases.decide(helm, kube, plan, values, check=ctx.check)
        if not ctx.check:
            memory.keep(decision)
        plan = decision.known_to(plan)
        ctx.hide(list(plan.hidden))
        diff = list(decision.diff) if ctx.diff else []
        warnings = [decision.warning] if decision.warning else []
        if not decision.why and decision.live is not None:
            if plan.wait_s is not None and not ctx.check:
                rollout.await_ready(kube, plan, decision.live, evidence, ctx.progress)
            return _as_wanted(decision.live)
        if ctx.check:
            return Result(changed=True, msg=decision.why, diff=diff, warnings=warnings)
        ctx.progress(f"{plan.name}: {decision.why}")
        if decision.live is not None and decision.live.pending:
            left = evidence.with_name(f"{plan.name}-was-{decision.live.status}")
            rollout.recover(helm, kube, plan, decision.live, left, ctx.progress)
        done = rollout.act(helm, kube, plan, values, evidence, ctx.progress)
    return Result(changed=True, msg=f"revision {done.revision}: {decision.why}", data=_data(done), diff=diff)


def _as_wanted(release: Release) -> Result:
    return Result(msg=f"revision {release.revision} is as wanted", data=_data(release))


def _absent(helm: Helm, plan: releases.Plan, ctx: Context) -> Result:
    live = helm.status(plan.name, plan.namespace)
    if live is not None and not ctx.check:
        helm.uninstall(plan.name, plan.namespace)
    return Result(changed=live is not None, msg="removed" if live else "not there")


def _plan(args: Args, ctx: Context) -> releases.Plan:
    files = tuple(path if path.is_absolute() else ctx.basedir / path for path in map(Path, args.values_files))
    for file in files:
        if not file.is_file():
            raise BadInput(f"release {args.release_name}: there is no values file {file}")
    # As helm reads it: a folder or archive that is there comes before a repository of that name.
    local = ctx.basedir / args.chart_ref
    ref = str(local) if args.chart_ref and local.exists() else args.chart_ref
    return releases.Plan(
        name=args.release_name,
        namespace=args.release_namespace,
        chart=Chart(ref, args.chart_version),
        values_files=files,
        values=args.release_values,
        reuse_values=args.reuse_values,
        reset_values=args.reset_values,
        create_namespace=args.create_namespace,
        wait_s=seconds(args.wait_timeout) if args.wait else None,
        hidden=frozenset({*sensitive.of_values(args.release_values), *sensitive.of_files(files)}),
    )


def binary(given: str, ctx: Context) -> Path:
    """The helm that a playbook names (relative to it), else this checkout's own.

    Raises:
        BadInput: there is no such file.
    """
    if not given:
        return toolbox.tool(ctx.paths, "helm")
    path = ctx.basedir / Path(given).expanduser()
    if not path.is_file():
        raise BadInput(f"binary_path: there is no program {path}", "give the path of a helm, or leave it out")
    return path


def seconds(text: str) -> int:
    """Seconds in ``90``, ``90s``, ``5m`` or ``1h``."""
    match = re.fullmatch(r"(\d+)([smh]?)", text.strip())
    if match is None:
        raise BadInput(f"wait_timeout {text!r} is no duration", "write it as in 300s or 5m")
    return int(match[1]) * _UNITS[match[2]]


def _evidence(ctx: Context) -> Path:
    """The newest run's folder: that is the run which is going on."""
    runs = ctx.paths.state / "runs"
    newest = max((f for f in runs.iterdir() if f.is_dir()), default=None) if runs.is_dir() else None
    return (newest or ctx.paths.state) / "diagnostics"


def _data(release: Release) -> dict[str, Any]:
    status = {"name": release.name, "namespace": release.namespace, "revision": str(release.revision)}
    return {"status": {**status, "status": release.status}}
