"""Jinja2 set up as Ansible uses it: native types, strict about undefined names, in a sandbox."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, Protocol

from jinja2 import StrictUndefined, nodes
from jinja2.lexer import TOKEN_STRING, TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END, Lexer
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from botyard.hints import close_to
from botyard.playbook.filters import EXCUSING, FILTERS, OMIT, TESTS, lookup, lookup_of

_KNOWN = "docs/reference/keywords.md lists filters, tests and lookups"
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_BRACED = re.compile(r"\{\{(.*?)\}\}|\{%(?!\s*set\b)(.*?)%\}", re.DOTALL)
_INSIDE = re.compile(r"\([^()]*\)")  # a single = there gives an argument by its name
# What stands outside of strings, and what is meant.
_MEANT = (
    (re.compile(r"&&"), "write and, not &&"),
    (re.compile(r"\|\|"), "write or, not ||"),
    (re.compile(r"!(?!=)"), "write not, not !"),
    (re.compile(r"(?<![=!<>])=(?!=)"), "write == to compare: a single = means nothing here"),
)
_MAX_LENGTH = 10_000_000  # items or characters that * makes
_MAX_BITS = 10_000  # of a number that * or ** makes; Python writes none of more than 4300 digits


class Names(Protocol):
    """What gives the variables of a template."""

    def resolve(self, name: str) -> Any:
        """The value, or Jinja2's ``missing``."""


class Undefined(StrictUndefined):
    """Attributes of an undefined name are undefined too, so that ``a.b.c | default(1)`` works as in Ansible."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _key: Any) -> Any:
        return self

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return str(self._undefined_hint)
        if owner is missing:
            return f"{name!r} is undefined"
        if isinstance(owner, Mapping):
            hint = close_to(str(name), map(str, owner)) or f"it has: {', '.join(map(str, list(owner)[:12]))}"
            return f"there is no key {name!r}; {hint}"
        return f"{type(owner).__name__} has no attribute {name!r}"


class _CodeGenerator(NativeCodeGenerator):
    def _output_child_to_const(self, node: nodes.Expr, frame: Any, finalize: Any) -> Any:
        # Jinja folds constants into text; {{ 1 }} must stay a number.
        if isinstance(node, nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible

    def visit_Call(self, node: nodes.Call, frame: Any, forward_caller: bool = False) -> None:
        kind = node.args[0] if node.args else None
        if isinstance(node.node, nodes.Name) and node.node.name == "lookup" and isinstance(kind, nodes.Const):
            try:
                lookup_of(str(kind.value))
            except ValueError as error:
                self.fail(str(error), node.lineno)
        super().visit_Call(node, frame, forward_caller=forward_caller)


class LazyContext(Context):
    scope: Names

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        value = self.scope.resolve(key)
        return self.parent.get(key, missing) if value is missing else value


def _passing_on(function: Any) -> Callable[..., Any]:
    """As in Ansible, a filter or test of something undefined is undefined: ``(nope | upper) | default('x')`` works."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        missed = [value for value in (*args, *named.values()) if isinstance(value, Undefined)]
        return missed[0] if missed else function(*args, **named)

    return call


class StringLexer(Lexer):
    """As in Ansible, ``\\`` in a string between ``{{`` and ``}}`` is a plain sign: YAML has read it once already."""

    def tokeniter(self, *args: Any, **named: Any) -> Iterator[tuple[int, str, str]]:
        inside = False
        for line, kind, text in super().tokeniter(*args, **named):
            inside = kind != TOKEN_VARIABLE_END and (inside or kind == TOKEN_VARIABLE_BEGIN)
            yield line, kind, text.replace("\\", "\\\\") if inside and kind == TOKEN_STRING else text


class Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _CodeGenerator
    context_class = LazyContext
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, lexer: type[Lexer]) -> None:
        super().__init__(undefined=Undefined, trim_blocks=True, autoescape=False)
        self._own_lexer = lexer(self)
        self.filters.update(FILTERS)
        self.tests.update(TESTS)
        for table, excused in ((self.filters, EXCUSING), (self.tests, ("defined", "undefined"))):
            table.update({name: _passing_on(table[name]) for name in table if name not in excused})
        self.globals.pop("lipsum", None)
        self.globals.update(omit=OMIT, lookup=lookup)

    @property
    def lexer(self) -> Lexer:
        return self._own_lexer

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """``*`` and ``**``, but for what would fill the memory or take for ever."""
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            if bits > _MAX_BITS:
                raise OverflowError("the number is too large")
        elif operator == "*":
            for many, count in ((left, right), (right, left)):
                if isinstance(many, Sized) and isinstance(count, int) and len(many) * count > _MAX_LENGTH:
                    raise OverflowError(f"more than {_MAX_LENGTH} characters or items")
        return super().call_binop(context, operator, left, right)


def name_hint(message: str, env: Environment) -> str:
    """What was meant by a filter or test that there is not."""
    kinds: dict[str, tuple[Iterable[str], Iterable[str], str]] = {
        "No filter named": (env.filters, env.tests, "it is a test: write is {}"),
        "No test named": (env.tests, env.filters, "it is a filter: write | {}"),
    }
    for start, (known, others, other) in kinds.items():
        if message.startswith(start):
            name = message.split("'")[1]
            return other.format(name) if name in others else close_to(name, known) or _KNOWN
    return ""


def expression_hint(text: str, *, expression: bool) -> str:
    """What is meant by a text that is no valid Jinja2; '' where nobody can tell.

    Args:
        expression: of a condition, which takes no braces.
    """
    if expression and "{{" in text:
        return "when, until and their like are expressions already: leave the braces out"
    code = text if expression else " ".join(part or other for part, other in _BRACED.findall(text))
    code = _STRING.sub("''", code)
    while (outer := _INSIDE.sub("", code)) != code:
        for sign, meant in _MEANT[:-1]:
            if sign.search(code):
                return meant
        code = outer
    certain = _MEANT[:-1] if "(" in code else _MEANT  # what was never closed may be an argument's
    return next((meant for sign, meant in certain if sign.search(code)), "")
