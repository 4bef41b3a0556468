"""Which of a chart's values are secrets? Helm does not say, so their keys are read: over-hiding costs a few stars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yaml.error import YAMLError

from botyard import yaml11
from botyard.release import desired

# The last word of a key (dbPassword, DB_PASSWORD, db-password); what ends otherwise (secretName) only names a secret.
_LAST = {"bearer", "credential", "passphrase", "passwd", "password", "pwd", "secret", "token"}
_LAST_TWO = {(first, "key") for first in ("access", "api", "encryption", "master", "private", "secret", "signing")}
_NAMES_ONE = {"existing", "pull"}  # existingSecret, pullSecret: the name of one that lies elsewhere
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IN_A_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:([^/\s@]+)@")
_A_SECRET = re.compile(r"^kind:\s*['\"]?Secret\b", re.MULTILINE)


def of_values(values: Any, secret: bool = False) -> Iterator[str]:
    """The texts in a tree of values that must never be shown.

    These stand under a key that says so (``password``, ``apiKey``), beside such a name (``{name: TOKEN, value: x}``, as
    in a container's env), or as the password in a URL.
    """
    if isinstance(values, Mapping):
        named = isinstance(values.get("name"), str) and _says_so(values["name"])
        for key, value in values.items():
            yield from of_values(value, _says_so(str(key)) or (named and key == "value"))
    elif isinstance(values, Sequence) and not isinstance(values, str):
        for value in values:
            yield from of_values(value, secret)
    elif secret and isinstance(values, str | int | float) and not isinstance(values, bool):
        yield str(values)
    elif isinstance(values, str):
        yield from _IN_A_URL.findall(values)


def of_files(files: Sequence[Path]) -> Iterator[str]:
    """The same for values files; one that is no YAML is left to helm, which will refuse it."""
    for file in files:
        try:
            yield from of_values(yaml11.load(file.read_text(encoding="utf-8")))
        except (OSError, YAMLError, ValueError, RecursionError):
            continue


def holds_a_secret(manifest: str) -> bool:
    return _A_SECRET.search(manifest) is not None


def of_manifest(manifest: str) -> Iterator[str]:
    """The values of the Secrets that a chart renders."""
    if holds_a_secret(manifest):
        for body in desired.load_documents(manifest):
            yield from desired.secret_values(body)


def _says_so(key: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words or (words[-1] == "secret" and _NAMES_ONE.intersection(words)):
        return False
    return words[-1] in _LAST or tuple(words[-2:]) in _LAST_TWO
