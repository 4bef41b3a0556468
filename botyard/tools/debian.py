"""Debian's own tools on this machine: debootstrap, and what apt knows about mirrors."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from botyard.contracts import BotyardError
from botyard.process import Arg, run

DEBOOTSTRAP = Path("/usr/sbin/debootstrap")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def apt_mirror(codename: str, label: str = "Debian") -> str:
    """The mirror that this machine's apt uses for an archive of Debian, '' where it has none (Ubuntu, say).

    Args:
        codename: the release whose mirror is preferred; any other Debian release's does as well.
        label: ``Debian``, or ``Debian-Security``.
    """
    if shutil.which("apt-get") is None:
        return ""
    form = "$(ORIGIN)\t$(LABEL)\t$(CODENAME)\t$(REPO_URI)"
    listed = run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], check=False, timeout_s=30)
    mirrors: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        fields = line.split("\t")
        if len(fields) == 4 and fields[:2] == ["Debian", label]:
            mirrors.setdefault(fields[2], fields[3].rstrip("/"))
    return mirrors.get(codename) or next(iter(mirrors.values()), "")


def debootstrap(
    codename: str, target: Path, *, mirror: str, timeout_s: float = 900, on_line: Callable[[str], None] | None = None
) -> None:
    """Installs a minimal Debian into an empty folder.

    It runs in a mount namespace of its own, so a killed run leaves no mount behind in ``target``.

    Args:
        codename: a Debian release, like ``bookworm``.
        mirror: base URL of the archive; '' leaves it to debootstrap.
    Raises:
        BotyardError: not root, or no debootstrap on this machine.
    """
    if os.geteuid() != 0:
        raise BotyardError(
            "a base image is made with debootstrap, which needs root", "run as root, or use sources: registries"
        )
    if not DEBOOTSTRAP.exists():
        raise BotyardError(f"there is no {DEBOOTSTRAP}", "apt-get install debootstrap debian-archive-keyring")
    argv: list[Arg] = ["unshare", "--mount", DEBOOTSTRAP, "--variant=minbase"]
    if KEYRING.exists():
        argv.append(f"--keyring={KEYRING}")
    argv += [codename, target]
    if mirror:
        argv.append(mirror)
    run(argv, timeout_s=timeout_s, on_line=on_line)
