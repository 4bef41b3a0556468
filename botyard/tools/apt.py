"""Debian and Ubuntu: whether this is one, and its packages through apt-get and dpkg."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from botyard.process import run

APT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "LC_ALL": "C.UTF-8"}
# Another apt (unattended upgrades, or one that a killed run left working) may hold the lock for a while.
APT = ["apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=3"]
_NEW = re.compile(r"^Inst (\S+) \(")  # an upgrade shows "Inst name [old] (new"
_REMOVED = re.compile(r"^(?:Remv|Purg) (\S+)")


def is_debian(os_release: Path = Path("/etc/os-release")) -> bool:
    """Whether this is Debian, Ubuntu or a child of theirs that has apt-get."""
    try:
        text = os_release.read_text()
    except FileNotFoundError:
        return False
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    family = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    return bool({"debian", "ubuntu"} & set(family)) and shutil.which("apt-get") is not None


def known(package: str) -> bool:
    """Whether apt could install a package of that name."""
    return run(["apt-cache", "show", "--no-all-versions", package], check=False, timeout_s=60).returncode == 0


def update(on_line: Callable[[str], None] | None = None) -> None:
    """Fetches the package lists."""
    run([*APT, "update"], env=APT_ENVIRONMENT, timeout_s=300, on_line=on_line)


def would_install(packages: Sequence[str]) -> list[str]:
    """Names of all packages that installing these would newly bring: themselves and what they depend on."""
    plan = run(
        [*APT, "install", "--simulate", "--no-install-recommends", *packages], env=APT_ENVIRONMENT, timeout_s=120
    )
    return sorted({found[1] for line in plan.stdout.splitlines() if (found := _NEW.match(line))})


def install(packages: Sequence[str], on_line: Callable[[str], None] | None = None) -> None:
    """Installs packages without their recommendations; first finishes what a killed run of dpkg left half done."""
    run(["dpkg", "--configure", "-a"], env=APT_ENVIRONMENT, timeout_s=600)
    run([*APT, "install", "--no-install-recommends", *packages], env=APT_ENVIRONMENT, timeout_s=1200, on_line=on_line)


def installed(packages: Sequence[str]) -> list[str]:
    """Those of the packages that are installed now, whole or in part."""
    if not packages:
        return []
    shown = run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *packages], check=False, timeout_s=60)
    rows = [line.split() for line in shown.stdout.splitlines()]
    return [row[1] for row in rows if len(row) == 2 and row[0] not in ("not-installed", "config-files")]


def purge(packages: Sequence[str]) -> list[str]:
    """Removes packages; where others came to need them since, removes nothing and returns the names of those."""
    present = installed(packages)
    if not present:
        return []
    plan = run([*APT, "purge", "--simulate", *present], env=APT_ENVIRONMENT, timeout_s=120)
    others = sorted({found[1] for line in plan.stdout.splitlines() if (found := _REMOVED.match(line))} - set(present))
    if others:
        return others
    run([*APT, "purge", *present], env=APT_ENVIRONMENT, timeout_s=600)
    return []
