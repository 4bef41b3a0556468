"""Images pulled from upstream's registries, by the digest in the lock file, through a mirror where one is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from botyard.contracts import BadInput, BotyardError, CommandError
from botyard.host.lockfile import LOCK, Lock, UpstreamImage
from botyard.tools import docker


@dataclass(frozen=True)
class Pulled:
    """An image that is in the engine now. ``ref`` names it by digest."""

    ref: str
    id: str


def reference(image: UpstreamImage, mirror: str) -> str:
    """What to ask the engine for.

    A mirror (``host[:port][/prefix]``) is asked under upstream's path: ``mirror/library/debian@sha256:...``.
    """
    path = image.repository.partition("/")[2]
    return f"{mirror or image.repository.partition('/')[0]}/{path}@{image.digest}"


def observe(image: UpstreamImage, mirror: str) -> Pulled | None:
    """The image where the engine has it."""
    ref = reference(image, mirror)
    found = docker.image(ref)
    return None if found is None else Pulled(ref, str(found.id))


def pull(image: UpstreamImage, mirror: str, progress: Callable[[str], None]) -> Pulled:
    """Pulls the image.

    Raises:
        BotyardError: the registry does not answer, or has no such digest.
    """
    ref = reference(image, mirror)
    progress(f"pulling {ref}")
    try:
        docker.cli("pull", "--quiet", ref, timeout_s=1800)
    except CommandError as error:
        last = (error.stderr.strip() or error.stdout.strip()).splitlines()[-1:]
        why = last[0] if last else f"exit code {error.returncode}"
        raise BotyardError(f"could not pull {ref}: {why}", _cure(why, mirror)) from error
    pulled = observe(image, mirror)
    if pulled is None:
        raise BotyardError(f"docker pull ended well but there is no image {ref}")
    return pulled


def _cure(why: str, mirror: str) -> str:
    if "manifest unknown" in why or "not found" in why:
        return f"{mirror or 'the registry'} does not have what {LOCK} pins: put it there, or mend the digest"
    return "check the registry or sources.mirror, or set sources: packages in values/targets.yml"


def base(lock: Lock, name: str) -> UpstreamImage:
    """The pinned image of a base name.

    Raises:
        BadInput: the lock file has none of that name.
    """
    if name not in lock.images:
        raise BadInput(f"the lock file pins no image {name!r}", f"it has: {', '.join(lock.images)}")
    return lock.images[name]


def node(lock: Lock, version: str) -> tuple[str, UpstreamImage]:
    """The pinned kind node image for a Kubernetes version: that very version, else one of the same minor.

    Returns:
        Its version and the image.
    Raises:
        BadInput: none of that minor is pinned.
    """
    pinned = {name.partition(":")[2]: image for name, image in lock.images.items() if name.startswith("kindest/node:")}
    minor = version.rpartition(".")[0]
    for candidate in (version, *(v for v in sorted(pinned) if v.rpartition(".")[0] == minor)):
        if candidate in pinned:
            return candidate, pinned[candidate]
    raise BadInput(
        f"no upstream node image is pinned for Kubernetes {version}",
        f"set kubernetes_version to one of {', '.join(sorted(pinned))} in values/targets.yml, or sources: packages",
    )
