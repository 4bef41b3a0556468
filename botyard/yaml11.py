"""YAML 1.1, as Ansible, Helm and Kubernetes read it: by libyaml, some thirty times as quick as a parser in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

# Where text nests deeper than some 20,000 levels, libyaml's composer overruns the C stack and the process dies.
_SAFE_DEPTH = 5000


def compose(text: str) -> Any:
    """The one document in ``text`` as nodes, each with the marks of its place; None where there is none.

    Raises:
        yaml.YAMLError: bad YAML, or more than one document; MarkedYAMLError where the place is known.
        RecursionError: it nests too deeply.
    """
    if hasattr(yaml, "CSafeLoader") and _depth_at_most(text) < _SAFE_DEPTH:
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            pass  # the parser in Python says better what is wrong
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _depth_at_most(text: str) -> int:
    return text.count("[") + text.count("{") + max(map(len, text.splitlines()), default=0)


def load(text: str) -> Any:
    """The one document in ``text`` as plain values.

    Raises:
        yaml.YAMLError, RecursionError: as ``compose``; also a key given twice and an unknown tag.
        ValueError: a scalar that only looks like a number or a date.
    """
    node = compose(text)
    check(node)
    return values(node)


def values(node: Any) -> Any:
    """Plain values of a node that was checked; ValueError as in ``load``."""
    return None if node is None else SafeConstructor().construct_document(node)


def check(node: Any) -> None:
    """Raises MarkedYAMLError for the first key given twice and the first unknown tag below ``node``."""
    seen: set[int] = set()
    pending = [node] if node is not None else []
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.tag not in SafeConstructor.yaml_constructors and not one.tag.endswith((":merge", ":value")):
            raise ConstructorError(None, None, f"unknown tag {one.tag!r}", one.start_mark)
        pending += reversed(list(_below(one)))


def _below(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        keys: set[tuple[str, str]] = set()
        for key, value in node.value:
            name = (key.tag, str(key.value))
            if isinstance(key, yaml.ScalarNode) and name in keys and not key.tag.endswith(":merge"):
                problem = f"found duplicate key {key.value!r}"
                raise ConstructorError("while reading a mapping", node.start_mark, problem, key.start_mark)
            keys.add(name)
            yield key
            yield value
