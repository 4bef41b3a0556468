"""A bot's folder: where it is, what botyard's own settings for it are, and whether its files can be read."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode

from botyard import yaml11
from botyard.contracts import BadInput
from botyard.hints import close_to, excerpt

SETTINGS = "bot.yml"
PYTHON = (3, 11)  # of the images
# Not written by the bot's author: made by Rasa, Python, virtual environments or editors.
IGNORED_FOLDERS = frozenset({"models", "results", "__pycache__", "node_modules", "venv"})
_YAML_CURE = "give lines of one list or mapping the same indent; quote text that has ': ', or a quote, in it"
_NO_ACTIONS = Path(__file__).parent / "recipes" / "no_actions"
_APT = re.compile(r"[a-z0-9][a-z0-9+.:~=-]*")
_PIP = re.compile(r"[A-Za-z0-9.][^\s;'\"`$\\|&]*")


@dataclass(frozen=True)
class Bot:
    """One bot.

    Args:
        name: short name, part of file names.
        dir: its folder, absolute.
        extra_apt: Debian packages for the Rasa image, separated by spaces.
        extra_pip: Python requirements for the Rasa image, separated by spaces.
    """

    name: str
    dir: Path
    extra_apt: str = ""
    extra_pip: str = ""

    @property
    def actions(self) -> Path:
        """The folder of its custom actions; where it has none, one that offers none."""
        own = self.dir / "actions"
        return own if any(walk(own)) else _NO_ACTIONS


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field("", pattern=r"^([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?$")
    extra_apt: list[str] = []
    extra_pip: list[str] = []

    @field_validator("extra_apt", "extra_pip", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return value.split() if isinstance(value, str) else (value or [])

    @field_validator("extra_apt")
    @classmethod
    def _packages(cls, value: list[str]) -> list[str]:
        return _all_match(value, _APT, "Debian package")

    @field_validator("extra_pip")
    @classmethod
    def _requirements(cls, value: list[str]) -> list[str]:
        return _all_match(value, _PIP, "Python requirement (without spaces)")


def _all_match(words: list[str], pattern: re.Pattern[str], what: str) -> list[str]:
    for word in words:
        if not pattern.fullmatch(word):
            raise ValueError(f"{word!r} is no name of a {what}")
    return words


def load_bot(root: Path, name_or_path: str) -> Bot:
    """Finds a bot by its name in ``bots/`` or by its path, and reads every YAML and Python file in it.

    Raises:
        BadInput: no such bot, a file missing that every bot needs, YAML or Python that cannot be parsed
            (file:line:column), or a wrong setting in bot.yml.
    """
    folder = _find(root, name_or_path)
    shown = _shown(root, folder)
    if not (folder / "domain.yml").is_file() and not (folder / "domain").is_dir():
        raise BadInput(f"{shown} has no domain.yml", "a bot's folder holds config.yml, domain.yml and data/")
    if not (folder / "config.yml").is_file():
        raise BadInput(f"{shown} has no config.yml", "a bot's folder holds config.yml, domain.yml and data/")
    if not (folder / "data").is_dir():
        raise BadInput(f"{shown} has no folder data", "put nlu.yml and rules.yml into it")
    documents = {file: _read(root, file) for file in yaml_files(folder)}
    for name in ("config.yml", "domain.yml"):
        if folder / name in documents and not isinstance(documents[folder / name], MappingNode):
            raise BadInput(f"{shown}/{name} is empty or no mapping", "bots/tea has an example")
    for file in walk(folder):
        if file.suffix == ".py":
            _must_be_python(root, file)
    settings = _settings(f"{shown}/{SETTINGS}", documents.get(folder / SETTINGS))
    name = settings.name or re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:40].strip("-") or "bot"
    return Bot(name, folder, " ".join(settings.extra_apt), " ".join(settings.extra_pip))


def yaml_files(folder: Path) -> Iterator[Path]:
    """Every YAML file that the bot's author wrote, in a fixed order."""
    for file in walk(folder):
        if file.suffix in (".yml", ".yaml"):
            yield file


def walk(folder: Path) -> Iterator[Path]:
    """Every file of the bot, in a fixed order: without hidden ones and without what tools have made."""
    for parent, folders, files in os.walk(folder):
        at_top = Path(parent) == folder
        folders[:] = sorted(
            f
            for f in folders
            if not f.startswith(".") and not (f == "__pycache__" or (at_top and f in IGNORED_FOLDERS))
        )
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent) / name


def _find(root: Path, name_or_path: str) -> Path:
    bots = root / "bots"
    named = bots / name_or_path
    if name_or_path and "/" not in name_or_path and name_or_path not in (".", "..") and named.is_dir():
        return named.resolve()
    path = Path(name_or_path).expanduser()
    is_path = "/" in name_or_path or name_or_path in (".", "..")
    if is_path and path.is_dir():
        return path.resolve()
    if is_path:
        raise BadInput(f"there is no bot folder {name_or_path}", "give a name in bots/ or the path of a folder")
    known = sorted(p.name for p in bots.iterdir() if p.is_dir() and not p.name.startswith(".")) if bots.is_dir() else []
    hint = f"a path has a slash in it: ./{name_or_path};" if path.is_dir() else close_to(name_or_path, known)
    cure = f"{hint} bots/ has: {', '.join(known) or 'none'}".lstrip()
    raise BadInput(f"unknown bot {name_or_path!r}", cure)


def _read(root: Path, file: Path) -> Any:
    """The document of one file as YAML nodes."""
    shown = _shown(root, file)
    try:
        node = yaml11.compose(file.read_text(encoding="utf-8"))
        yaml11.check(node)
        return node
    except OSError as error:
        raise BadInput(f"{shown}: cannot be read: {error.strerror}", "mend or remove that file") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        problem = str(error.problem or error.context).splitlines()[0]
        begun = error.context_mark  # an open bracket or quote shows far below the line that is wrong
        above = f" (in what begins in line {begun.line + 1})" if begun and mark and begun.line < mark.line else ""
        cure = "keep one of the two" if "duplicate" in problem else _YAML_CURE
        line = _excerpt(file, mark.line + 1, mark.column + 1) if mark else ""
        raise BadInput(f"{where}: not valid YAML: {problem}{above}{line}", cure) from None
    except RecursionError:
        raise BadInput(f"{shown}: not valid YAML: it nests too deeply", "mend that file") from None
    except (YAMLError, UnicodeDecodeError) as error:
        where = f"{shown}{_first_wrong_character(file, getattr(error, 'position', None))}"
        raise BadInput(f"{where}: not readable as YAML: {str(error).splitlines()[0]}", "save it as UTF-8") from None


def _must_be_python(root: Path, file: Path) -> None:
    """A slip in an action would otherwise show as pods that do not start, minutes later."""
    try:
        ast.parse(file.read_bytes(), feature_version=PYTHON)
    except OSError as error:
        raise BadInput(f"{_shown(root, file)}: cannot be read: {error.strerror}", "mend or remove that file") from None
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        where = f"{_shown(root, file)}:{line}:{column}: not valid Python: {error.msg}"
        raise BadInput(f"{where}{_excerpt(file, line, column)}", "mend that line, or the one above") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"{_shown(root, file)}: not valid Python: {error}", "mend or remove that file") from None


def _excerpt(file: Path, line: int, column: int) -> str:
    found = excerpt(file, line, column)
    return f"\n{found}" if found else ""


def _first_wrong_character(file: Path, position: int | None) -> str:
    """``:line:column`` of the first byte that is no UTF-8, else of the character at ``position`` if that is known."""
    data = file.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        text, position = data[: error.start].decode(), error.start
    if position is None:
        return ""
    before = text[:position]
    return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _settings(shown: str, node: Any) -> _Settings:
    cure = "it takes name, extra_apt and extra_pip"
    try:
        document = yaml11.values(node) or {}
    except (ValueError, YAMLError) as error:
        raise BadInput(f"{shown}: {str(error).splitlines()[0]}", cure) from None
    if not isinstance(document, dict):
        raise BadInput(f"{shown}: is no mapping", cure)
    try:
        return _Settings(**document)
    except (ValidationError, TypeError) as error:
        if isinstance(error, TypeError):
            raise BadInput(f"{shown}: its keys must be words", cure) from None
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{shown}: {where}: {first['msg']}", cure) from None


def _shown(root: Path, path: Path) -> str:
    try:
        return str(path.relative_to(root.resolve()))
    except ValueError:
        return str(path)
