"""Wanted images against what this machine and the registry have; builds and pushes the difference."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from botyard.contracts import BotyardError
from botyard.host import image_build, image_push
from botyard.host.image_build import Wanted
from botyard.host.image_context import ImageSpec
from botyard.host.registry_place import Place
from botyard.tools import docker

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """One wanted image, and where it is.

    Args:
        place: the registry it belongs into; None where nothing is pushed.
        digest: of its manifest in the registry; empty until it is pushed.
    """

    wanted: Wanted
    place: Place | None = None
    digest: str = ""

    @property
    def name(self) -> str:
        return self.wanted.spec.name

    @property
    def is_built(self) -> bool:
        return self.wanted.is_built

    @property
    def is_pushed(self) -> bool:
        return bool(self.digest)

    @property
    def repository(self) -> str:
        return self.place.shown(self.wanted.repository) if self.place else self.wanted.repository

    @property
    def ref(self) -> str:
        """By digest once pushed, else the local tag."""
        return f"{self.repository}@{self.digest}" if self.digest else self.wanted.local

    def as_data(self) -> dict[str, Any]:
        return {
            "local": self.wanted.local,
            "repository": self.repository,
            "digest": self.digest,
            "ref": self.ref,
            "id": self.wanted.id,
            "size_mb": round(self.wanted.size_bytes / 1e6, 1),
            "platform": self.wanted.platform,
        }


def _layers(image_id: str) -> list[str]:
    found = docker.image(image_id)
    if found is None:
        raise BotyardError(f"image {image_id} is gone", "is something removing images? run it again")
    layers: list[str] = found.attrs["RootFS"]["Layers"]
    return layers


def observe(specs: Sequence[ImageSpec], place: Place | None, *, base_must_exist: bool = True) -> list[Seen]:
    """What there is now; changes nothing. A registry that does not answer has nothing.

    Args:
        place: the registry, or None where images stay local.
        base_must_exist: False in check mode, where an earlier task would make it.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(specs))) as pool:
        wanted = list(pool.map(functools.partial(image_build.observe, base_must_exist=base_must_exist), specs))
    if place is None:
        return [Seen(one) for one in wanted]
    seen = []
    with place.open() as registry:
        answers = registry.answers()
        for one in wanted:
            digest = ""
            if answers and one.is_built:
                repository = place.repository(one.repository)
                digest = image_push.pushed(registry, repository, one.tag, one.key, _layers(one.id))
            seen.append(Seen(one, place, digest))
    return seen


def must_be_let_in(place: Place, specs: Sequence[ImageSpec]) -> None:
    """Asks a registry that is not ours for something: what it refuses is told before images are built for minutes.

    Raises:
        BadInput: it does not take the login, or denies reading.
        BotyardError: it does not answer.
    """
    with place.open() as registry:
        for spec in specs[:1]:
            registry.manifest(place.repository(f"{image_build.PREFIX}/{spec.name}"), "latest")


def _build(wanted: Wanted, scratch: Path, locks: Path, tell: Tell) -> Wanted:
    """Builds it unless another run on this machine, of this checkout or another one, just did."""
    locks.mkdir(parents=True, exist_ok=True)
    with FileLock(locks / f"image-{wanted.spec.name}-{wanted.tag}.lock"):
        now = image_build.observe(wanted.spec)
        return now if now.is_built else image_build.build(now, scratch, tell)


def _finish(one: Seen, scratch: Path, locks: Path, tell: Tell) -> Seen:
    wanted = one.wanted if one.is_built else _build(one.wanted, scratch, locks, tell)
    image_build.point_latest(wanted)
    if not one.is_built:
        image_build.prune(wanted)
    if one.place is None or one.is_pushed:
        return dataclasses.replace(one, wanted=wanted)
    with one.place.open() as registry:
        repository = one.place.repository(wanted.repository)
        digest = image_push.push(registry, repository, wanted.tag, wanted.id, _layers(wanted.id), tell)
    return dataclasses.replace(one, wanted=wanted, digest=digest)


def act(seen: Sequence[Seen], scratch: Path, locks: Path, tell: Tell) -> list[Seen]:
    """Builds and pushes what is missing, each image on its own thread, so a small one does not wait for a large one.

    Args:
        scratch: folder for build contexts, of this checkout.
        locks: folder for locks, shared by all checkouts of this machine.

    Raises:
        BotyardError: the first failure, after the others came to their end.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(seen))) as pool:
        waiting = [pool.submit(_finish, one, scratch, locks, tell) for one in seen]
    return [task.result() for task in waiting]
