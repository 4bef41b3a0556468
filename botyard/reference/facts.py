"""What is known about each module, read from its file: docstrings, ``Args``, ``RETURNS`` and ``EXAMPLE``."""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botyard import modules
from botyard.modules.spec import Expression, is_required
from botyard.reference.types import in_words, members

COLLECTIONS = sorted({name.rpartition(".")[0] for name in modules.MODULES})


@dataclass(frozen=True)
class Argument:
    """One argument; those of nested mappings have names like ``images[].context``.

    Args:
        default: as YAML; empty where it stands for nothing.
    """

    name: str
    takes: str
    required: bool
    default: str
    aliases: tuple[str, ...]
    doc: str


@dataclass(frozen=True)
class Module:
    """One task module.

    Args:
        behaviour: when it says changed, and what check mode does.
        returns: the keys that ``register`` gives besides those that every task has.
        takes_any: arguments are names of the playbook's choice (set_fact).
        free_form: the argument that a bare string fills, or "".
    """

    name: str
    summary: str
    behaviour: str
    arguments: tuple[Argument, ...]
    returns: dict[str, str]
    example: str
    takes_any: bool
    free_form: str


def module(name: str) -> Module:
    """The facts about a module of ``modules.MODULES``.

    Raises:
        KeyError: there is no such module.
    """
    file = modules.load(name)
    return Module(
        name=name,
        summary=_summary(name, str(file.__doc__)),
        behaviour=_prose(inspect.getdoc(file.run) or ""),
        arguments=tuple(_arguments(file.Args)),
        returns=dict(file.RETURNS),
        example=file.EXAMPLE,
        takes_any=hasattr(file, "ARGS_INTO"),
        free_form=getattr(file, "FREE_FORM", ""),
    )


def _summary(name: str, doc: str) -> str:
    text = _prose(doc).removeprefix(f"`{name}`: ").removeprefix(f"{name}: ")
    return text[:1].upper() + text[1:]


def _prose(doc: str) -> str:
    return " ".join(doc.split()).replace("``", "`")


def _arguments(args: Any, lead: str = "") -> Iterator[Argument]:
    hints = typing.get_type_hints(args)
    for field in dataclasses.fields(args):
        hint, about = hints[field.name], field.metadata
        takes = in_words(hint)
        if about["expression"]:
            takes = "expression" if members(hint) == [Expression] else "expression or list of them"
        doc = about["doc"] + (" (never shown)" if about["secret"] else "")
        yield Argument(lead + field.name, takes, is_required(field), _default(field), about["aliases"], doc)
        for part in members(hint):
            inside = typing.get_args(part)[0] if typing.get_origin(part) is list else part
            if dataclasses.is_dataclass(inside) and inside is not Expression:
                yield from _arguments(inside, f"{lead}{field.name}{'[]' if inside is not part else ''}.")


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is dataclasses.MISSING or value in (None, "", [], {}):
        return ""
    return str(value) if isinstance(value, str) else json.dumps(value)
