"""YAML 1.1, as Ansible, Helm and Kubernetes read it: by libyaml, some thirty times as quick as a parser in Python."""

from __future__ import annotations

import contextlib
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
    if libyaml_may_read(text):
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            pass  # the parser in Python says better what is wrong
    return yaml.compose(text, Loader=yaml.SafeLoader)


def libyaml_may_read(text: str) -> bool:
    """Whether libyaml is there and ``text`` does it no harm."""
    return hasattr(yaml, "CSafeLoader") and _depth_at_most(text) < _SAFE_DEPTH


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


class _Texts(SafeConstructor):  # type: ignore[misc]
    """Gives scalars as they are written."""


for _kind in ("bool", "int", "float", "timestamp"):
    _Texts.add_constructor(f"tag:yaml.org,2002:{_kind}", SafeConstructor.construct_yaml_str)


def texts(text: str) -> Any:
    """As ``load``, for files where every value is text: yes stays a word, and 007 three digits."""
    node = compose(text)
    check(node)
    return None if node is None else _Texts().construct_document(node)


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


def fault(text: str, error: yaml.MarkedYAMLError) -> tuple[int, int, str, str]:
    """Where ``text`` is faulty (line and column from 1), what is wrong, and the cure.

    A lost quote or dash shows only lines later, where nothing fits any more; the place is where it was lost.
    """
    mark, begun = error.problem_mark or error.context_mark, error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return 1, 1, what or "unreadable", ""
    if quote := begun if "quoted scalar" in what else _lost_quote(text, mark.line):
        return quote.line + 1, quote.column + 1, "the quoted text that begins here runs on into other lines", "end it"
    if "<block sequence start>" in what and (line := _lost_dash(text.splitlines(), mark)):
        where = f"the list that goes on in line {mark.line + 1} begins here without its dash"
        return line + 1, mark.column + 1, where, "write - before the first item too"
    if "'\\t'" in what:
        return mark.line + 1, mark.column + 1, "a tab where YAML takes spaces alone", "use spaces"
    cure = "give lines of one list or mapping the same indent; quote a value with ': ' or a first {, [, *, &, % or @"
    return mark.line + 1, mark.column + 1, what, cure


def _lost_quote(text: str, line: int) -> Any:
    """Where a quoted text begins that takes in lines up to this faulty one: it ran into the next text's quote."""
    with contextlib.suppress(yaml.YAMLError):
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            quoted = isinstance(token, yaml.ScalarToken) and token.style in ("'", '"')
            if quoted and token.start_mark.line < token.end_mark.line == line:
                return token.start_mark
    return None


def _lost_dash(lines: list[str], mark: Any) -> int:
    """The line (from 0) below the key that the item at ``mark`` belongs to, or 0 where that has its dash."""
    full = [n for n in range(mark.line) if lines[n].strip() and not lines[n].lstrip().startswith("#")]
    key = max((n for n in full if len(lines[n]) - len(lines[n].lstrip()) < mark.column), default=mark.line)
    first = min((n for n in full if n > key), default=0)
    return 0 if any(lines[n].lstrip().startswith("-") for n in (key, first)) else first
