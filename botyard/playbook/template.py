"""Templates of a playbook: compiled before the run, worked out when asked for; and nothing is a template twice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import GeneratorType
from typing import Any, ClassVar, cast

from jinja2 import Template, TemplateAssertionError, TemplateSyntaxError, UndefinedError, nodes
from jinja2 import Undefined as JinjaUndefined
from jinja2.lexer import Lexer
from jinja2.utils import consume, missing

from botyard.contracts import BotyardError
from botyard.hints import close_to
from botyard.playbook.filters import OMIT, to_bool
from botyard.playbook.jinja import Environment, LazyContext, StringLexer, Undefined, expression_hint, name_hint
from botyard.playbook.source import Map, Seq, Text, Where, located

_MAX_DEPTH = 40


class TemplateFailed(BotyardError):
    """An expression of the playbook could not be worked out; the message starts with its place."""

    undefined = False  # for want of a variable: then default() helps


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
                    return Undefined(name=name, exc=cast("Any", lambda _, cause=error: cause))
                finally:
                    self._depth -= 1
        return missing

    def render(self, value: Any) -> Any:
        """See Templar.render."""
        return self._templar.render(value, self)

    def evaluate(self, text: Text) -> Any:
        """See Templar.evaluate."""
        return self._templar.evaluate(text, self)

    def render_file(self, content: str, where: Where) -> str:
        """See Templar.render_file."""
        return self._templar.render_file(content, where, self)

    def flag(self, word: str, value: Any) -> bool | None:
        """A keyword that takes true or false, or words for them; None where nothing is said."""
        found: bool | None = self._typed(to_bool, word, value)
        return found

    def number(self, word: str, value: Any) -> float:
        """A keyword that takes a number; not below 0."""
        found: float = self._typed(float, word, value)
        return max(0.0, found)

    def _typed(self, kind: Callable[[Any], Any], word: str, value: Any) -> Any:
        found = self.render(value)
        try:
            return kind(found)
        except (TypeError, ValueError):
            where = f"{value.where}: " if isinstance(value, Text) else ""
            problem = f"{where}{word} takes {'a number' if kind is float else 'true or false'}, not {found!r}"
            raise TemplateFailed(problem, "mend the value or use default()") from None

    def holds(self, conditions: Iterable[Any]) -> bool:
        return self.first_false(conditions) is None

    def first_false(self, conditions: Iterable[Any]) -> Any:
        """The first that does not hold, None if all do; as in Ansible since 2.19 each must give true or false."""
        for condition in conditions:
            value = self.evaluate(condition) if isinstance(condition, Text) else condition
            if not isinstance(value, bool):
                problem = f"the condition {str(condition)!r} gives {type(value).__name__}, not true or false"
                cure = "compare it, or use | bool, | length > 0, is defined"
                raise TemplateFailed(f"{condition.where}: {problem}", cure)
            if not value:
                return condition
        return None


class Templar:
    """Compiles and renders; compiled templates are kept for the run."""

    _shared: ClassVar[tuple[Environment, Environment] | None] = None

    def __init__(self) -> None:
        if Templar._shared is None:
            Templar._shared = (Environment(StringLexer), Environment(Lexer))
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

    def _refuse_unknown(self, tree: nodes.Template) -> None:
        """Jinja2 itself says nothing of a filter or test behind an ``if`` until that comes true."""
        for node in tree.find_all((nodes.Filter, nodes.Test)):
            kind, known = ("filter", self._env.filters) if isinstance(node, nodes.Filter) else ("test", self._env.tests)
            if node.name not in known:
                raise TemplateAssertionError(f"No {kind} named {node.name!r}.", node.lineno)

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
    def _context(template: Template, scope: Scope) -> LazyContext:
        context = template.new_context()
        assert isinstance(context, LazyContext)  # noqa: S101 - tells mypy what context_class gives
        context.scope = scope
        return context

    def _compiled(self, text: Text, *, expression: bool = False, of_file: bool = False) -> Template:
        cache = self._expressions if expression else {} if of_file else self._templates
        found = cache.get(text)
        if found is None:
            try:
                if "if " in text:
                    self._refuse_unknown(self.parse(text, expression=expression))
                if expression:
                    found = self._plain.compile_expression(_unwrapped(text), undefined_to_none=False)._template
                else:
                    found = (self._plain if of_file else self._env).from_string(str(text))
            except TemplateSyntaxError as error:
                hint = name_hint(str(error.message), self._env)
                hint = hint or ("" if of_file else expression_hint(text, expression=expression))
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
    if isinstance(value, JinjaUndefined):
        value._fail_with_undefined_error()
    if isinstance(value, GeneratorType | range) or type(value).__name__ in ("dict_keys", "dict_values", "dict_items"):
        return list(value)
    return value


def _as_text(part: Any) -> str:
    value = part if type(part) is JinjaUndefined else _native(part)  # of an if without else: nothing
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
        if name == "item":
            cure = "item is what a loop gives, where its loop_control does not name it otherwise"
    failure = TemplateFailed(text.where.tell(message), cure)
    failure.undefined = isinstance(error, UndefinedError)
    return failure
