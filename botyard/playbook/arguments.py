"""Arguments of a task module: names and literal values are checked before the run, all values when the task runs."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from botyard import modules
from botyard.contracts import BotyardError
from botyard.hints import close_to
from botyard.later import later
from botyard.modules.spec import Expression, is_required
from botyard.playbook.plain import Unsure, plain
from botyard.playbook.source import Map, Seq, Text, Where, refuse
from botyard.playbook.template import Templar, has_template, texts_of

if TYPE_CHECKING:
    import pydantic
else:
    pydantic = later("pydantic")

_CONFIG: dict[str, Any] = {"coerce_numbers_to_str": True, "arbitrary_types_allowed": True}
_NESTED: dict[str, Any] = {**_CONFIG, "extra": "forbid"}


def full_name(word: str) -> str | None:
    """The module that a task's key names; ``debug`` means ``ansible.builtin.debug``."""
    for name in (word, f"ansible.builtin.{word}", word.replace("ansible.legacy.", "ansible.builtin.", 1)):
        if name in modules.MODULES:
            return name
    return None


@functools.cache
def spec_of(name: str) -> ArgSpec:
    """The arguments of a module (a full name of MODULES).

    Raises:
        ImportError: the module's file is missing or broken.
    """
    return ArgSpec(name, modules.load(name))


class ArgSpec:
    """What a module takes. ``ARGS_INTO`` of a module names the field that takes all keys (set_fact);
    ``FREE_FORM`` the field that a bare string fills (command)."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.run: Callable[..., Any] = module.run
        self._args = module.Args
        self._fields = {f.name: f for f in dataclasses.fields(self._args)}
        self._hints = typing.get_type_hints(self._args)
        self._names = {a: f.name for f in self._fields.values() for a in (f.name, *f.metadata.get("aliases", ()))}
        self._into: str | None = getattr(module, "ARGS_INTO", None)
        self._free: str | None = getattr(module, "FREE_FORM", None)
        self._adapters: dict[str, pydantic.TypeAdapter[Any]] = {}

    def check(self, given: Any, where: Where, templar: Templar) -> Map:
        """The arguments as a mapping by field name; literal values are checked.

        Raises:
            BadInput: unknown, missing or double argument, or a literal of the wrong type.
        """
        raw = self._as_map(given, where)
        if self._into is not None:
            for key in raw:
                if not isinstance(key, str) or not key.isidentifier():
                    refuse(raw.keys_at[key], f"{key!r} is not a variable name")
            return raw
        args = Map(where)
        for key, value in raw.items():
            at = raw.keys_at.get(key, where)
            field = self._names.get(str(key))
            if field is None:
                known = close_to(str(key), self._names) or f"it takes: {', '.join(sorted(self._names)) or 'none'}"
                refuse(at, f"{self.name} has no argument {key!r}", known)
            if field in args:
                refuse(at, f"{self.name}: {key!r} is given twice (it is another name of {field!r})")
            if value is None and (self._hints[field] is not Any or self._fields[field].default is None):
                refuse(at, f"{self.name}: {key} is empty", "fill it or take it out")
            args[field], args.keys_at[field], args.values_at[field] = value, at, raw.at(key)
            self._check_literal(field, value, raw.at(key), templar)
        missing = [n for n, f in self._fields.items() if n not in args and is_required(f)]
        if missing:
            refuse(where, f"{self.name} needs the argument {missing[0]!r}", self._doc(missing[0]))
        return args

    def _as_map(self, given: Any, where: Where) -> Map:
        if given is None:
            return Map(where)
        if isinstance(given, Map):
            return given
        if isinstance(given, Text) and self._free is not None:
            result = Map(where)
            result[self._free] = given
            result.keys_at[self._free] = result.values_at[self._free] = given.where
            return result
        cure = "write name: value lines below the module; the form name=value is not supported"
        return refuse(where, f"{self.name} takes its arguments as a mapping", cure)

    def _check_literal(self, field: str, value: Any, at: Where, templar: Templar) -> None:
        if self._is(field, "expression"):
            found = list(texts_of(value))
            count = len(value) if isinstance(value, Seq) else 1
            if len(found) + sum(isinstance(v, bool) for v in (value if isinstance(value, Seq) else [value])) != count:
                refuse(at, f"{self.name}: {field} takes expressions as text")
            for text in found:
                templar.check_expression(text)
            return
        if isinstance(value, Text) and value.is_template:
            return
        try:
            self._checked(field, _unmarked(value))
        except pydantic.ValidationError as error:
            # A misspelled key first, then what is missing without it.
            for problem in sorted(error.errors(include_url=False, include_input=False), key=_is_missing):
                found_at, reached, exact = _walk(value, problem["loc"], at)
                waits = isinstance(reached, Text) or not (exact or _is_missing(problem))
                if waits and has_template(reached) and problem["type"] != "unexpected_keyword_argument":
                    continue
                # Of several types, pydantic names behind a value the one that it tried.
                loc = problem["loc"] if exact or isinstance(reached, Map | Seq) else problem["loc"][:-1]
                place = ".".join([field, *map(str, loc)])
                yaml_bool = f"YAML reads {str(reached).lower()} there: put the word into quotes. "
                cure = (yaml_bool if isinstance(reached, bool) else "") + self._doc(field)
                refuse(found_at, f"{self.name}: {place}: {problem['msg'].lower()}", cure)

    def build(self, rendered: Mapping[str, Any], evaluate: Callable[[Text], Any], hide: Callable[[Any], None]) -> Any:
        """An ``Args`` from values whose templates are worked out.

        Args:
            evaluate: works out one expression (for fields that take expressions).
            hide: called with each value that must never be shown.

        Raises:
            BotyardError: a value of the wrong type.
        """
        if self._into is not None:
            return self._args(**{self._into: dict(rendered)})
        values: dict[str, Any] = {}
        for field, value in rendered.items():
            if self._is(field, "secret"):
                hide(value)
            if self._is(field, "expression"):
                values[field] = _expressions(value, evaluate)
                continue
            try:
                values[field] = self._checked(field, value)
            except pydantic.ValidationError as error:
                problem = error.errors(include_url=False, include_input=False)[0]
                place = ".".join([field, *map(str, problem["loc"])])
                raise BotyardError(f"{self.name}: {place}: {problem['msg'].lower()}", self._doc(field)) from None
        missing = [n for n, f in self._fields.items() if n not in values and is_required(f)]
        if missing:
            raise BotyardError(f"{self.name} needs the argument {missing[0]!r}", self._doc(missing[0]))
        return self._args(**values)

    def expressions(self, args: Map) -> dict[str, Any]:
        """Those of ``args`` that are expressions, not templates."""
        return {} if self._into else {key: value for key, value in args.items() if self._is(key, "expression")}

    def templates(self, args: Map) -> Map:
        """The others."""
        part, others = Map(args.where), self.expressions(args)
        part.update({key: value for key, value in args.items() if key not in others})
        return part

    def secrets(self, args: Mapping[str, Any]) -> list[Any]:
        """What ``args`` holds that must never be shown, its templates not worked out."""
        return [value for name, value in args.items() if self._is(name, "secret")]

    def _is(self, field: str, what: str) -> bool:
        return field in self._fields and bool(self._fields[field].metadata.get(what))

    def _doc(self, field: str) -> str:
        doc = self._fields[field].metadata.get("doc", "")
        return f"{field}: {doc}" if doc else ""

    def _checked(self, field: str, value: Any) -> Any:
        try:
            return plain(value, self._hints[field])
        except Unsure:
            return self._adapter(field).validate_python(value)

    def _adapter(self, field: str) -> pydantic.TypeAdapter[Any]:
        adapter = self._adapters.get(field)
        if adapter is None:
            hint = self._hints[field]
            _strict_inside(hint)
            config: Any = None if dataclasses.is_dataclass(hint) else _CONFIG
            adapter = pydantic.TypeAdapter(hint, config=config)
            self._adapters[field] = adapter
        return adapter


def _is_missing(problem: Mapping[str, Any]) -> bool:
    return bool(problem["type"] == "missing")


def _strict_inside(hint: Any) -> None:
    """Dataclasses within a hint refuse unknown keys too."""
    for inner in typing.get_args(hint):
        _strict_inside(inner)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and not hasattr(hint, "__pydantic_config__"):
        hint.__pydantic_config__ = _NESTED  # type: ignore[attr-defined]
        for inner in typing.get_type_hints(hint).values():
            _strict_inside(inner)


def _unmarked(value: Any) -> Any:
    """Plain values, as pydantic reads them without surprises."""
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, Map):
        return {key: _unmarked(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [_unmarked(item) for item in value]
    return value


def _walk(value: Any, path: tuple[int | str, ...], at: Where) -> tuple[Where, Any, bool]:
    """Follows a path of pydantic's into a playbook value: the place reached, the value there, whether to its end."""
    for step in path:
        if isinstance(value, Map) and step in value:
            at, value = value.values_at.get(step, at), value[str(step)]
        elif isinstance(value, Seq) and isinstance(step, int) and step < len(value):
            at, value = value.items_at[step], value[step]
        else:
            return at, value, False
    return at, value, True


def _expressions(value: Any, evaluate: Callable[[Text], Any]) -> Any:
    if isinstance(value, Seq):
        return [_expressions(item, evaluate) for item in value]
    if isinstance(value, Text):
        return Expression(str(value), functools.partial(evaluate, value))
    return Expression(str(value).lower(), lambda: value)
