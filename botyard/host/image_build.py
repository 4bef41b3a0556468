"""Builds an image that is wanted where no local image carries its content key."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import LABEL_KEY, BotyardError, CommandError
from botyard.host import image_context
from botyard.host.image_context import ImageSpec
from botyard.tools import docker

PREFIX = "botyard"
BUILD_TIMEOUT_S = 3600.0
KEPT_TAGS = 4  # of each image, latest among them: going back to another bot or commit is quick, and the disk stays free
PRINTED_CHARS = 300  # of each line of a failed step
# "Step 3/30 : RUN ..." of the classic builder, "#9 [build 3/6] RUN ..." of BuildKit.
_STEP = re.compile(r"^(?:Step (\d+/\d+) :|#\d+ \[((?:[\w.-]+ )?\d+/\d+)\]) (.{0,60})")

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Wanted:
    """One image as it should be.

    Args:
        key: its content key.
        id: id of the local image that carries the key, or empty.
        size_bytes: unpacked size of that image.
        platform: what it runs on, as ``linux/amd64``; empty where its base is not here.
    """

    spec: ImageSpec
    key: str
    id: str = ""
    size_bytes: int = 0
    platform: str = ""

    @property
    def repository(self) -> str:
        return f"{PREFIX}/{self.spec.name}"

    @property
    def tag(self) -> str:
        return self.key[:12]

    @property
    def local(self) -> str:
        """The tag under which this machine's engine knows it."""
        return f"{self.repository}:{self.tag}"

    @property
    def is_built(self) -> bool:
        return bool(self.id)


def _base(spec: ImageSpec, *, must_exist: bool) -> tuple[str, str]:
    """(id, platform) of the image that BASE names; both empty where it may be missing and is.

    Raises:
        BotyardError: there is none on this machine.
    """
    name = spec.build_args.get("BASE", "")
    if not name:
        return "", ""
    found = docker.image(name)
    if found is None and not must_exist:
        return "", ""
    if found is None:
        raise BotyardError(
            f"image {spec.name}: its base image {name} is not on this machine", "run playbooks/services.yml"
        )
    return str(found.id), f"{found.attrs['Os']}/{found.attrs['Architecture']}"


def observe(spec: ImageSpec, *, base_must_exist: bool = True) -> Wanted:
    """Which image is wanted and whether this machine has it; without its base (check mode) it has not."""
    base_id, platform = _base(spec, must_exist=base_must_exist)
    wanted = Wanted(spec, image_context.content_key(spec, base_id, platform), platform=platform)
    found = docker.image(wanted.local)
    if found is None or (found.labels or {}).get(LABEL_KEY) != wanted.key:
        return wanted
    return dataclasses.replace(wanted, id=str(found.id), size_bytes=int(found.attrs["Size"]))


def _progress(name: str, tell: Callable[[str], None]) -> Callable[[str], None]:
    def on_line(line: str) -> None:
        step = _STEP.match(line)
        if step:
            tell(f"{name}: step {step[1] or step[2]} {step[3].strip()}")

    return on_line


def build(wanted: Wanted, scratch: Path, tell: Callable[[str], None]) -> Wanted:
    """Builds one image; the tag appears only when it is whole.

    Args:
        scratch: folder for build contexts; the one of this image is made anew and removed.

    Raises:
        BotyardError: the build failed; the message ends with what the failing step printed.
    """
    spec = wanted.spec
    context = scratch / spec.name
    image_context.assemble(spec, context, image_context.extra_ca(os.environ))
    try:
        image_id = docker.build(
            context,
            wanted.local,
            build_args=spec.build_args,
            labels={LABEL_KEY: wanted.key},
            pass_env=image_context.passed_on(spec, os.environ),
            timeout_s=BUILD_TIMEOUT_S,
            on_line=_progress(spec.name, tell),
        )
    except CommandError as error:
        plain = _COLOUR.sub("", f"{error.stderr}\n{error.stdout}")
        printed = [line[:PRINTED_CHARS] for line in plain.splitlines() if line.strip()][-25:]
        raise BotyardError(
            f"image {spec.name} could not be built from {spec.context}:\n" + "\n".join(f"  {line}" for line in printed),
            f"look at the last lines above; the build context is in {context}",
        ) from error
    image_context.remove(context)
    made = docker.image(image_id)
    if made is None:
        raise BotyardError(f"image {spec.name} was built but is gone", "is something removing images? run it again")
    return Wanted(spec, wanted.key, image_id, int(made.attrs["Size"]))


def point_latest(one: Wanted) -> None:
    """Lets ``botyard/<name>:latest`` point to this image, for people."""
    latest = docker.image(f"{one.repository}:latest")
    if latest is None or str(latest.id) != one.id:
        docker.cli("tag", one.local, f"{one.repository}:latest")


def prune(one: Wanted) -> None:
    """Removes the local tags of older builds of this image, all but the newest; what a container uses stays."""
    others = [tag for tag in docker.tags_of(one.repository) if tag not in (one.local, f"{one.repository}:latest")]
    for tag in others[KEPT_TAGS - 2 :]:
        docker.cli("rmi", tag, check=False)
