"""Programs downloaded from upstream (sources: registries), by the checksums of tools.lock.yaml."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from botyard.contracts import BadInput, BotyardError, Paths
from botyard.host import lockfile
from botyard.host.engine_config import write_if_other
from botyard.targets import Target
from botyard.tools import download

PROGRAMS = ("kind", "kubectl", "helm")
# The user's own lock: checksums that upstream published and that tools.lock.yaml has no value for. Trust on first use.
_SEEN = "seen.json"


def address(url: str, target: Target) -> str:
    """Where a file is really asked for: upstream, or ``<download_base>/<upstream host>/<path>``."""
    base = target.sources.download_base
    if not base:
        return url
    parts = urlsplit(url)
    return f"{base.rstrip('/')}/{parts.netloc}{parts.path}"


def fetch(
    paths: Paths, target: Target, program: str, progress: Callable[[str], None], *, check: bool = False
) -> tuple[Path, bool]:
    """A program's path, fetched where it is not there; and whether it was (or would be) fetched now.

    Raises:
        BadInput: there is no file for this operating system and processor.
        BotyardError: it can't be fetched, or is not what was locked.
    """
    entry = lockfile.read(paths.root).downloads[program]
    where = lockfile.this_platform()
    if str(where) not in entry.sha256:
        raise BadInput(f"there is no {program} {entry.version} for {where}", f"there is: {', '.join(entry.sha256)}")
    home = paths.cache / "tools" / f"{program}-downloaded"
    locked = entry.sha256[str(where)]
    known = locked or _seen(paths).get(entry.fill(entry.url, where))
    if known is not None and (ready := home / f"{entry.version}-{where}-{known[:16]}" / program).is_file():
        return ready, False
    if check:
        return home / f"{entry.version}-{where}" / program, True
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock", timeout=1800):
        sha256 = locked or _published(paths, target, entry, where, progress)
        final = home / f"{entry.version}-{where}-{sha256[:16]}"
        if not (final / program).is_file():
            _put(entry, where, address(entry.fill(entry.url, where), target), sha256, final, program, progress)
            return final / program, True
    return final / program, False


def _published(
    paths: Paths, target: Target, entry: lockfile.Download, where: lockfile.Platform, progress: Callable[[str], None]
) -> str:
    """Upstream's published checksum; it must not differ from what was seen before."""
    url = entry.fill(entry.url, where)
    found = download.fetch_checksum(address(url, target) + entry.checksum_suffix)
    seen = _seen(paths)
    before = seen.get(url)
    if before is not None and before != found:
        raise BotyardError(
            f"the published checksum of {url} was {before} and now is {found}",
            f"a released file must not change: do not use it; to trust it, remove {paths.cache / 'tools' / _SEEN}",
        )
    progress(f"{url}: checked against upstream's own published sha256 {found[:12]}... (none is in {lockfile.LOCK})")
    seen[url] = found
    write_if_other(paths.cache / "tools" / _SEEN, json.dumps(seen, indent=2, sort_keys=True) + "\n", 0o644)
    return found


def _seen(paths: Paths) -> dict[str, str]:
    try:
        found = json.loads((paths.cache / "tools" / _SEEN).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _put(
    entry: lockfile.Download,
    where: lockfile.Platform,
    url: str,
    sha256: str,
    final: Path,
    program: str,
    progress: Callable[[str], None],
) -> None:
    """Fetches, checks, takes the program out of its archive, and renames the finished folder into place."""
    file = final.parent / f"{sha256[:16]}-{Path(urlsplit(url).path).name}"
    download.download(url, file, sha256, progress=progress)
    workplace = final.with_name(f"tmp-{final.name}")
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir()
    made = workplace / program
    if entry.member:
        member = entry.fill(entry.member, where)
        with tarfile.open(file) as archive:
            try:
                source = archive.extractfile(member)
            except KeyError:
                source = None
            if source is None:
                raise BotyardError(f"{url} holds no {member}", "the layout changed: report this as a bug")
            with source, made.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        file.unlink()
    else:
        file.replace(made)
    made.chmod(0o755)
    shutil.rmtree(final, ignore_errors=True)
    workplace.rename(final)
