"""A minikube cluster of the target's size, with its registry mirrors and our mark."""

from __future__ import annotations

from botyard.contracts import Context, Result
from botyard.host import toolbox
from botyard.host.minikube_cluster import MinikubeDriver
from botyard.modules import own_cluster
from botyard.modules.own_cluster import RETURNS, Args

__all__ = ["EXAMPLE", "NAME", "RETURNS", "Args", "run"]
NAME = "botyard.core.minikube_cluster"
EXAMPLE = """\
- name: Cluster away
  botyard.core.minikube_cluster:
    state: absent
"""


def run(args: Args, ctx: Context) -> Result:
    """Makes, reuses, brings back or removes the target's cluster; check mode says which, --diff shows why."""
    driver = MinikubeDriver(
        ctx.paths.state / "kubeconfig",
        lambda: toolbox.tool(ctx.paths, "minikube"),
        ctx.target.kubernetes_version,
        ctx.paths.root / "dockerfiles" / "node" / "manifests",
    )
    return own_cluster.run_cluster(driver, args, ctx)
