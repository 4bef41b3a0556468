"""The cache folder: what lies in it, how large it is, and emptying it. ``down`` never touches it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_SECTIONS = ("tools",)  # folders whose children are listed one by one


def size_bytes(path: Path) -> int:
    """Bytes on disk of a file or of all below a folder; links are not followed."""
    try:
        total = path.lstat().st_blocks * 512
        if path.is_dir() and not path.is_symlink():
            with os.scandir(path) as entries:
                total += sum(size_bytes(Path(entry.path)) for entry in entries)
    except FileNotFoundError:  # another run tidied it away just now
        return 0
    return total


def sizes(cache: Path) -> list[tuple[str, int]]:
    """What is in the cache as (name, bytes on disk), the largest first; the tools one by one."""
    found: list[tuple[str, int]] = []
    for entry in sorted(cache.iterdir()) if cache.is_dir() else []:
        children = sorted(entry.iterdir()) if entry.name in _SECTIONS and entry.is_dir() else [entry]
        found += [(str(child.relative_to(cache)), size_bytes(child)) for child in children]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def clean(cache: Path) -> int:
    """Removes all of the cache; returns how many bytes that freed.

    Each part is renamed first: a run that is killed in between leaves nothing that looks whole.
    """
    freed = 0
    for entry in sorted(cache.iterdir()) if cache.is_dir() else []:
        freed += size_bytes(entry)
        doomed = entry.with_name(f"removing-{entry.name}")
        if doomed.is_dir():
            shutil.rmtree(doomed)
        entry.rename(doomed)
        if doomed.is_dir() and not doomed.is_symlink():
            shutil.rmtree(doomed)
        else:
            doomed.unlink()
    return freed
