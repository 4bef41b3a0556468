"""The image that Dockerfiles start from (ARG BASE)."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.host import base_image, lockfile, sources, upstream
from botyard.modules.spec import arg
from botyard.targets import Target

NAME = "botyard.core.base_image"
RETURNS = {
    "ref": "name to build from",
    "id": "its id; empty in check mode where it is missing",
}
EXAMPLE = """\
- name: Base image
  botyard.core.base_image:
    name: debian:bookworm-slim
  register: base
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    name: str = arg("name of the base image", "debian:bookworm-slim")


def run(args: Args, ctx: Context) -> Result:
    """Makes the base image from Debian packages, or pulls the pinned one; check mode says whether it would."""
    target: Target = ctx.target
    if sources.choose(ctx.paths, target, write=not ctx.check).mode == "registries":
        pinned = upstream.base(lockfile.read(ctx.paths.root), args.name)
        there = upstream.observe(pinned, target.sources.mirror)
        if there is not None:
            return Result(msg=f"{there.ref} is there", data={"ref": there.ref, "id": there.id})
        ref = upstream.reference(pinned, target.sources.mirror)
        if ctx.check:
            return Result(changed=True, msg=f"would pull {ref}", data={"ref": ref, "id": ""})
        pulled = upstream.pull(pinned, target.sources.mirror, ctx.progress)
        return Result(changed=True, msg=f"pulled {ref}", data={"ref": pulled.ref, "id": pulled.id})
    found = base_image.observe(args.name)
    if found is not None:
        whose = "made from Debian packages" if found.ours else "pulled by you, used as it is"
        return Result(msg=f"{args.name} is there ({whose})", data={"ref": found.ref, "id": found.id})
    if ctx.check:
        return Result(changed=True, msg=f"would make {args.name} by debootstrap", data={"ref": args.name, "id": ""})
    made = base_image.make(args.name, ctx.paths.cache, ctx.progress)
    return Result(changed=True, msg=f"{args.name} made from Debian packages", data={"ref": made.ref, "id": made.id})
