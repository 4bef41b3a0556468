"""``botyard.core.addons``: metrics-server and a load balancer in the target's cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botyard.contracts import Context, Diff, Result
from botyard.host import addons, metrics_api
from botyard.modules.spec import arg
from botyard.release import desired, guard
from botyard.targets import Target
from botyard.tools.kube import Kube

NAME = "botyard.core.addons"
RETURNS = {
    "images": "by add-on: the image that its pod runs, by digest; not in check mode where it would be made",
}
EXAMPLE = """\
- name: Add-ons of the cluster
  botyard.core.addons:
    base: "{{ base.ref }}"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    base: str = arg("base image that the load balancer's image is built on")


def run(args: Args, ctx: Context) -> Result:
    """Builds and applies what differs, waits until the metrics API answers; check mode only compares."""
    target: Target = ctx.target
    found = addons.provide(ctx.paths, target, args.base, ctx.progress, check=ctx.check)
    data = {"images": dict(found.refs)}
    would = "would be " if ctx.check else ""
    parts = [f"{would}built or pushed: {', '.join(found.made)}"] if found.made else []
    if ctx.check and not ctx.kubeconfig.is_file():
        return Result(changed=True, msg="; ".join([*parts, "there is no cluster yet"]), data=data)
    kube = Kube(ctx.kubeconfig, target.context)
    if ctx.check and not kube.answers():  # an earlier task would bring it back
        return Result(changed=True, msg="; ".join([*parts, "the cluster does not answer yet"]), data=data)
    with guard.answering(kube):
        diffs = _applied(kube, _bodies(found.refs), ctx)
        if not ctx.check:
            metrics_api.wait(kube, ctx.progress)
    if diffs:
        parts.append(f"{would}applied: {', '.join(diff.header for diff in diffs)}")
    return Result(
        changed=bool(parts),
        msg="; ".join(parts) or f"{' and '.join(addons.ADDONS)} are as wanted",
        data=data,
        diff=diffs if ctx.diff else [],
    )


def _bodies(refs: Mapping[str, str]) -> list[dict[str, Any]]:
    files = [addons.MANIFESTS / f"{name}.yaml" for name in addons.ADDONS]
    return addons.wanted([body for file in files for body in desired.load_documents(file)], refs)


def _applied(kube: Kube, bodies: list[dict[str, Any]], ctx: Context) -> list[Diff]:
    diffs: list[Diff] = []
    if addons.all_there(kube, bodies):
        return diffs
    for body in bodies:
        diff = desired.difference(kube, body)
        if diff is not None:
            diffs.append(diff)
            if not ctx.check:
                desired.applied(kube, body)
    return diffs
