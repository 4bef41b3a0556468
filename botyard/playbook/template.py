"""Jinja2 as Ansible uses it: native types, strict about undefined names, sandboxed; and nothing is a template twice."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from types import GeneratorType
from typing import Any, ClassVar, cast

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.lexer import TOKEN_STRING, TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END, Lexer
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import consume, missing

from botyard.contracts import BotyardError
from botyard.playbook.filters import EXCUSING, FILTERS, OMIT, TESTS, lookup, lookup_of
from botyard.playbook.source import Map, Seq, Text, Where, close_to, located

_KNOWN = "docs/reference/keywords.md lists filters, tests and lookups"
_MAX_DEPTH = 40
_MAX_LENGTH = 10_000_000  # items or characters that * makes
_MAX_BITS = 10_000  # of a number that * or ** makes; Python writes none of more than 4300 digits


class TemplateFailed(BotyardError):
    """An expression of the playbook could not be worked out; the message starts with its place."""

    undefined = False  # for want of a variable: then default() helps


class _Undefined(StrictUndefined):
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


class _LazyContext(Context):
    scope: Scope

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        value = self.scope.resolve(key)
        return self.parent.get(key, missing) if value is missing else value


def _passing_on(function: Any) -> Callable[..., Any]:
    """As in Ansible, a filter or test of something undefined is undefined: ``(nope | upper) | default('x')`` works."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        missed = [value for value in (*args, *named.values()) if isinstance(value, _Undefined)]
        return missed[0] if missed else function(*args, **named)

    return call


class _Lexer(Lexer):
    """As in Ansible, ``\\`` in a string between ``{{`` and ``}}`` is a plain sign: YAML has read it once already."""

    def tokeniter(self, *args: Any, **named: Any) -> Iterator[tuple[int, str, str]]:
        inside = False
        for line, kind, text in super().tokeniter(*args, **named):
            inside = kind != TOKEN_VARIABLE_END and (inside or kind == TOKEN_VARIABLE_BEGIN)
            yield line, kind, text.replace("\\", "\\\\") if inside and kind == TOKEN_STRING else text


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _CodeGenerator
    context_class = _LazyContext
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, lexer: type[Lexer]) -> None:
        super().__init__(undefined=_Undefined, trim_blocks=True, autoescape=False)
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


class Scope:
    """The variables that one task sees; templates among them are worked out when they are asked for.

    Args:
        templar: what renders them.
        layers: mappings, the strongest first.
    """

    def __init__(self, templar: Templar, layers: Sequence[Mapping[str, Any]]) -> None:
        self._templar = templar
        self._layers = layers
        self._depth = 0

    def with_layer(self, strongest: Mapping[str, Any]) -> Scope:
        return Scope(self._templar, [strongest, *self._layers])

    def names(self) -> set[str]:
        return {str(name) for layer in self._layers for name in layer}

    def resolve(self, name: str) -> Any:
        for layer in self._layers:
            if name in layer:
                value = layer[name]
                if not isinstance(value, Text | Map | Seq):
                    return value
                if self._depth > _MAX_DEPTH:
                    raise RecursionError(f"the variable {name!r} is made from itself")
                self._depth += 1
                try:
                    return self._templar.render(value, self)
                except TemplateFailed as error:
                    if not error.undefined:
                        raise
                    return _Undefined(name=name, exc=cast("Any", lambda _, cause=error: cause))
                finally:
                    self._depth -= 1
        return missing


class Templar:
    """Compiles and renders; compiled templates are kept for the run."""

    _shared: ClassVar[tuple[_Environment, _Environment] | None] = None

    def __init__(self) -> None:
        if Templar._shared is None:
            Templar._shared = (_Environment(_Lexer), _Environment(Lexer))
        self._env, self._plain = Templar._shared  # for strings of a playbook; for conditions and files
        self._templates: dict[str, Template] = {}
        self._expressions: dict[str, Template] = {}

    def check(self, value: Any) -> None:
        """Raises BadInput, with its place, for the first template in ``value`` that is not valid Jinja2."""
        for text in texts_of(value):
            if text.is_template:
                self._compiled(text)

    def check_expression(self, text: Text) -> None:
        self._compiled(text, expression=True)

    def parse(self, text: Text, *, expression: bool = False) -> nodes.Template:
        """What Jinja2 makes of it."""
        return self._plain.parse(f"{{{{ ({_unwrapped(text)}) }}}}") if expression else self._env.parse(str(text))

    def is_global(self, name: str) -> bool:
        return name in self._env.globals

    def render(self, value: Any, scope: Scope) -> Any:
        """The value with its templates worked out; only strings of a playbook are templates.

        Raises:
            TemplateFailed: undefined name, wrong filter argument and the like.
        """
        if isinstance(value, Text):
            return self._rendered(value, scope) if value.is_template else str(value)
        if isinstance(value, Map):
            pairs = {key: self.render(item, scope) for key, item in value.items()}
            return {key: item for key, item in pairs.items() if item is not OMIT}
        if isinstance(value, Seq):
            return [item for item in (self.render(item, scope) for item in value) if item is not OMIT]
        return value

    def evaluate(self, text: Text, scope: Scope) -> Any:
        """The value of a bare expression, as in ``when``."""
        template = self._compiled(text, expression=True)
        try:
            context = self._context(template, scope)
            consume(template.root_render_func(context))
            return _native(context.vars["result"])
        except Exception as error:  # a filter may raise anything, and what it was given is to blame
            raise _failure(text, error, scope) from error

    def render_file(self, content: str, where: Where, scope: Scope) -> str:
        """The text of a template file (the file itself is trusted, like a playbook)."""
        return str(self._rendered(Text(content, where), scope, of_file=True))

    def _rendered(self, text: Text, scope: Scope, *, of_file: bool = False) -> Any:
        template = self._compiled(text, of_file=of_file)
        try:
            parts = list(template.root_render_func(self._context(template, scope)))
            result = "".join(_as_text(part) for part in parts) if of_file else _concat(parts)
        except Exception as error:
            raise _failure(text, error, scope) from error
        # As in Ansible: a text ends with as many newlines as its template; anything else has none.
        return result + "\n" * (_last_newlines(text) - _last_newlines(result)) if isinstance(result, str) else result

    @staticmethod
    def _context(template: Template, scope: Scope) -> _LazyContext:
        context = template.new_context()
        assert isinstance(context, _LazyContext)  # noqa: S101 - tells mypy what context_class gives
        context.scope = scope
        return context

    def _compiled(self, text: Text, *, expression: bool = False, of_file: bool = False) -> Template:
        cache = self._expressions if expression else {} if of_file else self._templates
        found = cache.get(text)
        if found is None:
            try:
                if expression:
                    found = self._plain.compile_expression(_unwrapped(text), undefined_to_none=False)._template
                else:
                    found = (self._plain if of_file else self._env).from_string(str(text))
            except TemplateSyntaxError as error:
                hint = _name_hint(str(error.message), self._env)
                cure = hint or "see the Jinja2 template syntax"
                line = max(0, (error.lineno or 1) - 1) if "\n" in text else 0
                raise located(text.where.moved(line), f"bad Jinja2: {error.message}", cure) from None
            except RecursionError:
                raise located(text.where, "bad Jinja2: nested too deeply", "make several variables of it") from None
            cache[str(text)] = found
        return found


def _last_newlines(text: str) -> int:
    return len(text) - len(text.rstrip("\n"))


def texts_of(value: Any) -> Iterator[Text]:
    """All strings of a playbook below ``value``."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Map):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, Seq):
        for item in value:
            yield from texts_of(item)


def has_template(value: Any) -> bool:
    return any(text.is_template for text in texts_of(value))


def _unwrapped(text: Text) -> str:
    """``{{ x }}`` as a condition means ``x``."""
    inner = text.strip()
    if inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1:
        return inner[2:-2].strip()
    return str(text)


def _native(value: Any) -> Any:
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, GeneratorType | range) or type(value).__name__ in ("dict_keys", "dict_values", "dict_items"):
        return list(value)
    return value


def _as_text(part: Any) -> str:
    value = part if type(part) is Undefined else _native(part)  # of an if without else: nothing
    return "" if value is None else str(value)


def _concat(parts: list[Any]) -> Any:
    """One expression keeps its type; text around it makes a string. Never read as a literal again."""
    if not parts:
        return None
    return _native(parts[0]) if len(parts) == 1 else "".join(_as_text(part) for part in parts)


def _failure(text: Text, error: Exception, scope: Scope) -> TemplateFailed:
    if isinstance(error, TemplateFailed):
        return error
    message = str(error) or type(error).__name__
    if isinstance(error, KeyError):
        message = f"there is no {message}"
    cure = ""
    if message.endswith("is undefined"):
        name = ast.literal_eval(message.removesuffix(" is undefined"))
        cure = close_to(str(name), scope.names()) or "set it in vars, by an earlier register, or use default(...)"
    where = text.where
    excerpt = where.excerpt()
    failure = TemplateFailed(f"{where}: {message}" + (f"\n{excerpt}" if excerpt else ""), cure)
    failure.undefined = isinstance(error, UndefinedError)
    return failure


def _name_hint(message: str, env: _Environment) -> str:
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
