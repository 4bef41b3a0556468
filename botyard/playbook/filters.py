"""The filters, tests and lookups that Ansible adds to Jinja2, as far as playbooks here use them."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import pass_context
from jinja2.runtime import Context

from botyard.contracts import Secret


class Omitted:
    """Stands for ``omit``: an argument with this value is left out."""

    def __repr__(self) -> str:
        return "omit"


OMIT = Omitted()


def _plain(value: Any) -> str:
    if isinstance(value, Secret | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def to_json(value: Any, **options: Any) -> str:
    return json.dumps(value, default=_plain, **options)


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True) -> str:
    return json.dumps(value, default=_plain, indent=indent, sort_keys=sort_keys, separators=(",", ": "))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML 1.1, as everywhere here; a date stays text."""


_Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def from_yaml(text: Any) -> Any:
    return yaml.load(text, Loader=_Loader) if isinstance(text, str) else text  # noqa: S506 - a SafeLoader


def _yaml(value: Any, flow: bool | None, indent: int | None) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    plain = json.loads(to_json(value))
    return str(yaml.dump(plain, Dumper=dumper, default_flow_style=flow, indent=indent, allow_unicode=True))


def to_yaml(value: Any, indent: int | None = None) -> str:
    return _yaml(value, None, indent)


def to_nice_yaml(value: Any, indent: int = 4) -> str:
    return _yaml(value, False, indent)


def to_bool(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in ("yes", "on", "1", "true", "1.0"):
        return True
    if word in ("no", "off", "0", "false", "0.0", ""):
        return False
    raise ValueError(f"bool: {value!r} is neither true nor false")


def combine(*mappings: Any, recursive: bool = False, list_merge: str = "replace") -> dict[str, Any]:
    flat: list[Any] = []
    for one in mappings:
        flat += one if isinstance(one, list) else [one]
    result: dict[str, Any] = {}
    for one in flat:
        if not isinstance(one, Mapping):
            raise TypeError(f"combine takes mappings, not {type(one).__name__}")
        result = _merged(result, one, recursive, list_merge)
    return result


def _merged(low: Mapping[str, Any], high: Mapping[str, Any], recursive: bool, list_merge: str) -> dict[str, Any]:
    result = dict(low)
    for key, value in high.items():
        old = result.get(key)
        if recursive and isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(old, value, recursive, list_merge)
        elif recursive and isinstance(old, list) and isinstance(value, list) and list_merge in ("append", "prepend"):
            result[key] = old + value if list_merge == "append" else value + old
        else:
            result[key] = value
    return result


def dict2items(value: Mapping[str, Any], key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"dict2items takes a mapping, not {type(value).__name__}")
    return [{key_name: key, value_name: item} for key, item in value.items()]


def items2dict(value: list[dict[str, Any]], key_name: str = "key", value_name: str = "value") -> dict[str, Any]:
    return {item[key_name]: item[value_name] for item in value}


def _flags(ignorecase: bool, multiline: bool) -> re.RegexFlag:
    return (re.IGNORECASE if ignorecase else re.RegexFlag(0)) | (re.MULTILINE if multiline else re.RegexFlag(0))


def regex_replace(
    value: Any, pattern: str, replacement: str = "", ignorecase: bool = False, multiline: bool = False, count: int = 0
) -> str:
    return re.sub(pattern, replacement, str(value), count=count, flags=_flags(ignorecase, multiline))


def regex_search(value: Any, pattern: str, *groups: str, ignorecase: bool = False, multiline: bool = False) -> Any:
    match = re.search(pattern, str(value), _flags(ignorecase, multiline))
    if match is None or not groups:
        return match.group(0) if match else None
    names = [g[3:-1] if g.startswith("\\g<") else g.lstrip("\\") for g in groups]
    return [match.group(int(n) if n.isdigit() else n) for n in names]


def regex_findall(value: Any, pattern: str, ignorecase: bool = False, multiline: bool = False) -> list[Any]:
    return re.findall(pattern, str(value), _flags(ignorecase, multiline))


def hashed(value: Any, algorithm: str = "sha1") -> str:
    return hashlib.new(algorithm, str(value).encode(), usedforsecurity=False).hexdigest()


def flatten(value: list[Any], levels: int | None = None) -> list[Any]:
    result: list[Any] = []
    for item in value:
        if isinstance(item, list | tuple) and levels != 0:
            result += flatten(list(item), None if levels is None else levels - 1)
        elif item is not None:
            result.append(item)
    return result


def _unique(items: list[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if item not in items[:index]]


def ternary(value: Any, if_true: Any, if_false: Any, if_none: Any = None) -> Any:
    return if_none if value is None and if_none is not None else (if_true if value else if_false)


def _quoted(value: Any) -> str:
    return shlex.quote("" if value is None else str(value))


EXCUSING = ("default", "d", "type_debug")  # filters that take what is undefined
FILTERS: dict[str, Callable[..., Any]] = {
    "b64decode": lambda value: base64.b64decode(value).decode(),
    "b64encode": lambda value: base64.b64encode(str(value).encode()).decode(),
    "basename": lambda value: os.path.basename(str(value)),  # noqa: PTH119 - 'a/' has an empty basename in Ansible
    "bool": to_bool,
    "combine": combine,
    "dict2items": dict2items,
    "difference": lambda a, b: [item for item in _unique(list(a)) if item not in b],
    "dirname": lambda value: os.path.dirname(str(value)),  # noqa: PTH120 - as above
    "expanduser": lambda value: str(Path(str(value)).expanduser()),
    "flatten": flatten,
    "from_json": lambda value: json.loads(value) if isinstance(value, str) else value,
    "from_yaml": from_yaml,
    "hash": hashed,
    "intersect": lambda a, b: [item for item in _unique(list(a)) if item in b],
    "items2dict": items2dict,
    "mandatory": lambda value: value,
    "product": lambda *lists: [list(row) for row in itertools.product(*lists)],
    "quote": _quoted,
    "realpath": lambda value: str(Path(str(value)).resolve()),
    "regex_escape": lambda value: re.escape(str(value)),
    "regex_findall": regex_findall,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
    "sha1": lambda value: hashed(value, "sha1"),
    "split": lambda value, sep=None: str(value).split(sep),
    "splitext": lambda value: list(os.path.splitext(str(value))),  # noqa: PTH122 - both halves are wanted
    "ternary": ternary,
    "to_json": to_json,
    "to_nice_json": to_nice_json,
    "to_nice_yaml": to_nice_yaml,
    "to_yaml": to_yaml,
    "type_debug": lambda value: type(value).__name__,
    "union": lambda a, b: _unique([*a, *b]),
    "zip": lambda *lists: [list(row) for row in zip(*lists, strict=False)],
}


def _of_result(word: str) -> Callable[[Any], bool]:
    def test(result: Any) -> bool:
        if not isinstance(result, Mapping):
            raise TypeError(f"the test '{word}' takes a registered result, not {type(result).__name__}")
        return bool(result.get(word))

    return test


_failed = _of_result("failed")


def _version(value: Any, other: str, operator: str = "==") -> bool:
    names = {"=": "==", "eq": "==", "ne": "!=", "<>": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
    a, b = _version_key(str(value)), _version_key(str(other))
    compare = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
    return compare[names.get(operator, operator)]


def _version_key(text: str) -> list[tuple[int, int, str]]:
    """As in Ansible's loose comparison: numbers, letters and other signs in their order, 1.0 before 1.0.0."""
    parts = re.split(r"(\d+|[a-z]+|\.)", text.removeprefix("v"))
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts if part not in ("", ".")]


TESTS: dict[str, Callable[..., bool]] = {
    "changed": _of_result("changed"),
    "contains": lambda container, item: item in container,
    "exists": lambda value: Path(str(value)).exists(),
    "failed": _failed,
    "failure": _failed,
    "falsy": lambda value: not value,
    "file": lambda value: Path(str(value)).is_file(),
    "directory": lambda value: Path(str(value)).is_dir(),
    "match": lambda value, pattern: re.match(pattern, str(value)) is not None,
    "regex": lambda value, pattern: re.search(pattern, str(value)) is not None,
    "search": lambda value, pattern: re.search(pattern, str(value)) is not None,
    "skipped": _of_result("skipped"),
    "subset": lambda a, b: all(item in b for item in a),
    "succeeded": lambda result: not _failed(result),
    "success": lambda result: not _failed(result),
    "successful": lambda result: not _failed(result),
    "superset": lambda a, b: all(item in a for item in b),
    "truthy": bool,
    "version": _version,
}


def _of_env(_context: Context, term: str, default: Any = "") -> Any:
    return os.environ.get(term, default)


def _of_file(context: Context, term: str) -> str:
    folder = Path(str(context.resolve("playbook_dir")))
    return (folder / Path(term).expanduser()).read_text(encoding="utf-8").rstrip()


_LOOKUPS: dict[str, Callable[..., Any]] = {"env": _of_env, "file": _of_file}


def lookup_of(kind: str) -> Callable[..., Any]:
    """Raises ValueError for a lookup that there is not."""
    found = _LOOKUPS.get(kind.removeprefix("ansible.builtin."))
    if found is None:
        raise ValueError(f"lookup {kind!r} is not supported; {' and '.join(_LOOKUPS)} are")
    return found


@pass_context
def lookup(context: Context, kind: str, *terms: str, **options: Any) -> Any:
    """``lookup('env', NAME)`` and ``lookup('file', PATH)``, where a relative path starts at the playbook's folder;
    several terms give their values joined by a comma."""
    found = [lookup_of(kind)(context, term, **options) for term in terms]
    return found[0] if len(found) == 1 else ",".join(map(str, found))
