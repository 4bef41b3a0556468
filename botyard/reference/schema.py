"""The JSON Schema (draft-07, which yaml-language-server takes) of a playbook file.

It is a little stricter than the loader, as an editor should be: text that merely reads as a number is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable

from botyard import modules
from botyard.playbook import keywords
from botyard.reference.facts import module
from botyard.reference.meanings import BESIDE, LEVELS, MEANING
from botyard.reference.types import EXPRESSION, TEMPLATE, Schema, any_of, fields

_WORDS = any_of([{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}])
_KINDS: dict[str, Schema] = {
    "any": {},
    "text": {"type": ["string", "number"]},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "map": {"type": "object"},
    "list": {"type": "array"},
    "tags": _WORDS,
    "handlers": _WORDS,
    "names": _WORDS,
    "identifier": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "conditions": any_of([EXPRESSION, {"type": "array", "items": EXPRESSION}]),
}
_TASKS: Schema = {"type": "array", "items": {"$ref": "#/definitions/step"}}
_FILE = any_of(
    [{"type": "string"}, {"type": "object", "required": ["file"], "additionalProperties": {"type": "string"}}]
)
_SPECIAL: dict[str, Schema] = {
    # The word too: yaml-language-server compares by what stands in the text.
    "gather_facts": {"type": "boolean", "enum": [False, "false"]},
    "connection": {"enum": ["local"]},
    "vars": {"type": "object", "propertyNames": _KINDS["identifier"]},
    "tasks": _TASKS,
    "block": _TASKS,
    "handlers": {"type": "array", "items": {"$ref": "#/definitions/task"}},
    **dict.fromkeys(("import_tasks", "ansible.builtin.import_tasks"), _FILE),
    "rescue": _TASKS,
    "always": _TASKS,
    "loop_control": {"allOf": [{"$ref": "#/definitions/loop_control"}]},
}


def playbook() -> Schema:
    """The schema of a whole file."""
    play = {**_level(keywords.PLAY), "required": ["hosts", "gather_facts"]}
    block = {**_level(keywords.BLOCK), "required": ["block"]}
    tables = LEVELS.values()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "botyard playbook",
        "type": "array",
        "minItems": 1,
        "items": _where_any(keywords.IMPORT.keys() - keywords.SHARED, _level(keywords.IMPORT), play),
        "definitions": {
            "template": {"type": "string", "pattern": "\\{[{%#]", "description": "a Jinja2 template"},
            "step": _where_any(keywords.BLOCK.keys() - keywords.SHARED, block, {"$ref": "#/definitions/task"}),
            "task": _where_any(
                keywords.IMPORT_TASKS.keys() - keywords.SHARED, _level(keywords.IMPORT_TASKS), _task(keywords.HANDLER)
            ),
            "loop_control": _level(keywords.LOOP_CONTROL),
            **{f"keyword.{word}": _value(word, kind) for table in tables for word, kind in table.items()},
            **{name: _arguments(name) for name in sorted(modules.MODULES)},
        },
    }


def _where_any(words: Iterable[str], then: Schema, otherwise: Schema) -> Schema:
    return {"if": any_of([{"required": [word]} for word in sorted(words)]), "then": then, "else": otherwise}


def _level(table: dict[str, str]) -> Schema:
    properties = {word: {"$ref": f"#/definitions/keyword.{word}"} for word in table}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _value(word: str, kind: str) -> Schema:
    literal = _SPECIAL.get(word, _KINDS[kind.rstrip("?")])
    return {"description": MEANING[word], **(any_of([literal, TEMPLATE]) if kind.endswith("?") else literal)}


def _task(table: dict[str, str]) -> Schema:
    task = _level(table)
    limited: list[Schema] = []
    for name in sorted(modules.MODULES):
        for word in (name, name.removeprefix("ansible.builtin.")):
            task["properties"][word] = {"$ref": f"#/definitions/{name}"}
            if name in BESIDE:
                names = {"propertyNames": {"enum": [word, *BESIDE[name], *keywords.LISTEN]}}
                limited.append({"if": {"required": [word]}, "then": names})
    return {**task, "not": {"propertyNames": {"enum": list(table)}}, "allOf": limited}


def _arguments(name: str) -> Schema:
    about, file = module(name), modules.load(name)
    whole: Schema = fields(file.Args)
    if about.takes_any:
        whole = {"type": "object", "propertyNames": _KINDS["identifier"]}
    if "allOf" not in whole:
        whole["type"] = ["object", "null"]
    if about.free_form:
        whole = any_of([whole, whole["properties"][about.free_form]])
    return {"description": about.summary, **whole}
