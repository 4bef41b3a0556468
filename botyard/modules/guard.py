"""``botyard.core.guard``: refuses a cluster that is not the one it is meant to be."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg
from botyard.release import guard
from botyard.tools.kube import Kube

NAME = "botyard.core.guard"
RETURNS = {
    "context": "the context that was looked at",
}
EXAMPLE = """\
- name: This cluster carries our mark
  botyard.core.guard:
    mark: true
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    mark: bool = arg("the cluster must carry botyard's mark (ConfigMap kube-system/botyard)", True)


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing; in check mode it is skipped where there is no cluster yet."""
    if not args.mark:
        return Result(msg="nothing asked")
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        return Result(msg="there is no cluster yet", skipped=True)
    guard.require_mark(Kube(kubeconfig, ctx.target.context), ctx.target.cluster)
    return Result(msg=f"{ctx.target.context} is a cluster of ours", data={"context": ctx.target.context})
