"""Docker: the CLI for builds and runs (the SDK has no BuildKit), the SDK to look at things."""

from __future__ import annotations

import contextlib
import functools
import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botyard.contracts import BotyardError
from botyard.later import later
from botyard.process import Arg, Completed, run

if TYPE_CHECKING:
    import docker
    import docker.errors
    import requests
    from docker.models.containers import Container
    from docker.models.images import Image
else:
    docker, requests = later("docker"), later("requests")


@functools.lru_cache(maxsize=1)
def client() -> docker.DockerClient:
    """The SDK's client for the engine that the environment names.

    Raises:
        BotyardError: no engine answers.
    """
    try:
        return docker.from_env(timeout=120)
    except docker.errors.DockerException as error:
        raise BotyardError("no Docker engine answers", "run invoke doctor") from error


def engine_answers(timeout_s: int = 5) -> bool:
    """Whether an engine answers a ping now."""
    try:
        probe = docker.from_env(timeout=timeout_s)
    except (docker.errors.DockerException, OSError):
        return False
    try:
        return bool(probe.ping())
    except (docker.errors.APIError, OSError):
        return False
    finally:
        probe.close()


def cli(
    *argv: Arg,
    stdin: str | None = None,
    timeout_s: float = 600,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Completed:
    """Runs ``docker <argv>``; see process.run for the errors."""
    return run(["docker", *argv], stdin=stdin, timeout_s=timeout_s, check=check, env=env, on_line=on_line)


_yet_to_be_started = False


def take_as_empty(yes: bool) -> None:
    """Check mode where the engine would be started first: looking finds nothing instead of failing."""
    global _yet_to_be_started
    _yet_to_be_started = yes


def image(ref: str) -> Image | None:
    """The local image of that name or id, or None."""
    if _yet_to_be_started:
        return None
    try:
        return client().images.get(ref)
    except docker.errors.ImageNotFound:
        return None


def tags_of(repository: str) -> list[str]:
    """All local tags of a repository, those of the newest image first."""
    found = sorted(client().images.list(name=repository), key=lambda one: str(one.attrs["Created"]), reverse=True)
    return [tag for one in found for tag in one.tags if tag.startswith(f"{repository}:")]


def container(name: str) -> Container | None:
    """The container of that name in any state, or None."""
    if _yet_to_be_started:
        return None
    try:
        return client().containers.get(name)
    except docker.errors.NotFound:
        return None


def containers(label: str) -> list[Container]:
    """All containers, running or not, with that label (``key`` or ``key=value``)."""
    if _yet_to_be_started:
        return []
    return list(client().containers.list(all=True, filters={"label": label}, ignore_removed=True))


def build(
    context: Path,
    tag: str,
    *,
    build_args: Mapping[str, str],
    labels: Mapping[str, str],
    dockerfile: Path | None = None,
    pass_env: Sequence[str] = (),
    timeout_s: float = 1800,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Builds an image with whichever builder the CLI has; returns the image id.

    ``pass_env`` names variables of this process that become build arguments: no value is in an argument list.

    Dockerfiles keep to what the classic builder knows (no RUN --mount, no heredoc).
    """
    argv: list[Arg] = ["build", "--network", "host", "--tag", tag]
    for key, value in build_args.items():
        argv += ["--build-arg", f"{key}={value}"]
    for key in pass_env:
        argv += ["--build-arg", key]
    for key, value in labels.items():
        argv += ["--label", f"{key}={value}"]
    if dockerfile is not None:
        argv += ["--file", dockerfile]
    cli(*argv, context, timeout_s=timeout_s, on_line=on_line)
    built = image(tag)
    if built is None:
        raise BotyardError(f"docker build ended well but there is no image {tag}")
    return str(built.id)


def put_file(target: Container, folder: str, name: str, data: bytes, mode: int = 0o644) -> None:
    """Writes one file into a container's folder (which must exist), at once under its final name."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), mode
        tar.addfile(info, io.BytesIO(data))
    if not target.put_archive(folder, sink.getvalue()):
        raise BotyardError(f"could not write {folder}/{name} into container {target.name}")


def exec_in(name: str, argv: Sequence[str], *, check: bool = True, timeout_s: float = 120) -> Completed:
    """Runs a program inside a running container."""
    return cli("exec", name, *argv, check=check, timeout_s=timeout_s)


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """``docker inspect`` of a network or volume as a mapping, or None."""
    if _yet_to_be_started:
        return None
    try:
        api = client().api
        found: dict[str, Any] = api.inspect_network(name) if kind == "network" else api.inspect_volume(name)
        return found
    except docker.errors.NotFound:
        return None


def put_tar(target: Container, folder: str, tar: IO[bytes] | Iterator[bytes]) -> None:
    """Unpacks a tar stream into a container's folder (which must exist)."""
    if not target.put_archive(folder, tar):
        raise BotyardError(f"could not write into {folder} of container {target.name}")


def put_path(target: Container, folder: str, name: str, path: Path, mode: int = 0o644) -> None:
    """Streams one file of any size into a container's folder (which must exist)."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = path.stat().st_size, mode, int(path.stat().st_mtime)

    def stream() -> Iterator[bytes]:
        yield info.tobuf()
        with path.open("rb") as file:
            yield from iter(lambda: file.read(1 << 20), b"")
        yield bytes(-info.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)

    put_tar(target, folder, stream())


def get_file(target: Container, path: str, into: Path) -> bool:
    """Brings one file out of a container, running or not; False where there is none."""
    try:
        chunks, _ = target.get_archive(path)
    except docker.errors.NotFound:
        return False
    with tempfile.TemporaryFile() as packed:
        for chunk in chunks:
            packed.write(chunk)
        packed.seek(0)
        with tarfile.open(fileobj=packed) as tar:
            member = next((m for m in tar if m.isfile()), None)
            source = tar.extractfile(member) if member is not None else None
            if source is None:
                return False
            with into.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    return True


def get_files(target: Container, folder: str) -> dict[str, bytes]:
    """The files right inside one small folder of a container, by name; empty where there is no such folder."""
    try:
        chunks, _ = target.get_archive(folder)
    except docker.errors.NotFound:
        return {}
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        for member in tar:
            source = tar.extractfile(member) if member.name.count("/") == 1 else None
            if source is not None:
                found[member.name.split("/")[1]] = source.read()
    return found


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextlib.contextmanager
def saved(image_id: str, timeout_s: int = 900) -> Iterator[IO[bytes]]:
    """What ``docker save`` gives, as a stream; the engine may take a while before the first byte."""
    own = docker.from_env(timeout=timeout_s)  # a connection of its own: reading it may stop half-way
    try:
        yield io.BufferedReader(_Chunks(iter(own.api.get_image(image_id, chunk_size=1 << 20))), 1 << 20)
    except requests.RequestException as error:
        raise BotyardError(f"docker save {image_id} broke off: {type(error).__name__}", "run invoke doctor") from error
    finally:
        own.close()
