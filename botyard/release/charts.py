"""Charts as packages named by their content, in a Helm repository that is a folder of files behind HTTP."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botyard.contracts import BotyardError
from botyard.later import later
from botyard.tools.helm import Helm, about_chart, load_yaml

if TYPE_CHECKING:
    import urllib3
else:
    urllib3 = later("urllib3")

_LEFT_OUT = {"__pycache__", ".DS_Store", ".git"}
INDEX = "index.yaml"
_NO_TIME = "1970-01-01T00:00:00Z"  # helm refuses an index without times


@dataclass(frozen=True)
class Wanted:
    """One chart folder and the version that its content gives it."""

    folder: Path
    name: str
    version: str

    @property
    def released_as(self) -> str:
        """What Helm's record of a release calls it."""
        return f"{self.name}-{self.version}"

    @property
    def archive(self) -> str:
        return f"{self.released_as}.tgz"


def content_key(folder: Path) -> str:
    """16 hex digits over names and contents of a chart's files."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if file.is_dir() or _LEFT_OUT.intersection(inside.parts) or file.suffix in (".pyc", ".tmp", ".swp"):
            continue
        digest.update(f"{inside.as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def wanted(folder: Path) -> Wanted:
    """Reads a chart folder.

    The version is ``<Chart.yaml's>-h<content>``: the letter, as SemVer refuses all-digit parts with a leading 0.

    Raises:
        BadInput: the folder holds no chart.
    """
    about = about_chart(folder)
    return Wanted(folder, str(about["name"]), f"{about['version']}-h{content_key(folder)[:8]}")


def fetch(url: str, *, proxy: bool = False) -> bytes | None:
    """What an address holds, None where the server has no such file.

    Args:
        proxy: ask the one of the environment. A repository of ours is on 127.0.0.1, where none is asked.

    Raises:
        BotyardError: it does not answer, or with an error.
    """
    try:
        login = urllib3.util.make_headers(basic_auth=urllib3.util.parse_url(url).auth)
        once = urllib3.Retry(connect=0, read=0, redirect=5)
        pool = _connections(_proxy(url) if proxy else "")
        reply = pool.request("GET", url, headers=login, timeout=15, retries=once)
    except urllib3.exceptions.HTTPError as error:
        raise BotyardError(f"{url} does not answer: {type(error).__name__}", "run invoke cluster") from error
    if reply.status == 404:
        return None
    if reply.status >= 400:
        raise BotyardError(f"{url} answers HTTP {reply.status}")
    return bytes(reply.data)


@functools.cache
def _connections(proxy: str) -> urllib3.PoolManager:
    # Not requests: importing it takes 40 ms more of every release that has nothing to change.
    return urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()


def _proxy(url: str) -> str:
    parts = urlsplit(url)
    return (
        "" if urllib.request.proxy_bypass(parts.hostname or "") else urllib.request.getproxies().get(parts.scheme, "")
    )


def published(repo_url: str) -> dict[str, Any]:
    """The repository's index; an empty one where there is none yet."""
    data = fetch(f"{repo_url}/{INDEX}")
    return load_yaml(data) if data else {}


def is_published(repo_url: str, index: Mapping[str, Any], chart: Wanted) -> bool:
    """Whether this very version is in the index, alone, and its archive is whole."""
    entries = (index.get("entries") or {}).get(chart.name) or []
    if [str(e.get("version")) for e in entries] != [chart.version]:
        return False
    data = fetch(f"{repo_url}/{chart.archive}")
    return data is not None and hashlib.sha256(data).hexdigest() == entries[0].get("digest")


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> bytes:
    """An index with the new charts in place of all versions of the same name.

    Only one version a chart: they are ordered by content, so "the newest" would be a matter of chance.
    JSON is YAML. The same charts give the same index, bit for bit: helm's times are left out of it.
    """
    entries = {
        name: [{**entry, "created": _NO_TIME} for entry in versions]
        for name, versions in {**(old.get("entries") or {}), **(new.get("entries") or {})}.items()
    }
    whole = {"apiVersion": "v1", "entries": entries, "generated": _NO_TIME}
    return (json.dumps(whole, indent=1, sort_keys=True, default=str) + "\n").encode()


def publish(
    helm: Helm,
    charts: Sequence[Wanted],
    old_index: Mapping[str, Any],
    scratch: Path,
    put: Callable[[Path], None],
) -> None:
    """Checks, packages and uploads charts; the index goes last, so it never names what is not there.

    Args:
        scratch: folder for work in progress.
        put: stores one file of the repository under its name, whole or not at all.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for chart in charts:
            helm.lint(chart.folder)
            put(helm.package(chart.folder, chart.name, chart.version, Path(folder)))
        index = helm.repo_index(Path(folder))
        whole = Path(folder) / INDEX
        whole.write_bytes(merged(old_index, index))
        put(whole)
