"""``botyard.core.release_unit``: several releases as one: noted before a deploy, put back where it fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from botyard.contracts import BadInput, Context, Result
from botyard.host import toolbox
from botyard.modules.spec import arg
from botyard.release import guard, unit
from botyard.tools.helm import Helm
from botyard.tools.kube import Kube

NAME = "botyard.core.release_unit"
RETURNS = {
    "revisions": "revision of each release, 0 where it is not installed",
    "told": "where it was put back: a line for each release that had moved",
}
EXAMPLE = """\
- name: Where they stand
  botyard.core.release_unit:
    state: noted
    namespace: "{{ target.namespace }}"
    releases: [rasa-action-server, myrasa]
  register: before

- name: All of them back
  botyard.core.release_unit:
    state: restored
    namespace: "{{ target.namespace }}"
    revisions: "{{ before.revisions }}"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["noted", "restored"] = arg("noted only looks; restored takes every release back to its revision")
    namespace: str = arg("of the releases")
    releases: list[str] = arg("with noted: their names, in the order in which they are installed", [])
    revisions: dict[str, int] = arg("with restored: what noted returned", {})
    run_dir: str = arg("with restored: where evidence goes; '' is the folder of this checkout's state", "")


def run(args: Args, ctx: Context) -> Result:
    """Changed where a release was taken back; check mode says which would be."""
    if args.state == "noted" and not args.releases:
        raise BadInput("release_unit: releases is missing", "name the releases that belong together")
    if args.state == "restored" and not args.revisions:
        raise BadInput("release_unit: revisions is missing", "give what state: noted returned")
    if ctx.check and not ctx.kubeconfig.is_file():
        return Result(msg="there is no cluster yet", data={"revisions": dict.fromkeys(args.releases, 0)})
    kube = Kube(ctx.kubeconfig, ctx.target.context)
    with guard.answering(kube):
        if args.state == "noted":
            found = unit.noted(kube, args.namespace, args.releases)
            return Result(
                msg=", ".join(f"{name} {at or 'new'}" for name, at in found.items()), data={"revisions": found}
            )
        moved = unit.changed(kube, args.namespace, args.revisions)
        if ctx.check or not moved:
            return Result(changed=bool(moved), msg=f"would go back: {', '.join(moved)}" if moved else "nothing moved")
        helm = Helm(toolbox.tool(ctx.paths, "helm"), ctx.paths.state / "helm", ctx.kubeconfig, ctx.target.context)
        evidence = Path(args.run_dir or ctx.paths.state) / "diagnostics"
        told = unit.restored(helm, kube, args.namespace, args.revisions, moved, evidence, ctx.progress)
    return Result(changed=True, msg="\n".join(told), data={"told": told})
