"""The base image that every Dockerfile's ARG BASE names, from Debian packages alone.

debootstrap -> a slim root folder -> a tarball in the cache -> ``docker import``. The tarball appears in the cache
under its final name only when it is whole, so a killed run is simply done again.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from botyard.contracts import LABEL_KEY, BadInput, BotyardError
from botyard.process import run
from botyard.tools import debian, docker

RECIPE = 2  # raise it when what ends up in the tarball changes
# The release that each supported name stands for.
CODENAMES = {"debian:bookworm-slim": "bookworm"}
# What debian:*-slim leaves out too; dpkg is told to leave it out of later installs as well.
SLIM = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/linda",
    "usr/share/locale",
    "usr/share/groff",
)
DPKG_SLIM = "".join(f"path-exclude /{folder}/*\n" for folder in SLIM) + "path-include /usr/share/doc/*/copyright\n"
APT_CLEAN = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
"""


@dataclass(frozen=True)
class Base:
    """What there is of a base image. ``ours`` is false for one that the user pulled: it is used as it is."""

    ref: str
    id: str
    ours: bool


def key(name: str) -> str:
    """The content key of a base image that we make: the recipe, not the day's package versions."""
    return hashlib.sha256(f"{name} minbase {RECIPE} {SLIM} {APT_CLEAN}".encode()).hexdigest()[:16]


def observe(name: str) -> Base | None:
    """The base image as the engine has it now; None where there is none, or one of an older recipe of ours."""
    found = docker.image(name)
    if found is None:
        return None
    made_by = (found.labels or {}).get(LABEL_KEY)
    if made_by is not None and made_by != key(name):
        return None
    return Base(name, str(found.id), made_by is not None)


def make(name: str, cache: Path, progress: Callable[[str], None]) -> Base:
    """Makes the image from packages and gives it its name.

    Raises:
        BadInput: a name that no Debian release stands behind.
        BotyardError: no debootstrap here, or not root.
    """
    if name not in CODENAMES:
        raise BadInput(f"no recipe for base image {name!r}", f"known: {', '.join(CODENAMES)}")
    folder = cache / "base"
    folder.mkdir(parents=True, exist_ok=True)
    tarball = folder / f"{CODENAMES[name]}-{key(name)}.tar"
    with FileLock(folder / ".lock"):
        if not tarball.exists():
            _make_tarball(CODENAMES[name], tarball, progress)
    progress(f"importing {name}")
    labels = {LABEL_KEY: key(name), "botyard.made": f"debootstrap --variant=minbase {CODENAMES[name]}, slimmed"}
    changes = [f'--change=LABEL {k}="{v}"' for k, v in labels.items()]
    docker.cli("import", *changes, '--change=CMD ["bash"]', tarball, name)
    made = observe(name)
    if made is None:
        raise BotyardError(f"docker import ended well but there is no image {name}")
    return made


def _make_tarball(codename: str, tarball: Path, progress: Callable[[str], None]) -> None:
    root = tarball.with_suffix(".root")
    partial = tarball.with_suffix(".partial")
    if root.exists():
        shutil.rmtree(root)
    root.mkdir(mode=0o755)
    mirror = debian.apt_mirror(codename)
    progress(f"debootstrap {codename} (a minute or two)")
    debian.debootstrap(codename, root, mirror=mirror)
    _slim(root, codename)
    progress("packing the base image")
    run(["tar", "--sort=name", "--numeric-owner", "--one-file-system", "-C", root, "-cf", partial, "."])
    partial.rename(tarball)
    shutil.rmtree(root)


def _slim(root: Path, codename: str) -> None:
    """Takes out what a slim image lacks; package lists never go in."""
    run(["chroot", root, "apt-get", "clean"])
    for folder in SLIM:
        for entry in (root / folder).glob("*"):
            if folder == "usr/share/doc" and (entry / "copyright").is_file():
                for other in entry.iterdir():
                    if other.name != "copyright":
                        shutil.rmtree(other) if other.is_dir() and not other.is_symlink() else other.unlink()
            elif entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    for folder in ("var/lib/apt/lists", "var/log", "var/cache/apt", "tmp"):
        for entry in (root / folder).glob("*"):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (root / "var/lib/apt/lists/partial").mkdir(parents=True, exist_ok=True)
    (root / "var/cache/apt/archives/partial").mkdir(parents=True, exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(DPKG_SLIM)
    (root / "etc/apt/apt.conf.d/90clean").write_text(APT_CLEAN)
    sources = root / "etc/apt/sources.list"
    archive = sources.read_text().split()[1].rstrip("/")  # debootstrap wrote "deb URL bookworm main"
    security = (
        debian.apt_mirror(f"{codename}-security", "Debian-Security")
        or f"{archive.removesuffix('/debian')}/debian-security"
    )
    sources.write_text(
        f"deb {archive} {codename} main\n"
        f"deb {archive} {codename}-updates main\n"
        f"deb {security} {codename}-security main\n"
    )
    (root / "etc/machine-id").write_text("")
    for name in ("etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)
