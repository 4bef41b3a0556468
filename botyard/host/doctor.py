"""Is this machine fit? Each check is ok, something that we will see to, or something that the user must do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botyard.contracts import LABEL_CLUSTER, BotyardError, Paths
from botyard.host import capabilities, engine, kernel, packages, ports, recipe, sources
from botyard.host.ledger import HOST_HOME
from botyard.targets import Target
from botyard.tools import apt, docker, go

GB = 1e9
# Seen on a cold run: Docker's images and build layers 8 GB, Go's modules and build cache 4 GB, our cache 1.5 GB.
COLD_FREE_GB = 15
# With tools and images there, a run adds a new image layer set and a model.
WARM_FREE_GB = 4
# Four idle nodes 1.1 GB, two Rasa pods 1.2 GB, training 1.5 GB, registry, depot and the rest 1 GB.
MEMORY_GB = 5
LAST_ON_CGROUP_V1 = (1, 34)
KIND_LABEL = "io.x-k8s.kind.cluster"
MINIKUBE_LABEL = "name.minikube.sigs.k8s.io"  # of a first node it is the profile's name
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True)
class Check:
    """One row of ``invoke doctor``.

    Args:
        detail: what was seen.
        cure: what we will do (will_fix) or the user must (you_must); empty where all is well.
    """

    name: str
    status: Literal["ok", "will_fix", "you_must"]
    detail: str
    cure: str = ""


def examine(paths: Paths, target: Target) -> list[Check]:
    """Looks at everything; changes nothing (but keeps what probing for sources found). Takes under a second."""
    answers = docker.engine_answers()
    info: dict[str, Any] = dict(docker.client().info()) if answers else {}
    source = sources.choose(paths, target)
    return [
        _engine(info),
        _cgroup(info, target),
        _capabilities(answers),
        _inotify(),
        *_disk(paths, target, info),
        _memory(info),
        *_ports(target, answers),
        Check("sources", "ok", f"{source.mode}: {source.why}"),
        _programs(source.mode),
        _go(paths, source.mode),
        _ca_bundle(),
        _python(),
    ]


def _engine(info: dict[str, Any]) -> Check:
    if info:
        whose = "started by us" if engine.is_ours() else "yours"
        return Check("Docker engine", "ok", f"{info['ServerVersion']} ({whose}, {info['Driver']}) answers")
    reason = engine.why_not_startable()
    if reason is not None:
        return Check("Docker engine", "you_must", reason.message, reason.cure)
    missing = packages.missing(packages.ENGINE_PROGRAMS)
    what = f"install {' '.join(missing)} with apt-get and start" if missing else "start"
    return Check("Docker engine", "will_fix", "none answers", f"{what} one of our own; undone by invoke down --all")


def _cgroup(info: dict[str, Any], target: Target) -> Check:
    version = str(info.get("CgroupVersion") or ("2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "1"))
    wanted = tuple(int(part) for part in target.kubernetes_version.removeprefix("v").split(".")[:2])
    if version == "1" and wanted > LAST_ON_CGROUP_V1 and (info or platform.system() == "Linux"):
        return Check(
            "cgroup",
            "you_must",
            f"version 1, where Kubernetes {target.kubernetes_version} does not start",
            f"set kubernetes_version: v1.34.4 for target {target.name} in values/targets.yml",
        )
    return Check("cgroup", "ok", f"version {version}, Kubernetes {target.kubernetes_version}")


def _capabilities(answers: bool) -> Check:
    if platform.system() != "Linux" or os.geteuid() != 0:
        return Check("capabilities", "ok", "the engine's own")
    missing = capabilities.missing()
    if not missing:
        return Check("capabilities", "ok", "root has all")
    names = ", ".join(missing)
    if answers:
        return Check("capabilities", "ok", f"root lacks {names}; " + _who_cares())
    return Check("capabilities", "will_fix", f"root lacks {names}", "put a wrapper before runc that asks for less")


def _who_cares() -> str:
    return "our runc wrapper asks for less" if engine.is_ours() else "the engine is yours and sees to it"


def _inotify() -> Check:
    low = kernel.too_low()
    if not low:
        return Check("inotify", "ok", "limits are high enough")
    seen = ", ".join(f"{key} is {now}" for key, (now, _) in low.items())
    settings = " ".join(f"{key}={wanted}" for key, (_, wanted) in low.items())
    if os.geteuid() == 0:
        return Check("inotify", "will_fix", seen, f"set {settings} until the next reboot or invoke down --all")
    return Check("inotify", "you_must", f"{seen}: too low for several nodes", f"sudo sysctl -w {settings}")


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def _disk(paths: Paths, target: Target, info: dict[str, Any]) -> list[Check]:
    """Free space of each file system that a run writes to."""
    warm = (paths.cache / "tools").is_dir() and (paths.state / "kubeconfig").exists()
    wanted_gb = WARM_FREE_GB if warm else COLD_FREE_GB
    data = Path(str(info["DockerRootDir"])) if "DockerRootDir" in info else HOST_HOME
    folders = [paths.cache, data] if platform.system() == "Linux" else [paths.cache]
    seen: dict[int, tuple[Path, float]] = {}
    for folder in map(_existing, folders):
        seen.setdefault(folder.stat().st_dev, (folder, shutil.disk_usage(folder).free / GB))
    checks = []
    for folder, free_gb in seen.values():
        if free_gb >= wanted_gb:
            checks.append(Check("disk", "ok", f"{free_gb:.0f} GB free at {folder}"))
            continue
        kind = "another" if warm else "a first"
        detail = f"{free_gb:.1f} GB free at {folder}, {kind} run needs {wanted_gb} GB"
        checks.append(Check("disk", "you_must", detail, "make room: docker system df, invoke cache.show"))
    return checks


def _memory(info: dict[str, Any]) -> Check:
    total = float(info["MemTotal"]) if "MemTotal" in info else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if total / GB >= MEMORY_GB:
        return Check("memory", "ok", f"{total / GB:.0f} GB")
    cure = "give the machine (on a Mac: Docker's virtual machine) more memory, or the target fewer workers"
    return Check("memory", "you_must", f"{total / GB:.1f} GB, a run needs {MEMORY_GB} GB", cure)


def _ports(target: Target, answers: bool) -> list[Check]:
    wanted = {"rasa": target.ports.rasa, "registry": target.ports.registry, "depot": target.ports.depot}
    taken = ports.listeners(set(wanted.values()))
    published = _published() if answers and taken else {}
    checks = []
    for use, port in wanted.items():
        name = f"port {port} ({use})"
        container, cluster = published.get(port, ("", ""))
        if port not in taken and not container:
            checks.append(Check(name, "ok", "free"))
        elif container and cluster == target.cluster:
            checks.append(Check(name, "ok", f"held by our container {container}"))
        else:
            holder = f"container {container}" if container else str(taken[port])
            cure = f"stop it, or set ports.{use} of target {target.name} in values/targets.yml to a free one"
            checks.append(Check(name, "you_must", f"taken by {holder}", cure))
    return checks


def _published() -> dict[int, tuple[str, str]]:
    """Host port -> (container that publishes it, the cluster it belongs to or '')."""
    found = {}
    for one in docker.client().api.containers():
        labels = one.get("Labels") or {}
        cluster = next((labels[key] for key in (LABEL_CLUSTER, KIND_LABEL, MINIKUBE_LABEL) if key in labels), "")
        for port in one.get("Ports") or []:
            if port.get("PublicPort"):
                found[int(port["PublicPort"])] = (one["Names"][0].lstrip("/"), cluster)
    return found


def _programs(mode: str) -> Check:
    if mode != "packages":
        return Check("build programs", "ok", "not needed where images are pulled")
    missing = packages.missing(packages.BUILD_PROGRAMS)
    if not missing:
        return Check("build programs", "ok", ", ".join(packages.BUILD_PROGRAMS))
    names = " ".join(packages.BUILD_PROGRAMS[program][0] for program in missing)
    if platform.system() == "Linux" and os.geteuid() == 0 and apt.is_debian():
        return Check("build programs", "will_fix", f"missing: {', '.join(missing)}", f"apt-get install {names}")
    cure = f"sudo apt-get install {names}" if apt.is_debian() else "use Debian or Ubuntu, or sources.mode: registries"
    return Check("build programs", "you_must", f"missing: {', '.join(missing)}", cure)


def _go(paths: Paths, mode: str) -> Check:
    if mode != "packages":
        return Check("Go", "ok", "not needed where tools are downloaded")
    toolchain = go.find()
    wanted = max((one.go_version for one in recipe.RECIPES.values()), key=go.numbers)
    cure = f"install Go {wanted} or later (https://go.dev/dl/) and put its bin folder on PATH"
    try:
        version = go.version(toolchain) if toolchain else ""
        current = go.numbers(version) if toolchain else (0, 0)
    except BotyardError as error:
        return Check("Go", "you_must", f"{toolchain} does not work: {error.message.splitlines()[0]}", cure)
    if all(recipe.built(paths, name) for name in recipe.RECIPES):
        return Check("Go", "ok", "all tools are built")
    if toolchain is None:
        return Check("Go", "you_must", "not found; tools are built from Go modules here", cure)
    if current >= go.numbers(wanted):
        return Check("Go", "ok", f"{version} at {toolchain}")
    if current >= go.CAN_FETCH_TOOLCHAIN and os.environ.get("GOTOOLCHAIN", "auto") != "local":
        return Check("Go", "ok", f"{version} at {toolchain}; it fetches {wanted} by itself as a Go module")
    return Check("Go", "you_must", f"{version} at {toolchain} is too old", cure)


def _ca_bundle() -> Check:
    named = [(key, os.environ[key]) for key in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if os.environ.get(key)]
    for key, value in named:
        if not Path(value).exists():
            return Check(
                "CA bundle", "you_must", f"{key}={value}, but there is no such file", f"mend it, or: unset {key}"
            )
    found = next((value for _, value in named), "") or next((path for path in CA_BUNDLES if Path(path).exists()), "")
    if not found:
        return Check("CA bundle", "you_must", "none found", "sudo apt-get install ca-certificates")
    return Check("CA bundle", "ok", found)


def _python() -> Check:
    version = platform.python_version()
    if sys.version_info < (3, 11):  # noqa: UP036 - a checkout can be run without installing it
        return Check("Python", "you_must", version, "use Python 3.11 or later")
    return Check("Python", "ok", f"{version} at {sys.executable}")
