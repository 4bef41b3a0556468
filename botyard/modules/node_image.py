"""The image that a cluster's nodes run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import LABEL_KEY, BotyardError, Context, Result
from botyard.host import lockfile, minikube_image, node_image, recipe, sources, toolbox, upstream
from botyard.modules.spec import arg
from botyard.targets import Target
from botyard.tools import docker

NAME = "botyard.core.node_image"
TOOLS = ("kubernetes", "etcd", "coredns", "local-path-provisioner")
MINIKUBE_TOOLS = ("crictl",)
CGROUP_V2 = Path("/sys/fs/cgroup/cgroup.controllers")
RETURNS = {
    "ref": "name of the image",
    "version": "Kubernetes version in it",
}
EXAMPLE = """\
- name: Node image
  botyard.core.node_image:
    base: debian:bookworm-slim
  register: node
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    base: str = arg("base image that it is built on (from packages)")


def run(args: Args, ctx: Context) -> Result:
    """Builds the node image from packages, or pulls upstream's pinned one; check mode says whether it would."""
    target: Target = ctx.target
    if sources.choose(ctx.paths, target, write=not ctx.check).mode == "registries":
        return _pulled(target, ctx)
    node, key = _built(args, ctx, target)
    return _minikubes(node, key, ctx, target) if target.driver == "minikube" else node


def _built(args: Args, ctx: Context, target: Target) -> tuple[Result, str]:
    """The node image of kind, and its content key; '' where check mode has no base to tell it from."""
    made = [one for one in toolbox.ensure(ctx.paths, target, TOOLS, ctx.progress, check=ctx.check) if one.changed]
    base = docker.image(args.base)
    version = target.kubernetes_version
    ref = node_image.tag(version)
    data = {"ref": ref, "version": version}
    if base is None:
        if ctx.check:
            return Result(changed=True, msg=f"would build {ref}", data=data), ""
        raise BotyardError(f"there is no base image {args.base}", "run the task that makes it: botyard.core.base_image")
    dockerfiles = ctx.paths.root / "dockerfiles" / "node"
    base_key = str((base.labels or {}).get(LABEL_KEY) or base.id)
    key = node_image.key(dockerfiles, [recipe.RECIPES[name].folder for name in ("kind", *TOOLS)], base_key, version)
    if node_image.observe(version, key) is not None:
        return Result(changed=bool(made) and not ctx.check, msg=f"{ref} is up to date", data=data), key
    if ctx.check:
        return Result(changed=True, msg=f"would build {ref}", data=data), key
    node_image.build(
        dockerfiles=dockerfiles,
        kind_recipe=recipe.RECIPES["kind"].folder,
        programs=lambda name: toolbox.tool(ctx.paths, name),
        base=args.base,
        version=version,
        image_key=key,
        cache=ctx.paths.cache,
        progress=ctx.progress,
    )
    return Result(changed=True, msg=f"built {ref}", data=data), key


def _minikubes(node: Result, node_key: str, ctx: Context, target: Target) -> Result:
    """minikube's image on top of kind's."""
    tools = toolbox.ensure(ctx.paths, target, MINIKUBE_TOOLS, ctx.progress, check=ctx.check)
    version = target.kubernetes_version
    ref = minikube_image.tag(version)
    data = {"ref": ref, "version": version}
    dockerfiles = ctx.paths.root / "dockerfiles"
    key = minikube_image.key(dockerfiles, node_key, version)
    if minikube_image.observe(version, key):
        made = (node.changed or any(one.changed for one in tools)) and not ctx.check
        return Result(changed=made, msg=f"{ref} is up to date", data=data)
    if ctx.check:
        return Result(changed=True, msg=f"would build {ref}", data=data)
    minikube_image.build(
        dockerfiles=dockerfiles,
        programs=lambda name: toolbox.tool(ctx.paths, name),
        base=node.data["ref"],
        version=version,
        image_key=key,
        cache=ctx.paths.cache,
        progress=ctx.progress,
    )
    return Result(changed=True, msg=f"built {ref}", data=data)


def _pulled(target: Target, ctx: Context) -> Result:
    version, pinned = upstream.node(lockfile.read(ctx.paths.root), target.kubernetes_version)
    warnings = []
    if version != target.kubernetes_version:
        warnings.append(f"upstream's node image runs Kubernetes {version}, not {target.kubernetes_version}: same minor")
    if Path("/sys/fs/cgroup").is_dir() and not CGROUP_V2.exists() and not version.startswith("v1.34."):
        warnings.append(
            f"this machine has cgroup v1, which Kubernetes {version} may refuse: v1.34 is the newest that starts"
        )
    there = upstream.observe(pinned, target.sources.mirror)
    changed = there is None
    ref = upstream.reference(pinned, target.sources.mirror)
    if changed and not ctx.check:
        upstream.pull(pinned, target.sources.mirror, ctx.progress)
    msg = f"{ref} is there" if not changed else f"would pull {ref}" if ctx.check else f"pulled {ref}"
    return Result(changed=changed, msg=msg, data={"ref": ref, "version": version}, warnings=warnings)
