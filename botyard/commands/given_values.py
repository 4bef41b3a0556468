"""What ``--values`` and ``--set`` of a deploy take: Helm values for one of the two charts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from botyard import yaml11
from botyard.commands.streams import as_typed
from botyard.contracts import BadInput

CHARTS = ("rasa", "rasa-action-server")
_SET_CURE = "write it as in --set replicaCount=3 or --set rasa-action-server:replicaCount=2; \\. is a dot within a key"


def given_values(files: Sequence[str], settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By chart: ``files`` (absolute paths, later ones win) and ``set`` (a mapping that wins over them).

    Raises:
        BadInput: no such file, no mapping in it, an unknown chart, or a setting that is not key=value.
    """
    found: dict[str, dict[str, Any]] = {chart: {"files": [], "set": {}} for chart in CHARTS}
    for word in map(as_typed, files):
        chart, text = _chart(word)
        found[chart]["files"].append(_file(text))
    for word in map(as_typed, settings):
        chart, text = _chart(word)
        _put(found[chart]["set"], text, word)
    return found


def _chart(word: str) -> tuple[str, str]:
    """``rasa-action-server:x`` is for that chart; without a name in front it is for rasa."""
    name, colon, rest = word.partition(":")
    return (name, rest) if colon and name in CHARTS else ("rasa", word)


def _file(text: str) -> str:
    path = Path(text).expanduser().resolve()
    try:
        written = path.read_text(encoding="utf-8")
        content = yaml11.load(written)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text in UTF-8"
        raise BadInput(f"--values {path}: {reason}", "give a YAML file, or rasa-action-server:FILE") from None
    except yaml.MarkedYAMLError as error:
        line, column, what, cure = yaml11.fault(written, error)
        raise BadInput(f"--values {path}:{line}:{column}: not valid YAML: {what}", cure) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"--values {path}: not valid YAML: {error}") from None
    if content is not None and not isinstance(content, dict):
        raise BadInput(f"--values {path}: a values file is a mapping", "write key: value lines")
    return str(path)


def _put(into: dict[str, Any], text: str, word: str) -> None:
    key, equals, value = text.partition("=")
    names = [name.replace("\0", ".") for name in key.replace("\\.", "\0").split(".")]
    if not equals or not all(name.strip() == name != "" for name in names):
        raise BadInput(f"--set {word!r} is not key=value", _SET_CURE)
    if any("[" in name for name in names):
        raise BadInput(
            f"--set {word!r}: a list cannot be changed by its index", "give the whole list: --set 'a=[1, 2]'"
        )
    try:
        wanted = yaml11.load(value)  # 3 is a number, "3" a text, [a, b] a list
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadInput(f"--set {word!r}: the value is not valid YAML", "quote it: --set 'key=\"a: b\"'") from None
    for name in names[:-1]:
        into = into.setdefault(name, {})
        if not isinstance(into, dict):
            raise BadInput(f"--set {word!r}: an earlier --set gives {name} a value of its own", _SET_CURE)
    into[names[-1]] = wanted
