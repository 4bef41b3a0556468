"""``botyard.core.diagnostics``: events, descriptions and logs of a namespace's pods, into a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import Context, Result
from botyard.modules.spec import arg
from botyard.release import diagnostics, guard
from botyard.tools.kube import Kube

NAME = "botyard.core.diagnostics"
RETURNS = {
    "dest": "the folder",
    "summary": "what was found, in a few lines; empty in check mode",
}
EXAMPLE = """\
- name: Evidence
  botyard.core.diagnostics:
    namespace: "{{ target.namespace }}"
    dest: "{{ run_dir }}/diagnostics"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    namespace: str = arg("whose pods")
    dest: str = arg("folder to write into; made where it is missing")


def run(args: Args, ctx: Context) -> Result:
    """Never counts as a change, as evidence is none of what is observed; check mode writes nothing."""
    folder = Path(args.dest)
    if not folder.is_absolute():
        folder = ctx.paths.root / folder
    data = {"dest": str(folder), "summary": ""}
    if ctx.check:
        return Result(msg=f"would write to {folder}", data=data)
    kube = Kube(ctx.kubeconfig, ctx.target.context)
    with guard.answering(kube):
        data["summary"] = diagnostics.collect(kube, args.namespace, folder)
    # Evidence is no change of what is observed.
    return Result(msg=f"events, pods and logs of {args.namespace} are in {folder}", data=data)
