"""``botyard.core.tool``: programs are there, built from Go modules or downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import Context, Result
from botyard.host import toolbox
from botyard.modules.spec import arg

NAME = "botyard.core.tool"
RETURNS = {
    "tools": "path of each program by its name",
}
EXAMPLE = """\
- name: Programs
  botyard.core.tool:
    names: [kind, helm]
  register: programs
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    names: list[
        Literal["kind", "minikube", "kubernetes", "helm", "etcd", "coredns", "local-path-provisioner", "metrics-server"]
    ] = arg("programs wanted; kubernetes stands for its seven programs (from registries: for kubectl alone)")


def run(args: Args, ctx: Context) -> Result:
    """Builds from Go modules or downloads what is missing, with checksums; check mode says what it would make."""
    tools = toolbox.ensure(ctx.paths, ctx.target, args.names, ctx.progress, check=ctx.check)
    made = sorted({one.name for one in tools if one.changed})
    verb = "would make" if ctx.check else "made"
    msg = f"{verb} {', '.join(made)}" if made else f"all {len(tools)} programs are there"
    return Result(changed=bool(made), msg=msg, data={"tools": {one.name: str(one.path) for one in tools}})
