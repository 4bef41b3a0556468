"""How a module's arguments are declared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

_REQUIRED = dataclasses.MISSING


@dataclasses.dataclass(frozen=True)
class Expression:
    """An argument that is a Jinja2 expression: its text, and ``evaluate()`` for its value at this moment."""

    text: str
    evaluate: Callable[[], Any]


def arg(
    doc: str,
    default: Any = _REQUIRED,
    *,
    aliases: tuple[str, ...] = (),
    secret: bool = False,
    expression: bool = False,
) -> Any:
    """One field of an ``Args`` dataclass.

    Args:
        doc: its meaning and unit, as the reference prints it.
        default: value where the playbook gives none; without one the argument is required.
        aliases: other names that playbooks may use for it.
        secret: its value never appears in a report or diff.
        expression: its strings are expressions; the module gets ``Expression`` instead of each.
    """
    metadata = {"doc": doc, "aliases": aliases, "secret": secret, "expression": expression}
    if default is _REQUIRED:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, list | dict):
        copy = default
        return dataclasses.field(default_factory=lambda: copy.copy(), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether a playbook must give this argument."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
