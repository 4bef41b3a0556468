"""botyard.core.image: images built from Dockerfiles when their inputs changed, and pushed by digest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.contracts import Context, Result
from botyard.host import images, registry_place
from botyard.host.image_context import Added, ImageSpec
from botyard.modules.spec import arg

NAME = "botyard.core.image"
RETURNS = {
    "refs": "by image name: what to pull, by digest where it was pushed",
    "images": "by image name: local, repository, digest, ref, id, size_mb, platform (as linux/amd64)",
}
EXAMPLE = """\
- name: Build and push
  botyard.core.image:
    images:
      - name: action-server
        context: "{{ root }}/dockerfiles/action-server"
        build_args: {BASE: "debian:bookworm-slim"}
        add:
          - {src: "{{ root }}/dockerfiles/shared", dest: shared}
          - {src: "{{ bot.actions }}", dest: actions}
  register: images

- name: Say the digest
  ansible.builtin.debug:
    var: images.images['action-server'].digest
"""


@dataclass(frozen=True, kw_only=True)
class AddedFile:
    """A file or folder put into the build context."""

    src: str = arg("file or folder; relative paths start at the playbook's folder")
    dest: str = arg("its path inside the build context")
    optional: bool = arg("leave it out where it does not exist", False)


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image."""

    name: str = arg("what it is called, after botyard/")
    context: str = arg("folder with the Dockerfile and what belongs to it")
    build_args: dict[str, str | list[str] | None] = arg("build arguments; a list is joined by spaces", {})
    add: list[AddedFile] = arg("more files for the build context", [])


@dataclass(frozen=True, kw_only=True)
class Args:
    images: list[Image] = arg("the images that are wanted; missing ones are built side by side")
    push: bool = arg("push them to the target's registry and return digests", True)


def _spec(image: Image, basedir: Path) -> ImageSpec:
    build_args = {k: " ".join(v) if isinstance(v, list) else v or "" for k, v in image.build_args.items()}
    added = [Added(basedir / one.src, one.dest, one.optional) for one in image.add]
    return ImageSpec(image.name, basedir / image.context, build_args, added)


def run(args: Args, ctx: Context) -> Result:
    """Changed is decided by what goes into each image; check mode says what it would build and push."""
    specs = [_spec(image, ctx.basedir) for image in args.images]
    place = registry_place.of(ctx.target) if args.push else None
    if place is not None and not ctx.target.ours:
        images.must_be_let_in(place, specs)
    seen = images.observe(specs, place, base_must_exist=not ctx.check)
    to_build = [one.name for one in seen if not one.is_built]
    to_push = [one.name for one in seen if place is not None and not one.is_pushed]
    if not ctx.check:
        # Built even where nothing is missing: a "latest" that points elsewhere is put right.
        scratch, locks = ctx.paths.state / "build", ctx.paths.cache / "locks"
        seen = images.act(seen, scratch, locks, ctx.progress)
    verb = "would be " if ctx.check else ""
    parts = [f"{verb}built: {', '.join(to_build)}"] if to_build else []
    parts += [f"{verb}pushed: {', '.join(to_push)}"] if to_push else []
    data: dict[str, Any] = {
        "refs": {one.name: one.ref for one in seen},
        "images": {one.name: one.as_data() for one in seen},
    }
    return Result(changed=bool(to_build or to_push), msg="; ".join(parts) or "nothing changed", data=data)
