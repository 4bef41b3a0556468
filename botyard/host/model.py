"""Trains a bot's model inside the image that will serve it, once for the same input, and names it by its content."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from botyard import yaml11
from botyard.contracts import BotyardError
from botyard.host.bot import Bot, walk
from botyard.host.rasa_container import content_key, rasa_ended, sha256_of

# Raise it when training itself changes, so that models made the old way are made again.
RECIPE = "1"
TRAIN_TIMEOUT_S = 3600
# Of no influence on the model: actions and channels, tests, what is for people or for botyard, wheels (in the image).
NOT_TRAINING_FOLDERS = frozenset({"actions", "tests", "wheels"})
NOT_TRAINING_FILES = frozenset({"bot.yml", "conversations.yml", "credentials.yml", "endpoints.yml"})
_COMPONENT = re.compile(r"Starting to train component '([^']+)'")


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
    return content_key(f"{RECIPE}\n{image_id}\n", folder, training_files(folder))


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


def has_assistant_id(bot: Bot) -> bool:
    """Whether config.yml says which assistant it is; else Rasa makes up another id at each training."""
    config = yaml11.values(yaml11.compose((bot.dir / "config.yml").read_text(encoding="utf-8"))) or {}
    return config.get("assistant_id") not in (None, "placeholder_default")


def domain_of(bot: Bot) -> str:
    """The bot's domain as Rasa's command line takes it: a file or a folder of files."""
    return "domain.yml" if (bot.dir / "domain.yml").is_file() else "domain"


def _train(bot: Bot, image: str, key: str, cluster: str, into: Path, progress: Callable[[str], None]) -> None:
    def on_line(line: str) -> None:
        component = _COMPONENT.search(line)
        if component:
            progress(f"training {component[1]}")

    argv = ["train", "--config", "config.yml", "--domain", domain_of(bot), "--data", "data"]
    argv += ["--out", "models", "--fixed-model-name", "model"]
    files = {file.relative_to(bot.dir).as_posix(): file for file in training_files(bot.dir)}
    progress("training starts")
    with rasa_ended(
        "train", argv, files, image=image, cluster=cluster, key=key, timeout_s=TRAIN_TIMEOUT_S, on_line=on_line
    ) as ended:
        if ended.returncode != 0 or not ended.get_file("models/model.tar.gz", into):
            raise BotyardError(ended.why(f"train {bot.name}"), "mend the bot's files; rasa data validate tells more")
