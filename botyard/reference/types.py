"""Types of arguments: in words for people, as JSON Schema for editors."""

from __future__ import annotations

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, Literal

from botyard.modules.spec import Expression, is_required

Schema = dict[str, Any]
TEMPLATE: Schema = {"$ref": "#/definitions/template"}
EXPRESSION: Schema = {"type": ["boolean", "string"]}
_PLAIN: dict[Any, tuple[str, Schema]] = {
    str: ("text", {"type": ["string", "number"]}),
    Path: ("path", {"type": "string"}),
    bool: ("true or false", {"type": "boolean"}),
    int: ("whole number", {"type": "integer"}),
    float: ("number", {"type": "number"}),
    Any: ("anything", {}),
    Expression: ("expression", EXPRESSION),
}


def members(hint: Any) -> list[Any]:
    """The types that a value may have, ``None`` left out."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return [inner for part in typing.get_args(hint) for inner in members(part)]
    return [] if hint is type(None) else [hint]


def in_words(hint: Any) -> str:
    """A type as the reference names it."""
    return " or ".join(map(_word, members(hint)))


def _word(hint: Any) -> str:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inside)
    if origin is list:
        return f"list of {in_words(inside[0])}"
    if origin is dict:
        return "mapping" if inside[1] is Any else f"mapping to {in_words(inside[1])}"
    return "mapping" if dataclasses.is_dataclass(hint) and hint is not Expression else _PLAIN[hint][0]


def as_schema(hint: Any) -> Schema:
    """What an editor may take: the literal values that fit, or a template in place of any; never nothing."""
    found = [_schema(part) for part in members(hint)]
    if not all(found):
        return {}
    plain = {name for one in found if list(one) == ["type"] for name in _as_list(one["type"])}
    rest = [one for one in found if list(one) != ["type"]]
    if "string" not in plain:
        rest.append(TEMPLATE)
    return any_of([{"type": _unlisted(sorted(plain))}, *rest] if plain else rest)


def any_of(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _schema(hint: Any) -> Schema:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"enum": list(inside)}
    if origin is list:
        return {"type": "array", "items": as_schema(inside[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": as_schema(inside[1])}
    return fields(hint) if dataclasses.is_dataclass(hint) and hint is not Expression else _PLAIN[hint][1]


def fields(args: Any) -> Schema:
    """The mapping that fills a dataclass made of ``arg`` fields."""
    hints = typing.get_type_hints(args)
    properties: Schema = {}
    required: list[Schema] = []
    for field in dataclasses.fields(args):
        names = [field.name, *field.metadata["aliases"]]
        taken = expressions(hints[field.name]) if field.metadata["expression"] else as_schema(hints[field.name])
        for name in names:
            said = field.metadata["doc"] if name == field.name else f"another name of {field.name}"
            properties[name] = {"description": said, **taken}
        if is_required(field):
            required.append(any_of([{"required": [name]} for name in names]))
    whole: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        whole["allOf"] = required
    return whole


def expressions(hint: Any) -> Schema:
    """One expression; where the type is open, also a list of them."""
    return EXPRESSION if hint is not Any else any_of([EXPRESSION, {"type": "array", "items": EXPRESSION}])


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unlisted(names: list[str]) -> Any:
    return names[0] if len(names) == 1 else names
