"""The keywords of plays, blocks and tasks: which there are, what values they take, and why others are refused."""

from __future__ import annotations

import keyword as python
from typing import Any

from botyard.playbook.source import Map, Seq, Text, Where, close_to, refuse

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

_ONE_HOST = "everything runs on this machine; the target is chosen by --target"
_ONE_USER = "tasks run as the user who started botyard"
_NO_SHELL = "no shell is ever used; use ansible.builtin.command"
REFUSED: dict[str, str] = {
    "action": "write the module's name as the key",
    "any_errors_fatal": "the first failure always ends the playbook",
    "args": "write the arguments below the module's name",
    "async": "a task runs to its end; playbooks run side by side by import_playbook with vars: {side_by_side: GROUP}",
    "become": _ONE_USER,
    "become_exe": _ONE_USER,
    "become_flags": _ONE_USER,
    "become_method": _ONE_USER,
    "become_user": _ONE_USER,
    "blockinfile": "write the whole file by ansible.builtin.template or copy",
    "break_when": "a loop runs to its end",
    "collections": "write modules with their full name",
    "connection": "only a play has it, as connection: local",
    "debugger": "use --debug and --start-at-task",
    "delegate_facts": _ONE_HOST,
    "delegate_to": _ONE_HOST,
    "extended": "a loop has index_var alone",
    "fact_path": "facts are never gathered",
    "gather_subset": "facts are never gathered",
    "gather_timeout": "facts are never gathered",
    "get_url": "use ansible.builtin.uri with dest",
    "ignore_unreachable": "this machine is always reachable",
    "import_role": "there are no roles; use import_tasks",
    "include": "use include_tasks or import_tasks",
    "include_role": "there are no roles; use import_tasks",
    "include_vars": "use vars_files of the play",
    "lineinfile": "write the whole file by ansible.builtin.template or copy",
    "listen": "only handlers listen",
    "local_action": "every task is local: write the module's name as the key",
    "max_fail_percentage": _ONE_HOST,
    "module_defaults": "write the arguments at each task",
    "order": _ONE_HOST,
    "poll": "a task runs to its end",
    "port": _ONE_HOST,
    "post_tasks": "put them at the end of tasks, after meta: flush_handlers",
    "pre_tasks": "put them at the start of tasks, and meta: flush_handlers after them",
    "raw": _NO_SHELL,
    "remote_user": _ONE_HOST,
    "replace": "write the whole file by ansible.builtin.template or copy",
    "roles": "there are no roles; use import_tasks",
    "run_once": _ONE_HOST,
    "script": _NO_SHELL,
    "serial": _ONE_HOST,
    "setup": "facts are never gathered",
    "shell": _NO_SHELL,
    "slurp": "use lookup('file', PATH)",
    "strategy": "tasks run in order; playbooks run side by side by import_playbook with vars: {side_by_side: GROUP}",
    "throttle": _ONE_HOST,
    "timeout": "long-running modules have a timeout argument of their own",
    "validate_argspec": "there are no roles; use ansible.builtin.assert",
    "vars_prompt": "runs never ask; use --extra-vars",
    "wait_for": "use ansible.builtin.uri or command with until",
}
META_REFUSED = {
    "clear_facts": "facts are never gathered",
    "clear_host_errors": "a failure that no rescue takes up ends the run",
    "end_batch": f"{_ONE_HOST}; use end_play",
    "end_host": f"{_ONE_HOST}; use end_play",
    "end_role": "there are no roles; use end_play",
    "refresh_inventory": _ONE_HOST,
    "reset_connection": "tasks run on this machine, without a connection",
    "role_complete": "there are no roles",
}


def refuse_unknown(word: str, known: dict[str, Any] | list[str], where: Where, what: str) -> None:
    """Raises BadInput for a word that is no keyword here."""
    short = word.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
    if short in REFUSED:
        refuse(where, f"{what} {word!r} is not supported", REFUSED[short])
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
    if not _FITS[kind.removesuffix("?")](value):
        refuse(where, f"{word} takes {KINDS[kind.removesuffix('?')]}, not {_what(value)}")


def _identifier(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and not python.iskeyword(value)


def _conditions(value: Any) -> bool:
    return all(isinstance(one, bool | Text) for one in (value if isinstance(value, Seq) else [value]))


def _words(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str | int) for v in value))


def _tags(value: Any) -> bool:
    return _words(value) and not any(set(word) & set(" []{}") for word in words(value))


_FITS = {
    "any": lambda _value: True,
    "text": lambda value: isinstance(value, str | int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "map": lambda value: isinstance(value, Map),
    "list": lambda value: isinstance(value, Seq),
    "tags": _tags,
    "handlers": _words,
    "names": _words,
    "identifier": _identifier,
    "conditions": _conditions,
}
KINDS = {
    "text": "text",
    "bool": "true or false",
    "int": "a whole number",
    "number": "a number of seconds",
    "map": "a mapping",
    "list": "a list",
    "tags": "a tag or a list of tags",
    "handlers": "the name of a handler or a list of names",
    "names": "a file name or a list of them",
    "identifier": "a variable name (letters, digits, _; no reserved word)",
    "conditions": "an expression or a list of them",
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
