"""What the modules that make a cluster (kind_cluster, minikube_cluster) have in common."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from filelock import FileLock

from botyard.contracts import LABEL_KEY, BadInput, Context, Result
from botyard.host import cluster_spec, mirror, own_cluster
from botyard.host.cluster_driver import Driver
from botyard.host.own_cluster import Plan
from botyard.modules.spec import arg
from botyard.targets import Target
from botyard.tools import docker

State = Literal["present", "absent"]
LOCK_TIMEOUT_S = 900  # another run is making the same cluster
RETURNS = {
    "control_plane_ip": "address of the control plane in the Docker network; empty in check mode where it would change",
    "nodes": "names of the nodes",
    "created": "whether it was made just now",
    "seconds": "how long that took",
}


@dataclass(frozen=True, kw_only=True)
class Args:
    """The arguments of both."""

    state: State = arg("whether there is to be a cluster", "present")
    image: str = arg("node image (reference or id); needed for present", "")
    recreate: bool = arg("make it anew where it differs from what is wanted; all in it is lost", False)


def run_cluster(driver: Driver, args: Args, ctx: Context) -> Result:
    """Makes, reuses, brings back or removes the target's cluster.

    Raises:
        BadInput: no image is given, or what is there is not ours or has another spec.
        BotyardError: it does not come up.
    """
    target: Target = ctx.target
    if target.driver != driver.name:
        raise BadInput(
            f"target {target.name} is of driver {target.driver}, not {driver.name}",
            f"run botyard.core.{target.driver}_cluster for it, as playbooks/cluster.yml does by when",
        )
    if args.state == "absent":
        if docker.engine_answers():
            changed = own_cluster.remove(driver, target.cluster, target.network, check=ctx.check)
        else:  # what went with its engine left this file here
            changed = driver.kubeconfig.exists()
            if not ctx.check:
                driver.kubeconfig.unlink(missing_ok=True)
        done = ("would be removed" if ctx.check else "removed") if changed else "not there"
        return Result(changed=changed, msg=f"cluster {target.cluster}: {done}")
    if not args.image:
        raise BadInput(f"botyard.core.{driver.name}_cluster: image is missing", "give the image that its nodes run")
    if ctx.check:
        return _present(driver, args, ctx, target)
    ctx.paths.cache.mkdir(parents=True, exist_ok=True)
    with FileLock(ctx.paths.cache / f"cluster-{target.cluster}.lock", timeout=LOCK_TIMEOUT_S):
        return _present(driver, args, ctx, target)


def _present(driver: Driver, args: Args, ctx: Context, target: Target) -> Result:
    started = time.monotonic()
    node_image = docker.image(args.image)
    key = "" if node_image is None else str((node_image.labels or {}).get(LABEL_KEY) or node_image.id)
    spec = cluster_spec.spec_of(target, key or args.image)
    found = own_cluster.observe(driver, spec, recreate=args.recreate)
    diffs = [found.diff] if found.diff is not None else []
    warnings = [line] if (line := mirror.warning(target.sources.mirror)) else []
    if ctx.check:
        changed = found.plan is not Plan.KEEP
        # Later tasks name the address; a cluster that is yet to come up has none.
        address = "" if changed else own_cluster.control_plane_ip(driver, spec.name, spec.network)
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
        own_cluster.confirm(spec.name)
    else:
        done = own_cluster.act(driver, found, spec, args.image, recreate=args.recreate, progress=ctx.progress)
    seconds = time.monotonic() - started
    created = done not in (Plan.KEEP, Plan.HEAL)
    if created and done is not Plan.CREATE:
        warnings.append(f"cluster {spec.name}: {done.value}")
    return Result(
        changed=done is not Plan.KEEP,
        msg=f"cluster {spec.name}: {1 + spec.workers} nodes Ready, DNS up, in {seconds:.1f} s",
        data={
            "control_plane_ip": own_cluster.control_plane_ip(driver, spec.name, spec.network),
            "nodes": [str(node.name) for node in driver.nodes(spec.name)],
            "created": created,
            "seconds": round(seconds, 1),
        },
        diff=diffs,
        warnings=warnings,
    )
