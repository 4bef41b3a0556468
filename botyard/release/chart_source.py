"""What a chart is made of before helm renders it: can it be told that the next rendering will be the same?"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from yaml import YAMLError

from botyard import yaml11
from botyard.tools.helm import Chart, Helm

# What a template works out; read in two ways, as in prose a quote need not end.
_ACTIONS = (
    re.compile(r"\{\{.*?\}\}", re.DOTALL),
    re.compile(r'\{\{(?>/\*.*?\*/|"(?:\\.|[^"\\])*"|`[^`]*`|(?!\}\}).)*+\}\}', re.DOTALL),
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`')
# What gives another answer though nothing has changed. Not randAlphaNum and its like: where one of them counts, each
# rendering differs from the release, so no look at it ever finds it as wanted.
_BY_CHANCE = re.compile(
    r"\b(now|ago|date|dateInZone|date_in_zone|htmlDate|htmlDateInZone|durationRound|getHostByName|randInt|shuffle)\b"
)
_LOOKUP = re.compile(r"\blookup\b")
_LOOKUP_HERE = re.compile(r'\blookup\s+"([\w./-]+)"\s+"(\w+)"\s+\$?\.Release\.Namespace\b')


class Unforeseeable(Exception):
    """It cannot be told what the chart will render to."""


def identity(helm: Helm, chart: Chart) -> str:
    """Digest of a chart's content; of a repository's chart, digest of the index that leads to it.

    Raises:
        Unforeseeable: only asking a server would tell.
        OSError: it cannot be read.
    """
    path = Path(chart.ref)
    if path.is_dir():
        return _digest(part for name, content in _of_folder(path) for part in (name.encode(), content))
    if path.is_file():
        return _digest([path.read_bytes()])
    repository = _repository(chart)
    return _digest([helm.repository_index(repository).read_bytes(), helm.repository_config.read_bytes()])


def asked(helm: Helm, chart: Chart, values: Iterable[str]) -> list[tuple[str, str]]:
    """API version and kind of the objects in the release's namespace that the templates may look up.

    Args:
        values: texts that a chart may take for templates too.
    Raises:
        Unforeseeable: they ask for the time, say, or for objects elsewhere.
        OSError: the chart cannot be read.
    """
    found = set()
    for text in (*(content.decode(errors="replace") for _, content in _files(helm, chart)), *values):
        for action in {_COMMENT.sub("", action) for pattern in _ACTIONS for action in pattern.findall(text)}:
            if _BY_CHANCE.search(_TEXT.sub('""', action)):
                raise Unforeseeable("the templates ask for the time, or leave something to chance")
            here = _LOOKUP_HERE.findall(action)
            if len(here) != len(_LOOKUP.findall(action)):
                raise Unforeseeable("the templates look something up outside of the namespace")
            found.update(here)
    return sorted(found)


def _files(helm: Helm, chart: Chart) -> Iterator[tuple[str, bytes]]:
    path = Path(chart.ref)
    if path.is_dir():
        return _of_folder(path)
    return _of_archive(path.read_bytes() if path.is_file() else _fetched(helm, chart))


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files) + folders:
            path = Path(where, name)
            if path.is_symlink() or name.endswith(".tgz"):
                raise Unforeseeable(f"{path} is a link or an archive")
            if name in files:
                yield path.relative_to(folder).as_posix(), path.read_bytes()


def _of_archive(packed: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is None or member.name.endswith(".tgz"):
                    if member.isdir():
                        continue
                    raise Unforeseeable(f"{member.name} is a link or an archive")
                yield member.name, content.read()
    except tarfile.TarError as error:
        raise Unforeseeable(str(error)) from error


def _fetched(helm: Helm, chart: Chart) -> bytes:
    """The archive that the index tells the digest of, from where helm 4 keeps what it has fetched."""
    repository = _repository(chart)
    if helm.version < (4,):
        raise Unforeseeable("Helm 3 fetches it again each time")
    try:
        index = yaml11.load(helm.repository_index(repository).read_text(encoding="utf-8"))
        entries = index["entries"][chart.ref.partition("/")[2]]
        digest = str(next(one for one in entries if one["version"] == chart.version)["digest"])
    except (YAMLError, ValueError, LookupError, TypeError, StopIteration) as error:
        raise Unforeseeable("the index tells no digest") from error
    packed = helm.fetched(digest).read_bytes()
    if hashlib.sha256(packed).hexdigest() != digest:
        raise Unforeseeable("what was fetched is not what the index tells of")
    return packed


def _repository(chart: Chart) -> str:
    """Of ``repository/name`` with a version, the repository."""
    repository, _, name = chart.ref.partition("/")
    if not (name and chart.version) or "/" in name or ":" in chart.ref:
        raise Unforeseeable("which chart it is, only a server can tell")
    return repository


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}\0".encode() + part)
    return whole.hexdigest()
