"""What an image is made from: its build context, the content key of it, and the folder that Docker is given."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from botyard.contracts import BadInput

RECIPE = 1  # raise it when the same input is to give another image
SKIPPED_FOLDERS = frozenset({"__pycache__", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
SKIPPED_SUFFIXES = frozenset({".pyc", ".pyo", ".swp"})
CA_FILE = "ca-certificates.crt"
CA_WANTED = "ca-certificates.cr[t]"  # a Dockerfile that copies it says so like this, as the file is optional
# Variables that name certificate authorities of this machine for programs like pip, the most specific first.
CA_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# Handed to a build by name only, so that no value is in an argument list or in the image's history.
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")


@dataclass(frozen=True)
class Added:
    """A file or folder put into the build context besides the Dockerfile's own folder.

    Args:
        src: the file or folder.
        dest: its path inside the context.
        optional: a missing src is left out instead of refused.
        identity: stands for the content of a large file that is known by what it was made from; '' reads it.
    """

    src: Path
    dest: str
    optional: bool = False
    identity: str = ""


@dataclass(frozen=True)
class ImageSpec:
    """One image that is wanted: ``botyard/<name>``, built from ``context`` (which holds the Dockerfile)."""

    name: str
    context: Path
    build_args: Mapping[str, str] = field(default_factory=dict)
    add: Sequence[Added] = ()


def _walk(folder: Path, dest: str) -> Iterator[tuple[str, Path]]:
    for here, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
        for name in sorted(files):
            file = Path(here, name)
            if file.suffix not in SKIPPED_SUFFIXES:
                inside = file.relative_to(folder).as_posix()
                yield (f"{dest}/{inside}" if dest else inside), file


def files(spec: ImageSpec) -> dict[str, Path]:
    """Path inside the context -> file, sorted.

    Raises:
        BadInput: no Dockerfile, an added path that is not there, or two files for one place.
    """
    if not (spec.context / "Dockerfile").is_file():
        raise BadInput(f"image {spec.name}: no Dockerfile in {spec.context}", "check the context of that image")
    found = dict(_walk(spec.context, ""))
    for added in spec.add:
        inside = added.dest.strip("/")
        if added.src.is_dir():
            more = dict(_walk(added.src, inside))
        elif added.src.is_file():
            more = {inside: added.src}
        elif added.optional:
            continue
        else:
            raise BadInput(f"image {spec.name}: {added.src} is missing", "create it or make that add optional")
        twice = sorted(found.keys() & more.keys())
        if twice:
            raise BadInput(f"image {spec.name}: two files for {twice[0]} in the build context", f"look at {added.src}")
        found |= more
    return dict(sorted(found.items()))


def _mode(file: Path) -> int:
    """0755 for what its owner may run, else 0644: another umask on another machine gives the same image."""
    return 0o755 if file.stat().st_mode & 0o100 else 0o644


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def content_key(spec: ImageSpec, base_id: str, platform: str) -> str:
    """The sha256 (hex) of everything that decides the image: two equal keys mean the same image.

    Args:
        base_id: id of the image that the Dockerfile starts from; empty where there is none.
        platform: as ``linux/amd64``.
    """
    whole = hashlib.sha256()
    build_args = {name: value for name, value in sorted(spec.build_args.items()) if name != "BASE"}  # base_id says it
    head = {"recipe": RECIPE, "base": base_id, "platform": platform, "args": build_args}
    whole.update(json.dumps(head, sort_keys=True).encode())
    known = {added.dest.strip("/"): added.identity for added in spec.add}
    for inside, file in files(spec).items():
        digest = known.get(inside) or _sha256(file)
        whole.update(f"\n{_mode(file):o} {digest} {inside}".encode())
    return whole.hexdigest()


def extra_ca(environment: Mapping[str, str], local: Path = Path("/usr/local/share/ca-certificates")) -> Path | None:
    """The bundle that programs on this machine trust, where it holds more than a build would trust anyway."""
    for name in CA_VARIABLES:
        bundle = Path(environment.get(name, ""))
        if environment.get(name) and bundle.is_file():
            return bundle
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    return system if any(local.glob("**/*.crt")) and system.is_file() else None


def assemble(spec: ImageSpec, into: Path, ca: Path | None = None) -> None:
    """Fills an empty folder with the build context; a leftover of a killed run is removed first.

    ``ca`` goes beside it as ca-certificates.crt: Dockerfiles copy it into a build stage only, never into an image.
    """
    shutil.rmtree(into, ignore_errors=True)
    for inside, file in files(spec).items():
        target = into / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(_mode(file))
    for folder in [into, *(f for f in into.rglob("*") if f.is_dir())]:
        folder.chmod(0o755)
    if ca is not None and CA_WANTED in (spec.context / "Dockerfile").read_text():
        shutil.copyfile(ca, into / CA_FILE)
        (into / CA_FILE).chmod(0o644)


def passed_on(spec: ImageSpec, environment: Mapping[str, str]) -> list[str]:
    """Names of this machine's variables that the build gets: proxies, and the package index where it asks for it."""
    dockerfile = (spec.context / "Dockerfile").read_text()
    wanted = [*PROXY_VARIABLES, *(name for name in INDEX_VARIABLES if f"ARG {name}\n" in dockerfile)]
    return [name for name in wanted if environment.get(name)]


def remove(folder: Path) -> None:
    """Removes an assembled build context."""
    shutil.rmtree(folder, ignore_errors=True)
