"""Programs of the host that the engine and the image builds need, by their Debian packages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from botyard.contracts import CommandError
from botyard.host import ledger
from botyard.tools import apt

# Program -> packages that may hold it, first choice first (Debian 13 has the docker command in a package of its own).
ENGINE_PROGRAMS = {
    "dockerd": ("docker.io",),
    "iptables": ("iptables",),
}
CLIENT_PROGRAMS = {"docker": ("docker-cli", "docker.io")}
# What base and node images are made with where everything comes from packages.
BUILD_PROGRAMS = {
    "debootstrap": ("debootstrap",),
    "conntrack": ("conntrack",),
    "ethtool": ("ethtool",),
    "socat": ("socat",),
}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find(program: str) -> str | None:
    """Where a program lies, on PATH or in a system folder (a user's PATH may lack sbin)."""
    return shutil.which(program) or shutil.which(program, path=_PATH)


def missing(programs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Those of the programs that are not there."""
    return [program for program in programs if find(program) is None]


def install(
    programs: Mapping[str, tuple[str, ...]], book: ledger.Ledger, home: Path, progress: Callable[[str], None]
) -> list[str]:
    """Installs the packages of missing programs; what comes new is in the ledger before apt-get begins.

    Returns: names of all packages that came, with what they depend on.

    Raises:
        CommandError: apt-get failed.
    """
    wanted = missing(programs)
    if not wanted:
        return []
    progress(f"installing with apt-get: {', '.join(wanted)}")
    try:
        new = apt.would_install(_packages(wanted, programs))
    except CommandError:  # no package lists yet, or old ones
        new = []
    if not new:
        progress("fetching Debian's package lists")
        apt.update()
        new = apt.would_install(_packages(wanted, programs))
    book.packages = sorted({*book.packages, *new})
    ledger.write(book, home)
    try:
        apt.install(_packages(wanted, programs), on_line=_steps(progress))
    except CommandError:  # a list from long ago names files that the mirror no longer has
        progress("apt-get failed; once more with fresh package lists")
        apt.update()
        apt.install(_packages(wanted, programs), on_line=_steps(progress))
    return new


def _packages(wanted: list[str], programs: Mapping[str, tuple[str, ...]]) -> list[str]:
    chosen = []
    for program in wanted:
        candidates = programs[program]
        chosen.append(next((name for name in candidates[:-1] if apt.known(name)), candidates[-1]))
    return chosen


def _steps(progress: Callable[[str], None]) -> Callable[[str], None]:
    def on_line(line: str) -> None:
        if line.startswith(("Need to get", "Unpacking", "Setting up")):
            progress(line.split(" ...")[0].split(" over ")[0])

    return on_line
