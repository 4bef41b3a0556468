"""YAML read with the place of everything in it; strings keep where they stand, which also marks them as templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from yaml.constructor import SafeConstructor
from yaml.error import MarkedYAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from botyard import hints, yaml11
from botyard.contracts import BadInput, shown
from botyard.hints import close_file

_TAG = "tag:yaml.org,2002:"
_MAX_ALIASED = 20_000  # nodes below aliases: a few lines of aliases of aliases can stand for billions
_PLAIN = SafeConstructor()


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file; ``line`` and ``column`` count from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{shown(self.file)}:{self.line}:{self.column}"

    def moved(self, lines: int) -> Where:
        return Where(self.file, self.line + lines, self.column) if lines else self

    def tell(self, problem: str) -> str:
        """The problem with its place, and the line with a caret where the file can be read."""
        excerpt = hints.excerpt(self.file, self.line, self.column)
        return f"{self}: {problem}" + (f"\n{excerpt}" if excerpt else "")


class Text(str):
    """A string that stands in a playbook: the only kind that is ever read as a template."""

    __slots__ = ("is_template", "where")
    where: Where
    is_template: bool

    def __new__(cls, value: str, where: Where) -> Text:
        self = super().__new__(cls, value)
        self.where = where
        self.is_template = "{{" in value or "{%" in value or "{#" in value
        return self


class Map(dict[str, Any]):
    """A mapping of a playbook; ``keys_at`` and ``values_at`` tell where each key and value stands."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self.where = where
        self.keys_at: dict[Any, Where] = {}
        self.values_at: dict[Any, Where] = {}

    def at(self, key: Any) -> Where:
        return self.values_at.get(key, self.where)


class Seq(list[Any]):
    """A list of a playbook; ``items_at`` tells where each item stands."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self.where = where
        self.items_at: list[Where] = []


def refuse(where: Where, problem: str, cure: str = "") -> NoReturn:
    """Raises BadInput that shows the place."""
    raise located(where, problem, cure)


def located(where: Where, problem: str, cure: str = "") -> BadInput:
    return BadInput(where.tell(problem), cure)


def read_yaml(file: Path, asked_at: Where | None = None) -> Any:
    """Reads one YAML 1.1 document (as Ansible does) into Map, Seq, Text and plain numbers, booleans and None.

    Args:
        asked_at: the place that names this file, for the message where it is missing.

    Raises:
        BadInput: missing or unreadable file, bad YAML, duplicate key, unknown tag.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        asking = asked_at.file if asked_at else None  # which surely does not mean itself
        siblings = [p.name for p in file.parent.glob("*.y*ml") if p != asking] if file.parent.is_dir() else []
        meant = close_file(file.name, siblings)
        problem = f"no such file: {shown(file)}"
        cure = f"did you mean {meant}?" if meant else "mend its name, or write it"
        raise (located(asked_at, problem, cure) if asked_at else BadInput(problem, cure)) from None
    except OSError as error:
        problem, cure = f"cannot read {shown(file)}: {error.strerror}", "a playbook is a YAML file in UTF-8"
        raise (located(asked_at, problem, cure) if asked_at else BadInput(problem, cure)) from None
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        problem = f"not UTF-8: the byte 0x{data[error.start]:02x} begins no character"
        raise located(_at_end_of(file, before), problem, "save the file as UTF-8") from None
    try:
        node = yaml11.compose(content)
        return _Builder(file).build(node) if node is not None else None
    except MarkedYAMLError as error:
        line, column, what, cure = yaml11.fault(content, error)
        raise located(Where(file, line, column), f"not valid YAML: {what}", cure) from None
    except ReaderError as error:
        problem = f"not valid YAML: the character #x{error.character:04x} is not allowed"
        raise located(_at_end_of(file, content[: error.position]), problem, "take it out") from None
    except RecursionError:
        raise located(Where(file, 1, 1), "not valid YAML: nested too deeply, or an alias that holds itself") from None


def _at_end_of(file: Path, text: str) -> Where:
    """The place in a file that begins with ``text``, right after that."""
    return Where(file, text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


def _slip(text: str, *, plain: bool) -> str:
    """What ends in a text and never began there; nobody means that, so it is refused."""
    if plain and text.startswith(('-"', "-'")):
        return "a blank is missing after the dash"
    if plain and text.endswith('"') and text.count('"') % 2:
        return "the text ends with a quote and does not begin with one"
    if plain and text.endswith("]") and text.count("]") > text.count("["):
        return "the text ends with ] and has no ["
    return "}} without {{" if text.count("}}") > text.count("{{") and text.count("}") > text.count("{") else ""


class _Builder:
    def __init__(self, file: Path) -> None:
        self.file = file
        self._unsafe = 0  # depth below the tag !unsafe
        self._seen: set[int] = set()
        self._aliased = 0

    def where(self, node: Node) -> Where:
        return Where(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: Node) -> Any:
        where = self.where(node)
        if id(node) in self._seen:
            self._aliased += 1
            if self._aliased > _MAX_ALIASED:
                refuse(where, "aliases of aliases make the file too large", "write out what is meant")
        self._seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self.scalar(node, where)
        kind, unsafe = ("map" if isinstance(node, MappingNode) else "seq"), node.tag == "!unsafe"
        if not unsafe and node.tag not in (_TAG + kind, "!"):
            refuse(where, f"unknown YAML tag {node.tag}", "only !unsafe is known")
        self._unsafe += unsafe
        built = self.mapping(node, where) if isinstance(node, MappingNode) else self.sequence(node, where)
        self._unsafe -= unsafe
        return built

    def sequence(self, node: SequenceNode, where: Where) -> Seq:
        items = Seq(where)
        for child in node.value:
            items.append(self.build(child))
            items.items_at.append(self.where(child))
        return items

    def mapping(self, node: MappingNode, where: Where) -> Map:
        result = Map(where)
        merged: list[Map] = []
        for key_node, value_node in node.value:
            key_at = self.where(key_node)
            if not isinstance(key_node, ScalarNode):
                refuse(key_at, "a key must be a plain word", 'quote a value that starts with {{: "{{ name }}"')
            if key_node.tag == _TAG + "merge":
                value = self.build(value_node)
                parts = list(value) if isinstance(value, Seq) else [value]
                if not all(isinstance(part, Map) for part in parts):
                    refuse(key_at, "<< takes a mapping or a list of mappings")
                merged += parts
                continue
            key = self.scalar(key_node, key_at)
            key = str(key) if isinstance(key, str) else key
            if key in result.keys_at:
                refuse(key_at, f"duplicate key {key!r}; it stands first in line {result.keys_at[key].line}")
            result[key] = self.build(value_node)
            result.keys_at[key] = key_at
            result.values_at[key] = self.where(value_node)
        for part in merged:
            for key in [k for k in part if k not in result]:
                result[key] = part[key]
                result.keys_at[key] = part.keys_at[key]
                result.values_at[key] = part.values_at[key]
        return result

    def scalar(self, node: ScalarNode, where: Where) -> Any:
        text: str = node.value
        kind = str(node.tag).removeprefix(_TAG)
        if kind == "!unsafe":
            return text
        if kind in ("str", "timestamp", "value"):
            if slip := _slip(text, plain=not node.style):
                refuse(where, slip, "mend it; text that is meant so takes quotes, braces the tag !unsafe")
            if self._unsafe:
                return text
            return Text(text, where.moved(1) if node.style in ("|", ">") else where)
        if kind not in ("null", "bool", "int", "float"):
            refuse(where, f"unknown YAML tag {node.tag}", "only !unsafe is known")
        try:
            return SafeConstructor.yaml_constructors[node.tag](_PLAIN, node)
        except (ValueError, KeyError):
            return refuse(where, f"{text!r} is no {kind}", "quote it")
