"""Removing containers, those included that cannot die.

A runtime inside a node freezes its own containers for a moment, whenever it changes what they may do. Where a node is
killed in that moment on a host with cgroup v1, the frozen process hears no SIGKILL, its node's init waits for it, and
``docker rm`` gives up ("did not receive an exit event"). Thawed, it dies at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from botyard.contracts import CommandError
from botyard.tools import docker

FREEZER = Path("/sys/fs/cgroup/freezer")


def remove(names: Sequence[str], *, timeout_s: float = 180) -> None:
    """Removes containers by name or id, running or not, with their nameless volumes.

    Raises:
        CommandError: one of them could not be removed, after a second try either.
    """
    if not names:
        return
    try:
        docker.cli("rm", "--force", "--volumes", *names, timeout_s=timeout_s)
    except CommandError:
        left = docker.cli("inspect", "--format", "{{.Id}}", *names, check=False, timeout_s=60).stdout.split()
        if not sum(thaw(one) for one in left):
            raise
        docker.cli("rm", "--force", "--volumes", *left, timeout_s=timeout_s)


def thaw(container_id: str, freezer: Path | None = None) -> int:
    """Thaws every frozen cgroup of one container; returns how many (with cgroup v2 none: there they can be killed)."""
    frozen = 0
    for state in ((freezer or FREEZER) / "docker" / container_id).rglob("freezer.state"):
        try:
            if state.read_text().strip() != "THAWED":
                state.write_text("THAWED")
                frozen += 1
        except OSError:
            continue  # its group is gone meanwhile
    return frozen
