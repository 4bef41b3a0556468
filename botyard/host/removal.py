"""Undoing what the ledger lists, and removing what interrupted runs left in Docker."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from botyard.contracts import LABEL_CLUSTER, BadInput
from botyard.host import containers, kernel, ledger, packages, processes
from botyard.host.engine_config import Places, remove_data
from botyard.process import run
from botyard.tools import apt, docker

KIND_LABEL = "io.x-k8s.kind.cluster"
MINIKUBE_LABEL = "created_by.minikube.sigs.k8s.io"


def leftovers() -> dict[str, list[str]]:
    """What of ours is in the engine: kind of thing -> names, in the order in which it can be removed."""
    api = docker.client()
    containers = {
        str(c.name): c for c in api.containers.list(all=True, filters={"label": LABEL_CLUSTER}, ignore_removed=True)
    }
    networks = api.networks.list(filters={"label": LABEL_CLUSTER})
    # Nodes get no label of ours; they are ours where they carry our cluster's name and hang on its network.
    ours = {str(n.name): str((n.attrs.get("Labels") or {}).get(LABEL_CLUSTER)) for n in networks}
    for label in (KIND_LABEL, MINIKUBE_LABEL):
        for node in api.containers.list(all=True, filters={"label": label}, ignore_removed=True):
            attached = set(node.attrs["NetworkSettings"]["Networks"])
            whose = node.labels[label] if label == KIND_LABEL else re.sub(r"-m\d+\Z", "", str(node.name))
            if any(ours.get(name) == whose for name in attached):
                containers[str(node.name)] = node
    volumes = api.volumes.list(filters={"label": LABEL_CLUSTER})
    return {
        "container": sorted(containers),
        "network": sorted(ours),
        "volume": sorted(str(v.name) for v in volumes),
    }


def remove_leftovers() -> list[str]:
    """Removes them; returns what was removed."""
    done = []
    for kind, names in leftovers().items():
        for name in names:
            if kind == "network":
                _detach_all(name)
            if kind == "container":
                containers.remove([name])
            else:
                docker.cli(kind, "rm", name, timeout_s=120)
            done.append(f"removed {kind} {name}")
    return done


def _detach_all(network: str) -> None:
    """Takes containers that are not ours off our network, which could not be removed else; they go on running."""
    attached = docker.inspect("network", network) or {}
    for container_id in attached.get("Containers") or {}:
        docker.cli("network", "disconnect", "--force", network, container_id, timeout_s=60)


def absent(
    *, check: bool, progress: Callable[[str], None], home: Path = ledger.HOST_HOME, places: Places | None = None
) -> list[str]:
    """`down --all`: leftovers, then every host change of the ledger. Returns what was (or would be) done."""
    places = places or Places(home)
    _must_see_our_engine(ledger.read(home), places)
    if check:
        found = leftovers() if docker.engine_answers() else {}
        plan = [f"remove {kind} {name}" for kind, names in found.items() for name in names]
        return plan + [f"undo: {line}" for line in ledger.read(home).sentences()]
    done = remove_leftovers() if docker.engine_answers() else []
    if not ledger.file_of(home).exists():
        return done
    if not os.access(home, os.W_OK):
        raise BadInput(f"the changes listed in {ledger.file_of(home)} can be undone by root only", "run this as root")
    with FileLock(home / "lock", timeout=900):
        return done + undo_since(ledger.Ledger(), home, places, progress)


def _must_see_our_engine(book: ledger.Ledger, places: Places) -> None:
    """An engine of ours is never stopped by its pid alone: its containers would go on, unseen, without it.

    Raises:
        BadInput: DOCKER_HOST leads elsewhere while our engine runs.
    """
    named = os.environ.get("DOCKER_HOST", "")
    elsewhere = named not in ("", f"unix://{places.socket}")
    if elsewhere and book.engine is not None and processes.alive(book.engine):
        raise BadInput(
            f"DOCKER_HOST={named} leads past the Docker engine that we started (pid {book.engine.pid})",
            "unset DOCKER_HOST, then run this again",
        )


def undo_since(before: ledger.Ledger, home: Path, places: Places, progress: Callable[[str], None]) -> list[str]:
    """Undoes every entry that the ledger has and ``before`` has not; the entries go once they are undone."""
    book = ledger.read(home)
    done = []
    if book.engine is not None and book.engine != before.engine:
        progress("stopping the Docker engine")
        _stop_containers()
        if processes.stop(book.engine, timeout_s=60):
            done.append(f"stopped the Docker engine (pid {book.engine.pid})")
        if before.engine is None:
            done += _remove_traces(book, places)
        # Only now: killed before, the next run goes on with what is left.
        book.engine = None
        ledger.write(book, home)
    undo = {key: value for key, value in book.sysctls.items() if key not in before.sysctls}
    done += kernel.restore(undo)
    for name in reversed([name for name in book.made if name not in before.made]):
        done += _remove(Path(name))
    warnings = _remove_packages(sorted(set(book.packages) - set(before.packages)), progress)
    done += warnings
    if before == ledger.Ledger():
        shutil.rmtree(home, ignore_errors=True)
    else:
        ledger.write(before, home)
    return done


def _stop_containers() -> None:
    """Ends what still runs in our engine: with live-restore it would go on without it."""
    if docker.engine_answers():
        running = docker.cli("ps", "--quiet", timeout_s=60).stdout.split()
        containers.remove(running)
        docker.cli("network", "prune", "--force", timeout_s=60)  # else their bridges stay behind


def _remove_packages(names: list[str], progress: Callable[[str], None]) -> list[str]:
    present = apt.installed(names)
    if not present:
        return []
    progress(f"removing {len(present)} packages that we installed")
    needed_by = apt.purge(present)
    if needed_by:
        return [f"kept packages {' '.join(present)}: {' '.join(needed_by)} came to need them"]
    return [f"removed packages {' '.join(present)}"]


def _remove(path: Path) -> list[str]:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return [f"removed {path}"]


def _remove_traces(book: ledger.Ledger, places: Places) -> list[str]:
    """What a stopped dockerd leaves: mounts, its bridge, its firewall chains, its folders."""
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        point = line.split()[1]
        if point == str(places.data) or point.startswith((f"{places.data}/", f"{places.run}/")):
            run(["umount", "--lazy", point], check=False, timeout_s=30)
    run(["ip", "link", "delete", "docker0"], check=False, timeout_s=30)
    _remove_firewall(book.forward_policy)
    places.socket.unlink(missing_ok=True)
    shutil.rmtree(places.run, ignore_errors=True)
    remove_data(places)
    return [f"removed {places.data}, the bridge docker0 and Docker's firewall rules"]


def _remove_firewall(forward_policy: str) -> None:
    """Takes out rules that mention a DOCKER chain, then the chains, then gives FORWARD its policy back."""
    for program in ("iptables", "ip6tables"):
        path = packages.find(program)
        for table in ("filter", "nat", "raw") if path else ():
            _remove_rules([str(path), "-t", table])
    if forward_policy and packages.find("iptables"):
        run([str(packages.find("iptables")), "-P", "FORWARD", forward_policy], check=False, timeout_s=30)


def _remove_rules(table: list[str]) -> None:
    rules = run([*table, "-S"], check=False, timeout_s=30).stdout.splitlines()
    for rule in rules:
        words = rule.split()
        if words[0] == "-A" and not words[1].startswith("DOCKER") and (" DOCKER" in rule or "docker0" in rule):
            run([*table, "-D", *words[1:]], check=False, timeout_s=30)
    chains = [rule.split()[1] for rule in rules if rule.startswith("-N DOCKER")]
    for step in ("-F", "-X"):
        for chain in chains:
            run([*table, step, chain], check=False, timeout_s=30)
