"""A minikube cluster of the target's size, with its registry mirrors and our mark."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.host import toolbox
from botyard.host.minikube_cluster import MinikubeDriver
from botyard.modules import own_cluster
from botyard.modules.own_cluster import State
from botyard.modules.spec import arg

NAME = "botyard.core.minikube_cluster"
RETURNS = own_cluster.RETURNS
EXAMPLE = """\
- name: Cluster away
  botyard.core.minikube_cluster:
    state: absent
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: State = arg("whether there is to be a cluster", "present")
    image: str = arg("node image (reference or id); needed for present", "")
    recreate: bool = arg("make it anew where it differs from what is wanted; all in it is lost", False)


def run(args: Args, ctx: Context) -> Result:
    """Makes, reuses, brings back or removes the target's cluster; check mode says which, --diff shows why."""
    driver = MinikubeDriver(
        ctx.paths.state / "kubeconfig",
        lambda: toolbox.tool(ctx.paths, "minikube"),
        ctx.target.kubernetes_version,
        ctx.paths.root / "dockerfiles" / "node" / "manifests",
    )
    return own_cluster.run_cluster(driver, args, ctx)
