"""What ``--extra-vars`` takes: name=value, a mapping as JSON, or @FILE."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from botyard.commands.streams import as_typed
from botyard.contracts import BadInput
from botyard.playbook.check import Checker
from botyard.playbook.source import Map, Where, read_yaml, refuse
from botyard.playbook.template import Templar

_CURE = "write name=value, '{\"name\": 1}' or @file.yml; quote a value with spaces: 'name=\"two words\"'"


def extra_vars(words: Sequence[str]) -> dict[str, Any]:
    """The variables, later words over earlier ones. Values on the command line are plain; those of a file may be
    templates, as in ``vars_files``.

    Raises:
        BadInput: with the place in the file or the text, as far as there is one.
    """
    found: dict[str, Any] = {}
    for word in map(as_typed, words):
        if word.startswith("@"):
            found.update(_of_file(Path(word[1:]).expanduser()))
        elif word.lstrip().startswith("{"):
            found.update(_of_json(word))
        else:
            found.update(_of_pairs(word))
    return found


def _of_file(file: Path) -> Map:
    content = read_yaml(file)
    if not isinstance(content, Map):
        refuse(Where(file, 1, 1), "a file of variables is a mapping", "write name: value lines")
    Checker(Templar(), {}).vars(content)
    return content


def _of_json(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)  # which reads JSON too, and {a: 1}, as Ansible does
    except yaml.MarkedYAMLError as error:
        column = error.problem_mark.column if error.problem_mark else 0
        place = f"--extra-vars:1:{column + 1}: not valid JSON: {error.problem}"
        raise BadInput(f"{place}\n    {text}\n    {' ' * column}^", _CURE) from None
    return {_name(name, text): value for name, value in found.items()}


def _of_pairs(text: str) -> dict[str, Any]:
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
    except ValueError as error:
        raise BadInput(f"--extra-vars {text!r}: {str(error).lower()}", _CURE) from None
    if re.fullmatch(r"[^=\s]+\.(ya?ml|json)", text):
        raise BadInput(f"--extra-vars {text!r} is not name=value", f"a file takes an @ before it: --extra-vars @{text}")
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        raise BadInput(f"--extra-vars {text!r} is not name=value", _CURE)
    return {_name(name, text): value for name, _, value in pairs}


def _name(name: Any, text: str) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise BadInput(f"--extra-vars {text!r}: {name!r} is not a variable name", "letters, digits and _ only")
    return name
