"""The keywords of plays, blocks and tasks: which there are, and what values they take."""

from __future__ import annotations

import keyword as python
from collections.abc import Callable
from typing import Any

from botyard.hints import close_to
from botyard.playbook import refused
from botyard.playbook.source import Map, Seq, Text, Where, refuse

# Kinds of value; "?" at the end: a template that gives one will do as well.
PLAY = {
    "name": "text",
    "hosts": "text",
    "connection": "text",
    "gather_facts": "bool",
    "vars": "map",
    "vars_files": "names",
    "tasks": "list",
    "handlers": "list",
    "force_handlers": "bool",
    "tags": "tags",
    "environment": "map",
    "ignore_errors": "bool?",
    "no_log": "bool?",
    "check_mode": "bool?",
    "diff": "bool?",
}
IMPORT = {
    "import_playbook": "text",
    "ansible.builtin.import_playbook": "text",
    "name": "text",
    "vars": "map",
    "tags": "tags",
    "when": "conditions",
}
SHARED = {
    "name": "text",
    "when": "conditions",
    "vars": "map",
    "tags": "tags",
    "environment": "map",
    "ignore_errors": "bool?",
    "no_log": "bool?",
    "check_mode": "bool?",
    "diff": "bool?",
    "notify": "handlers",
}
BLOCK = {**SHARED, "block": "list", "rescue": "list", "always": "list"}
IMPORT_TASKS = {**SHARED, "import_tasks": "any", "ansible.builtin.import_tasks": "any"}
TASK = {
    **SHARED,
    "loop": "list?",
    "loop_control": "map",
    "register": "identifier",
    "until": "conditions",
    "retries": "int?",
    "delay": "number?",
    "changed_when": "conditions",
    "failed_when": "conditions",
}
LISTEN = {"listen": "handlers"}
HANDLER = TASK | LISTEN
_INCLUDED = ("name", "when", "vars", "tags", "ignore_errors", "no_log", "loop", "loop_control", "register")
INCLUDE = {word: TASK[word] for word in _INCLUDED}
META = {word: TASK[word] for word in ("name", "when", "vars", "tags", "ignore_errors")}
LOOP_CONTROL = {"loop_var": "identifier", "index_var": "identifier", "label": "any", "pause": "number?"}


def refuse_unknown(word: str, known: dict[str, Any] | list[str], where: Where, what: str) -> None:
    """Raises BadInput for a word that is no keyword here."""
    short = word.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
    if short in refused.WORDS:
        refuse(where, f"{what} {word!r} is not supported", refused.WORDS[short])
    if short.startswith("with_"):
        refuse(where, f"{what} {word!r} is not supported", "use loop")
    there = f"there are: {', '.join(sorted(known))}" if len(known) < 20 else "invoke doc lists all that there are"
    refuse(where, f"unknown {what} {word!r}", close_to(word, known) or there)


def check_value(word: str, kind: str, value: Any, where: Where) -> None:
    """Raises BadInput where the value is of a wrong kind (as far as it is literal)."""
    if kind.endswith("?") and isinstance(value, Text) and value.is_template:
        return
    if kind == "map" and isinstance(value, Map):
        for key in value:
            if not isinstance(key, str):
                refuse(value.keys_at[key], f"{word}: the key {_what(key)} is no text", "quote it")
    what, fits = KINDS[kind.removesuffix("?")]
    if not fits(value):
        refuse(where, f"{word} takes {what}, not {_what(value)}")


def _identifier(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and not python.iskeyword(value)


def _conditions(value: Any) -> bool:
    return all(isinstance(one, bool | Text) for one in (value if isinstance(value, Seq) else [value]))


def _words(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str | int) for v in value))


def _tags(value: Any) -> bool:
    return _words(value) and not any(set(word) & set(" []{}") for word in words(value))


_Fits = Callable[[Any], bool]
KINDS: dict[str, tuple[str, _Fits]] = {
    "any": ("anything", lambda _value: True),
    "text": ("text", lambda value: isinstance(value, str | int | float) and not isinstance(value, bool)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "int": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "number": ("a number of seconds", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "map": ("a mapping", lambda value: isinstance(value, Map)),
    "list": ("a list", lambda value: isinstance(value, Seq)),
    "tags": ("a tag or a list of tags (no blanks, no templates)", _tags),
    "handlers": ("the name of a handler or a list of names", _words),
    "names": ("a file name or a list of them", _words),
    "identifier": ("a variable name (letters, digits, _; no reserved word)", _identifier),
    "conditions": ("an expression or a list of them", _conditions),
}


def _what(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Map):
        return "a mapping (a string that holds ': ' or starts with {{ needs quotes)"
    if isinstance(value, Seq):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value!r}"


def words(value: Any) -> list[str]:
    """Tags or names: one word, words separated by commas, or a list."""
    items = value if isinstance(value, list) else str(value).split(",")
    return [str(item).strip() for item in items if str(item).strip()]
