"""Trains a bot's model inside the image that will serve it, once for the same input, and names it by its content."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from botyard.contracts import LABEL_CLUSTER, LABEL_KEY, BotyardError
from botyard.host.bot import Bot, walk
from botyard.tools import docker

# Raise it when training itself changes, so that models made the old way are made again.
RECIPE = "1"
USER = "1001"
WORK = "/tmp/train"  # noqa: S108 - inside the container
TRAIN_TIMEOUT_S = 3600
# Of no influence on the model: actions and channels, tests, what is for people or for botyard, wheels (in the image).
NOT_TRAINING_FOLDERS = frozenset({"actions", "tests", "wheels"})
NOT_TRAINING_FILES = frozenset({"bot.yml", "conversations.yml", "credentials.yml", "endpoints.yml"})
_COMPONENT = re.compile(r"Starting to train component '([^']+)'")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NOISE = re.compile(r"^\s*$|\d+%\||it/s|^(\d{4}-\d\d-\d\d \S+ )?(INFO|DEBUG)\b|^Building prefix dict")
_WARNING = re.compile(r"^\S+\.py:\d+: (\w*Warning): (.*)")
_USUAL = re.compile(r"is not used in any story or rule|^Parameter '.*' not set|^Implementing implicit namespace")


@dataclass(frozen=True)
class Model:
    """A trained model in the cache; ``seconds`` is what training it took, ``trained`` whether that was just now."""

    path: Path
    file: str
    sha256: str
    key: str
    seconds: float
    trained: bool


def training_files(folder: Path) -> list[Path]:
    """The files of a bot that its model is made from (custom components beside config.yml included)."""
    found = []
    for file in walk(folder):
        parts = file.relative_to(folder).parts
        if len(parts) > 1 and parts[0] in NOT_TRAINING_FOLDERS:
            continue
        if len(parts) == 1 and (file.name in NOT_TRAINING_FILES or file.suffix == ".md"):
            continue
        found.append(file)
    return found


def training_key(folder: Path, image_id: str) -> str:
    """What a model depends on, as one hash: names and contents of its training files, and the image."""
    digest = hashlib.sha256(f"{RECIPE}\n{image_id}\n".encode())
    for file in training_files(folder):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}\n{content}\n".encode())
    return digest.hexdigest()


def cached(cache: Path, key: str) -> Model | None:
    """The model of that key, or None where there is none or its file is not what was stored."""
    folder = cache / "models" / key
    try:
        note = json.loads((folder / "model.json").read_text())
        path = folder / str(note["file"])
        if sha256_of(path) != note["sha256"]:
            return None
        return Model(path, path.name, str(note["sha256"]), key, float(note["seconds"]), trained=False)
    except (FileNotFoundError, KeyError, ValueError, TypeError):
        return None


def ensure(
    bot: Bot, image_id: str, cache: Path, cluster: str, *, progress: Callable[[str], None] = lambda _line: None
) -> Model:
    """The model for this bot and image, from the cache or trained now.

    Raises:
        BotyardError: Rasa could not train it; the message has the end of what Rasa said.
    """
    key = training_key(bot.dir, image_id)
    models = cache / "models"
    models.mkdir(parents=True, exist_ok=True)
    with _Alone(models / f"{key}.lock", progress):
        found = cached(cache, key)
        if found is not None:
            return found
        half_made, final = models / f"{key}.part", models / key
        for leftover in (half_made, final):
            shutil.rmtree(leftover, ignore_errors=True)
        half_made.mkdir()
        started = time.monotonic()
        raw = half_made / "model.tar.gz"
        try:
            _train(bot, image_id, key, cluster, raw, progress)
        except BotyardError:
            shutil.rmtree(half_made, ignore_errors=True)
            raise
        seconds = round(time.monotonic() - started, 1)
        sha256 = sha256_of(raw)
        file = f"{bot.name}-{sha256[:12]}.tar.gz"
        raw.rename(half_made / file)
        note = {"bot": bot.name, "file": file, "sha256": sha256, "image": image_id, "seconds": seconds}
        (half_made / "model.json").write_text(json.dumps(note, indent=2) + "\n")
        half_made.rename(final)
    return Model(final / file, file, sha256, key, seconds, trained=True)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Alone:
    """A lock of the shared cache; says so where another run holds it."""

    def __init__(self, file: Path, progress: Callable[[str], None]) -> None:
        self._lock = FileLock(file)
        self._progress = progress

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._progress("another run trains the same model; waiting for it")
            try:
                self._lock.acquire(timeout=TRAIN_TIMEOUT_S)
            except Timeout:
                raise BotyardError("another run trains the same model and does not end", "end it, then again") from None

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _train(bot: Bot, image: str, key: str, cluster: str, into: Path, progress: Callable[[str], None]) -> None:
    # Files go in and out through the API: a bind mount would tie training to the engine's own machine and its users.
    name = f"{cluster}-train-{key[:12]}"
    left = docker.container(name)
    if left is not None:
        left.remove(force=True, v=True)
    domain = "domain.yml" if (bot.dir / "domain.yml").is_file() else "domain"
    lines: list[str] = []

    def on_line(line: str) -> None:
        component = _COMPONENT.search(line)
        if component:
            progress(f"training {component[1]}")
        lines.append(line)

    try:
        docker.cli(
            "create", "--name", name, "--label", f"{LABEL_CLUSTER}={cluster}", "--label", f"{LABEL_KEY}={key}",
            "--user", USER, "--workdir", WORK, "--env", f"HOME={WORK}", "--env", "RASA_TELEMETRY_ENABLED=false",
            "--entrypoint", "rasa", image,
            "train", "--config", "config.yml", "--domain", domain, "--data", "data",
            "--out", "models", "--fixed-model-name", "model",
        )  # fmt: skip
        container = docker.container(name)
        if container is None:
            raise BotyardError(f"the container {name} went away before training", "run it again")
        with _packed(bot.dir) as tar:
            docker.put_tar(container, "/tmp", tar)  # noqa: S108 - inside the container
        progress("training starts")
        done = docker.cli("start", "--attach", name, timeout_s=TRAIN_TIMEOUT_S, check=False, on_line=on_line)
        got = done.returncode == 0 and docker.get_file(container, f"{WORK}/models/model.tar.gz", into)
        if not got:
            raise BotyardError(_why(bot, done.returncode, lines), "mend the bot's files; rasa data validate tells more")
    finally:
        left = docker.container(name)
        if left is not None:
            left.remove(force=True, v=True)


def telling(lines: list[str]) -> list[str]:
    """What a person wants to read of a failed training: no progress, no deprecations, no warnings that say nothing."""
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


def _why(bot: Bot, returncode: int, lines: list[str]) -> str:
    said = "\n".join(f"    {line}" for line in telling(lines)[-12:]) or "    (nothing)"
    killed = "; it was killed, often for lack of memory" if returncode == 137 else ""
    return f"Rasa could not train {bot.name} (exit code {returncode}{killed}). The end of what it said:\n{said}"


def _packed(folder: Path) -> IO[bytes]:
    """The training files as a tar stream of one folder that any user may write to."""
    sink = tempfile.SpooledTemporaryFile(max_size=64 << 20)  # noqa: SIM115 - the caller closes it
    top = WORK.rsplit("/", 1)[1]
    folders = {top}
    with tarfile.open(fileobj=sink, mode="w") as tar:
        _add_folder(tar, top)
        for file in training_files(folder):
            inside = f"{top}/{file.relative_to(folder).as_posix()}"
            for parent in reversed(list(Path(inside).parents)[:-1]):
                if str(parent) not in folders:
                    folders.add(str(parent))
                    _add_folder(tar, str(parent))
            data = file.read_bytes()
            info = tarfile.TarInfo(inside)
            info.size, info.mode, info.mtime = len(data), 0o644, int(time.time())
            tar.addfile(info, io.BytesIO(data))
    sink.seek(0)
    return sink


def _add_folder(tar: tarfile.TarFile, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o777, int(time.time())
    tar.addfile(info)
