"""The JSON Schema (draft-07, which yaml-language-server takes) of a playbook file.

It is a little stricter than the loader, as an editor should be: text that merely reads as a number is flagged.
"""

from __future__ import annotations

from botyard import modules
from botyard.playbook import keywords
from botyard.reference.facts import module
from botyard.reference.meanings import MEANING
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
    "names": _WORDS,
    "identifier": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "conditions": any_of([EXPRESSION, {"type": "array", "items": EXPRESSION}]),
}
_TASKS: Schema = {"type": "array", "items": {"$ref": "#/definitions/step"}}
_SPECIAL: dict[str, Schema] = {
    "gather_facts": {"const": False},
    "connection": {"const": "local"},
    "vars": {"type": "object", "propertyNames": _KINDS["identifier"]},
    "tasks": _TASKS,
    "block": _TASKS,
    "rescue": _TASKS,
    "always": _TASKS,
    "loop_control": {"$ref": "#/definitions/loop_control"},
}


def playbook() -> Schema:
    """The schema of a whole file."""
    imports = [{"required": [word]} for word in keywords.IMPORT if "import_playbook" in word]
    blocks = [{"required": [word]} for word in keywords.BLOCK if word not in keywords.TASK]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "botyard playbook",
        "type": "array",
        "minItems": 1,
        "items": {
            "if": any_of(imports),
            "then": _level(keywords.IMPORT),
            "else": {**_level(keywords.PLAY), "required": ["hosts", "gather_facts"]},
        },
        "definitions": {
            "template": {"type": "string", "pattern": "\\{[{%#]", "description": "a Jinja2 template"},
            "step": {
                "if": any_of(blocks),
                "then": {**_level(keywords.BLOCK), "required": ["block"]},
                "else": {"$ref": "#/definitions/task"},
            },
            "task": _task(),
            "loop_control": _level(keywords.LOOP_CONTROL),
            **{name: _arguments(name) for name in sorted(modules.MODULES)},
        },
    }


def _level(table: dict[str, str]) -> Schema:
    properties = {word: {"description": MEANING[word], **_value(word, kind)} for word, kind in table.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _value(word: str, kind: str) -> Schema:
    literal = _SPECIAL.get(word, _KINDS[kind.rstrip("?")])
    return any_of([literal, TEMPLATE]) if kind.endswith("?") else literal


def _task() -> Schema:
    task = _level(keywords.TASK)
    for name in sorted(modules.MODULES):
        for word in (name, name.removeprefix("ansible.builtin.")):
            task["properties"][word] = {"$ref": f"#/definitions/{name}"}
    no_module: Schema = {"propertyNames": {"enum": list(keywords.TASK)}}
    return {**task, "allOf": [{"not": no_module, "errorMessage": "the task has no module"}]}


def _arguments(name: str) -> Schema:
    about, file = module(name), modules.load(name)
    whole: Schema = fields(file.Args)
    if about.takes_any:
        whole = {"type": "object", "propertyNames": _KINDS["identifier"]}
    if "allOf" not in whole:
        whole["type"] = ["object", "null"]
    if about.free_form:
        whole["type"] = ["object", "string"]
    return {"description": about.summary, **whole}
