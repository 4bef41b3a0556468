"""``botyard.core.guard``: refuses a cluster that is not the one it is meant to be, or where too little is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg
from botyard.release import guard, rights
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
    rights: bool = arg("whoever is logged in must be allowed what a deploy does (in check mode: what it reads)", False)


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing; in check mode it is skipped where there is no cluster yet."""
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        return Result(msg="there is no cluster yet", skipped=True)
    kube = Kube(kubeconfig, ctx.target.context)
    told, warnings = [], []
    if args.mark:
        guard.require_mark(kube, ctx.target.cluster)
        told.append(f"{ctx.target.context} is a cluster of ours")
    if args.rights:
        namespace = ctx.target.namespace
        verdicts = rights.ask(kube, namespace, reading=ctx.check)
        warnings = rights.require(verdicts, ctx.target.name, namespace)
        told.append(f"{len(verdicts) - len(warnings)} of {len(verdicts)} rights are there, in namespace {namespace}")
    return Result(msg="; ".join(told) or "nothing asked", data={"context": ctx.target.context}, warnings=warnings)
