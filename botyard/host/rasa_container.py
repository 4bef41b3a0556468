"""Runs ``rasa`` once in the image that serves: files go in and results come out through the engine's API."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from botyard.contracts import LABEL_CLUSTER, LABEL_KEY, BotyardError
from botyard.tools import docker

if TYPE_CHECKING:
    from docker.models.containers import Container

USER = "1001"
SHOWN = 12  # lines of what Rasa said
_RAISED = re.compile(r"(\w+\.)*[A-Z][a-z]+([A-Z][a-z]*)+: ")  # InvalidDomain: ..., as Rasa and Python print exceptions
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NOISE = re.compile(r"^\s*$|\d+%\||it/s|^(\d{4}-\d\d-\d\d \S+ )?(INFO|DEBUG)\b|^Building prefix dict")
_WARNING = re.compile(r"^\S+\.py:\d+: (\w*Warning): (.*)")
_USUAL = re.compile(r"is not used in any story or rule|^Parameter '.*' not set|^Implementing implicit namespace")


@dataclass(frozen=True)
class Ended:
    """A call of ``rasa`` that ended; its container is there until the block of ``rasa_ended`` is left.

    Args:
        returncode: exit code of ``rasa``.
        lines: what it printed, stdout and stderr as they came.
        work: its working folder inside the container.
        container: the stopped container.
    """

    returncode: int
    lines: list[str]
    work: str
    container: Container

    def get_file(self, name: str, into: Path) -> bool:
        """Brings one file of the working folder out; False where there is none."""
        return docker.get_file(self.container, f"{self.work}/{name}", into)

    def get_files(self, name: str) -> dict[str, bytes]:
        """The files right inside one folder of the working folder, by name; empty where there is no such folder."""
        return docker.get_files(self.container, f"{self.work}/{name}")

    def why(self, what: str) -> str:
        """One message: what failed, the exit code, what Rasa raised where it did, and the end of what it said."""
        lines = telling(self.lines)
        raised = max((number for number, line in enumerate(lines) if _RAISED.match(line)), default=None)
        killed = "; it was killed, often for lack of memory" if self.returncode == 137 else ""
        failed = f"Rasa could not {what} (exit code {self.returncode}{killed})"
        if raised is None:
            said = "\n".join(f"    {line}" for line in lines[-SHOWN:]) or "    (nothing)"
            return f"{failed}. The end of what it said:\n{said}"
        begin = min(raised, max(len(lines) - SHOWN, 0))  # a list of all actions may follow the reason, longer than this
        said = "".join(f"\n    {line}" for line in lines[begin : begin + SHOWN] if line != lines[raised])
        return f"{failed}: {lines[raised]}{said}"


@contextlib.contextmanager
def rasa_ended(
    purpose: str,
    argv: Sequence[str],
    files: Mapping[str, Path],
    *,
    image: str,
    cluster: str,
    key: str,
    timeout_s: float,
    on_line: Callable[[str], None] = lambda _line: None,
) -> Iterator[Ended]:
    """Runs ``rasa <argv>`` to its end in a folder with these files; the container goes when the block is left.

    Args:
        purpose: one word for the names of the container and its working folder.
        argv: what follows ``rasa``.
        files: name in the working folder -> file here.
        image: local name or id.
        cluster: whose container it is.
        key: content key of the work; the same key has the same container name, so a killed run's is found and removed.
        timeout_s: seconds until it is ended.
        on_line: gets every line that Rasa prints.

    Raises:
        CommandError: the container cannot be made.
        TimedOut: Rasa ran for longer than timeout_s.
    """
    # Files go in and out through the API: a bind mount would tie the run to the engine's own machine and its users.
    name, work = f"{cluster}-{purpose}-{key[:12]}", f"/tmp/{purpose}"  # noqa: S108 - inside the container
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        on_line(line)

    _remove(name)
    try:
        docker.cli(
            "create", "--name", name, "--label", f"{LABEL_CLUSTER}={cluster}", "--label", f"{LABEL_KEY}={key}",
            "--user", USER, "--workdir", work, "--env", f"HOME={work}", "--env", "RASA_TELEMETRY_ENABLED=false",
            "--entrypoint", "rasa", image, *argv,
        )  # fmt: skip
        container = docker.container(name)
        if container is None:
            raise BotyardError(f"the container {name} went away before it ran", "run it again")
        with _packed(purpose, files) as tar:
            docker.put_tar(container, "/tmp", tar)  # noqa: S108 - inside the container
        done = docker.cli("start", "--attach", name, timeout_s=timeout_s, check=False, on_line=keep)
        yield Ended(done.returncode, lines, work, container)
    finally:
        _remove(name)


def content_key(head: str, folder: Path, files: Sequence[Path]) -> str:
    """One hash of ``head`` and of the names (seen from ``folder``) and contents of the files, in their order."""
    digest = hashlib.sha256(head.encode())
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}\n{content}\n".encode())
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """The sha256 of one file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def telling(lines: list[str]) -> list[str]:
    """What a person wants to read of a failed run: no progress, no deprecations, no warnings that say nothing."""
    kept: list[str] = []
    after_warning = False
    for line in (_ANSI.sub("", line) for line in lines):
        warning = _WARNING.match(line)
        if _NOISE.search(line) or (after_warning and line.startswith("  ")):
            continue  # the line of code, or where to read on, that Python prints below a warning
        after_warning = warning is not None or _USUAL.search(line) is not None
        text = line if warning is None else ("" if "Deprecation" in warning[1] else warning[2])
        if text and not _USUAL.search(text):
            kept.append(text)
    return kept


def _remove(name: str) -> None:
    left = docker.container(name)
    if left is not None:
        left.remove(force=True, v=True)


def _packed(top: str, files: Mapping[str, Path]) -> IO[bytes]:
    """The files as a tar stream of one folder; any user may write to it and to them."""
    sink = tempfile.SpooledTemporaryFile(max_size=64 << 20)  # noqa: SIM115 - the caller closes it
    folders = {top}
    with tarfile.open(fileobj=sink, mode="w") as tar:
        _add_folder(tar, top)
        for name, file in files.items():
            inside = f"{top}/{name}"
            for parent in reversed(list(Path(inside).parents)[:-1]):
                if str(parent) not in folders:
                    folders.add(str(parent))
                    _add_folder(tar, str(parent))
            info = tarfile.TarInfo(inside)
            # Rasa writes into config.yml what is missing there: an assistant_id, a pipeline, policies.
            info.size, info.mode, info.mtime = file.stat().st_size, 0o666, int(time.time())
            with file.open("rb") as source:
                tar.addfile(info, source)
    sink.seek(0)
    return sink


def _add_folder(tar: tarfile.TarFile, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o777, int(time.time())
    tar.addfile(info)
