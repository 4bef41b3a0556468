"""The programs that this project runs or puts into the node image: built from Go modules, or downloaded.

Each lies in the cache under a key of what it was made from, and appears there complete or not at all. This checkout's
``tools.json`` says which one is in use, so finding a program starts no process and asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botyard.contracts import BadInput, BotyardError, Paths
from botyard.host.engine_config import write_if_other
from botyard.later import later
from botyard.targets import Target

if TYPE_CHECKING:
    from botyard.host import fetched, recipe, sources
else:  # to find a program none of these is needed
    fetched, recipe, sources = (later(f"botyard.host.{name}") for name in ("fetched", "recipe", "sources"))

_INDEX = "tools.json"


@dataclass(frozen=True)
class Tool:
    """One program that is there now.

    Args:
        changed: it was built or fetched just now.
    """

    name: str
    path: Path
    changed: bool


def tool(paths: Paths, name: str) -> Path:
    """Where a program lies that ``ensure`` has provided.

    Args:
        name: the program: kind, kubectl, helm, kubeadm, kubelet, kube-apiserver, etcd, coredns, ...

    Raises:
        BotyardError: it is not there.
    """
    known = _index(paths).get(name)
    if known is not None and Path(known).is_file():
        return Path(known)
    raise BotyardError(f"the program {name} is not there yet", "make it: invoke e2e --tags cluster")


def ensure(
    paths: Paths, target: Target, names: Sequence[str], progress: Callable[[str], None], *, check: bool = False
) -> list[Tool]:
    """Builds or fetches what is missing of these; where all is there it starts no process.

    Args:
        names: kind, kubernetes (kubeadm, kubelet, kubectl and the other four), helm, etcd, coredns,
            local-path-provisioner, metrics-server, minikube, crictl. From registries, kubernetes is kubectl alone and
            the last six are refused: upstream's images bring them, or (minikube) it works from packages alone.
        check: change nothing; ``changed`` says what would be made.

    Raises:
        BadInput: an unknown name, or a Kubernetes version that there is no recipe for.
        BotyardError: a build or download failed.
    """
    unknown = [name for name in names if name not in recipe.WANTED]
    if unknown:
        raise BadInput(f"unknown tool {unknown[0]!r}", f"there are: {', '.join(recipe.WANTED)}")
    if sources.choose(paths, target, write=not check).mode == "packages":
        tools = [one for name in names for one in _built(paths, target, name, progress, check)]
    else:
        tools = [_downloaded(paths, target, name, progress, check) for name in names]
    if not check:
        _note(paths, tools)
    return tools


def _built(paths: Paths, target: Target, name: str, progress: Callable[[str], None], check: bool) -> list[Tool]:
    wanted = recipe.WANTED[name]
    if name == "kubernetes" and target.kubernetes_version != wanted.version:
        raise BadInput(
            f"target {target.name} wants Kubernetes {target.kubernetes_version}, but from packages only "
            f"{wanted.version} can be built",
            f"set kubernetes_version: {wanted.version} in values/targets.yml, or sources.mode: registries",
        )
    folder, changed = recipe.make(paths, name, progress, check=check)
    return [Tool(program, folder / program, changed) for program in wanted.programs]


def _downloaded(paths: Paths, target: Target, name: str, progress: Callable[[str], None], check: bool) -> Tool:
    program = "kubectl" if name == "kubernetes" else name
    if program not in fetched.PROGRAMS:
        raise BadInput(f"{name} is not downloaded: upstream's images bring it", "take it out of the tool list")
    path, changed = fetched.fetch(paths, target, program, progress, check=check)
    return Tool(program, path, changed)


def _index(paths: Paths) -> dict[str, str]:
    try:
        found = json.loads((paths.state / _INDEX).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(paths: Paths, tools: Sequence[Tool]) -> None:
    index = _index(paths) | {one.name: str(one.path) for one in tools}
    write_if_other(paths.state / _INDEX, json.dumps(index, indent=2, sort_keys=True) + "\n", 0o644)
