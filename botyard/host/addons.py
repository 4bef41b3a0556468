"""What a cluster of ours has besides Kubernetes itself: metrics-server, and addresses for LoadBalancer Services.

Their images come through the local registry and not with the node image: so an existing cluster gets them, and a new
version of them makes no cluster anew. From registries metrics-server is upstream's own image, pulled by digest; the
load balancer is ours either way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.contracts import Paths
from botyard.host import images, lockfile, registry_place, sources, toolbox, upstream
from botyard.host.image_context import Added, ImageSpec
from botyard.targets import Target
from botyard.tools.kube import Kube

MANIFESTS = Path(__file__).parent / "recipes" / "addons"
METRICS_SERVER = "metrics-server"
LOAD_BALANCER = "load-balancer"
ADDONS = (LOAD_BALANCER, METRICS_SERVER)  # the first is what a release waits for
CONTENT = "botyard/content"  # annotation: hash of the object that was applied
UPSTREAM_IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.8.0"


@dataclass(frozen=True)
class Images:
    """What the add-ons' pods run.

    Args:
        refs: add-on -> image by digest; empty where check mode would make one.
        made: which of them were built or pushed now (in check mode: would be).
    """

    refs: Mapping[str, str]
    made: Sequence[str]


def provide(paths: Paths, target: Target, base: str, progress: Callable[[str], None], *, check: bool) -> Images:
    """Builds and pushes what is missing; asks nobody where all is there.

    Args:
        base: name of the base image.

    Raises:
        BotyardError: a build or a push failed.
    """
    refs: dict[str, str] = {}
    made: list[str] = []
    specs = [ImageSpec(LOAD_BALANCER, paths.root / "dockerfiles" / LOAD_BALANCER, {"BASE": base})]
    if sources.choose(paths, target, write=not check).mode == "registries":
        pinned, mirror = upstream.base(lockfile.read(paths.root), UPSTREAM_IMAGE), target.sources.mirror
        if upstream.observe(pinned, mirror) is None and not check:
            upstream.pull(pinned, mirror, progress)
        folder = paths.root / "dockerfiles" / f"{METRICS_SERVER}-upstream"
        specs.append(ImageSpec(METRICS_SERVER, folder, {"BASE": upstream.reference(pinned, mirror)}))
    else:
        program = toolbox.ensure(paths, target, [METRICS_SERVER], progress, check=check)[0]
        if check and program.changed:
            made.append(METRICS_SERVER)
        else:
            folder = paths.root / "dockerfiles" / METRICS_SERVER
            # The folder that it was built into is named by what it was built from; its 70 MB are not read each time.
            program_file = Added(program.path, METRICS_SERVER, identity=program.path.parent.name)
            specs.append(ImageSpec(METRICS_SERVER, folder, add=[program_file]))
    seen = images.observe(specs, registry_place.of(target), base_must_exist=not check)
    made += [one.name for one in seen if not (one.is_built and one.is_pushed)]
    if not check:
        seen = images.act(seen, paths.state / "build", paths.cache / "locks", progress)
    refs |= {one.name: one.ref for one in seen if one.is_pushed}
    return Images(refs, made)


def wanted(bodies: Sequence[dict[str, Any]], refs: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects of the manifests, with ``botyard/<name>`` in containers replaced by the image of that add-on."""
    for body in bodies:
        if body["kind"] == "Deployment":
            for container in body["spec"]["template"]["spec"]["containers"]:
                container["image"] = refs.get(container["image"].removeprefix("botyard/"), container["image"])
        content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
        body["metadata"].setdefault("annotations", {})[CONTENT] = content
    return list(bodies)


def all_there(kube: Kube, bodies: Sequence[dict[str, Any]]) -> bool:
    """Whether the cluster has all of these objects as they are; quick, by plain reads.

    What the server added to an object does not count. What we once applied and do not want any more would not show:
    the hash of the whole in its annotation tells it.
    """
    with ThreadPoolExecutor(4) as pool:
        return all(pool.map(lambda body: holds(kube.read(path_of(body)), body), bodies))


def path_of(body: Mapping[str, Any]) -> str:
    """The API path of an object of one of the kinds in our manifests."""
    version, meta = str(body["apiVersion"]), body["metadata"]
    place = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"/{'apis' if '/' in version else 'api'}/{version}{place}/{body['kind'].lower()}s/{meta['name']}"


def holds(live: Any, body: Any) -> bool:
    """Whether all that ``body`` says is so in ``live``, which may say more."""
    if isinstance(body, dict):
        return isinstance(live, dict) and all(key in live and holds(live[key], value) for key, value in body.items())
    if isinstance(body, list):
        return isinstance(live, list) and len(live) == len(body) and all(map(holds, live, body))
    return bool(live == body)
