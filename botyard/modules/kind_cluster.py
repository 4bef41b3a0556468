"""A kind cluster of the target's size, with its registry mirrors and our mark."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from botyard.contracts import LABEL_KEY, BadInput, Context, Result
from botyard.host import cluster_spec, kind_cluster, mirror, toolbox
from botyard.host.kind_cluster import Plan
from botyard.modules.spec import arg
from botyard.targets import Target
from botyard.tools import docker
from botyard.tools.kind import Kind

NAME = "botyard.core.kind_cluster"
LOCK_TIMEOUT_S = 900  # another run is making the same cluster
RETURNS = {
    "control_plane_ip": "address of the control plane in the Docker network; empty in check mode where it would change",
    "nodes": "names of the nodes",
    "created": "whether it was made just now",
    "seconds": "how long that took",
}
EXAMPLE = """\
- name: Cluster away
  botyard.core.kind_cluster:
    state: absent
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["present", "absent"] = arg("whether there is to be a cluster", "present")
    image: str = arg("node image (reference or id); needed for present", "")
    recreate: bool = arg("make it anew where it differs from what is wanted; all in it is lost", False)


def run(args: Args, ctx: Context) -> Result:
    """Makes, reuses, brings back or removes the target's cluster; check mode says which, --diff shows why."""
    target: Target = ctx.target
    kubeconfig = ctx.paths.state / "kubeconfig"
    if args.state == "absent":
        if docker.engine_answers():
            changed = kind_cluster.remove(target.cluster, target.network, kubeconfig, check=ctx.check)
        else:  # what went with its engine left this file here
            changed = kubeconfig.exists()
            if not ctx.check:
                kubeconfig.unlink(missing_ok=True)
        done = ("would be removed" if ctx.check else "removed") if changed else "not there"
        return Result(changed=changed, msg=f"cluster {target.cluster}: {done}")
    if not args.image:
        raise BadInput("botyard.core.kind_cluster: image is missing", "give the node image that the cluster runs")
    if ctx.check:
        return _present(args, ctx, target, kubeconfig)
    ctx.paths.cache.mkdir(parents=True, exist_ok=True)
    with FileLock(ctx.paths.cache / f"cluster-{target.cluster}.lock", timeout=LOCK_TIMEOUT_S):
        return _present(args, ctx, target, kubeconfig)


def _present(args: Args, ctx: Context, target: Target, kubeconfig: Path) -> Result:
    started = time.monotonic()
    node_image = docker.image(args.image)
    key = "" if node_image is None else str((node_image.labels or {}).get(LABEL_KEY) or node_image.id)
    spec = cluster_spec.spec_of(target, key or args.image)
    found = kind_cluster.observe(spec, kubeconfig, recreate=args.recreate)
    diffs = [found.diff] if found.diff is not None else []
    warnings = [line] if (line := mirror.warning(target.sources.mirror)) else []
    if ctx.check:
        changed = found.plan is not Plan.KEEP
        # Later tasks name the address; a cluster that is yet to come up has none.
        address = "" if changed else kind_cluster.control_plane_ip(spec.name, spec.network)
        data = {"control_plane_ip": address, "nodes": [str(node.name) for node in found.nodes]}
        return Result(
            changed=changed,
            msg=f"cluster {spec.name}: {found.plan.value}",
            data={**data, "created": False, "seconds": 0.0},
            diff=diffs,
            warnings=warnings,
        )
    if found.plan is Plan.KEEP:
        done = Plan.KEEP
        kind_cluster.confirm(spec.name)
    else:
        kind = Kind(toolbox.tool(ctx.paths, "kind"), kubeconfig, target.network)
        done = kind_cluster.act(found, spec, args.image, kind, recreate=args.recreate, progress=ctx.progress)
    seconds = time.monotonic() - started
    created = done not in (Plan.KEEP, Plan.HEAL)
    if created and done is not Plan.CREATE:
        warnings.append(f"cluster {spec.name}: {done.value}")
    return Result(
        changed=done is not Plan.KEEP,
        msg=f"cluster {spec.name}: {1 + spec.workers} nodes Ready, DNS up, in {seconds:.1f} s",
        data={
            "control_plane_ip": kind_cluster.control_plane_ip(spec.name, spec.network),
            "nodes": [str(node.name) for node in kind_cluster.nodes_of(spec.name)],
            "created": created,
            "seconds": round(seconds, 1),
        },
        diff=diffs,
        warnings=warnings,
    )
