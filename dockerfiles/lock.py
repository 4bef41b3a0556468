"""Writes requirements.lock beside requirements.in: the same pins with the sha256 of every file pip could choose.

Usage: python dockerfiles/lock.py dockerfiles/rasa/requirements.in

Hashes come from the package index (the one that PIP_INDEX_URL names, else pip's default) and are kept for
CPython 3.11 on linux, x86_64 and aarch64; a pin that has no such wheel gets its source archive. No address is written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
GLIBC_MINOR = 36  # Debian 12


def _platforms(machine: str) -> list[str]:
    modern = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 4, -1)]
    return [*modern, *(f"manylinux{old}_{machine}" for old in ("2014", "2010", "1")), f"linux_{machine}"]


def _wanted() -> set[Tag]:
    tags: set[Tag] = set()
    for machine in ("x86_64", "aarch64"):
        names = _platforms(machine)
        tags |= set(cpython_tags((3, 11), platforms=names)) | set(compatible_tags((3, 11), "cp311", names))
    return tags


WANTED = _wanted()


def _files(name: str) -> list[dict[str, Any]]:
    reply = requests.get(
        f"{INDEX.rstrip('/')}/{name.lower().replace('_', '-').replace('.', '-')}/",
        headers={"Accept": "application/vnd.pypi.simple.v1+json"},
        timeout=60,
    )
    reply.raise_for_status()
    found: list[dict[str, Any]] = reply.json()["files"]
    return found


def _hashes(pin: Requirement) -> Iterator[tuple[str, str]]:
    """Yields (kind, sha256) of the files of that pin: kind is ``wheel`` or ``sdist``."""
    version = Version(next(iter(pin.specifier)).version)
    for file in _files(pin.name):
        try:
            if file["filename"].endswith(".whl"):
                _, found, _, tags = parse_wheel_filename(file["filename"])
                if found == version and tags & WANTED:
                    yield "wheel", file["hashes"]["sha256"]
            elif parse_sdist_filename(file["filename"])[1] == version:
                yield "sdist", file["hashes"]["sha256"]
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue  # eggs and installers


def lock_line(text: str) -> str:
    """One pin with its hashes, as pip's --require-hashes reads it.

    Raises:
        SystemExit: the index has no file for that pin.
    """
    pin = Requirement(text)
    found = sorted(set(_hashes(pin)))
    wheels = [digest for kind, digest in found if kind == "wheel"]
    chosen = wheels or [digest for _, digest in found]
    if not chosen:
        raise SystemExit(f"no file for {text}")
    if not wheels:
        print(f"source only: {text}", file=sys.stderr)
    return " \\\n    ".join([text, *(f"--hash=sha256:{digest}" for digest in chosen)])


def main() -> None:
    source = Path(sys.argv[1])
    lines = [line.strip() for line in source.read_text().splitlines()]
    pins = [line for line in lines if line and not line.startswith("#")]
    with ThreadPoolExecutor(8) as pool:
        locked = list(pool.map(lock_line, pins))
    head = f"# Made by dockerfiles/lock.py from {source.name}; change that file, then run it again.\n"
    source.with_suffix(".lock").write_text(head + "\n".join(locked) + "\n")


if __name__ == "__main__":
    main()
