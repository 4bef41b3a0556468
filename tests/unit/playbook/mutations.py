"""Ways to break a playbook, one line at a time, and what two loaded playbooks mean differently."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botyard.playbook.arguments import ArgSpec
from botyard.playbook.source import Where

Lines = list[str]
_KEY = re.compile(r"( *(?:- )?)([\w.]+):(?= |$)(.*)")
_FLOW_KEY = re.compile(r"([{,] *)(\w+)(?=: )")
_NAME_IN_TEMPLATE = re.compile(r"\{\{ (\w+)")


def _typo(word: str) -> str:
    """A slip of the fingers: the last two letters change places, or the last one is lost."""
    swapped = word[:-2] + word[-1] + word[-2] if len(word) > 1 else word
    return swapped if swapped != word else word[:-1] if len(word) > 1 else word + "x"


def key_renamed(line: str) -> Iterator[str]:
    if found := _KEY.match(line):
        yield line[: found.start(2)] + _typo(found[2]) + line[found.end(2) :]


def flow_key_renamed(line: str) -> Iterator[str]:
    for found in _FLOW_KEY.finditer(line):
        yield line[: found.start(2)] + _typo(found[2]) + line[found.end(2) :]


def value_dropped(line: str) -> Iterator[str]:
    if (found := _KEY.match(line)) and found[3]:
        yield line[: found.start(3)]


def type_changed(line: str) -> Iterator[str]:
    """A list or mapping in place of one value, one value in place of a list or mapping."""
    if (found := _KEY.match(line)) and found[3]:
        value = found[3].strip()
        for new in ["lots"] if value[0] in "[{" else [f"[{value}]", f"{{a: {value}}}"]:
            yield f"{line[: found.start(3)]} {new}"


def word_changed(line: str) -> Iterator[str]:
    """A slip in a plain value: true, a file's name, one of a few words."""
    if (found := re.search(r"[:\[-] ([\w.]+)(?=\]?$)", line)) and not line.rstrip().endswith(":"):
        yield line[: found.start(1)] + _typo(found[1]) + line[found.end(1) :]


def indented(line: str) -> Iterator[str]:
    for more in (1, 2):
        yield " " * more + line


def dedented(line: str) -> Iterator[str]:
    for less in (1, 2):
        if line.startswith(" " * less):
            yield line[less:]


def tab_for_blanks(line: str) -> Iterator[str]:
    if line.startswith("  "):
        yield "\t" + line[2:]


def quote_lost(line: str) -> Iterator[str]:
    for found in re.finditer('"', line):
        yield line[: found.start()] + line[found.end() :]


def quotes_lost(line: str) -> Iterator[str]:
    for found in re.finditer('"([^"]*)"', line):
        yield line[: found.start()] + found[1] + line[found.end() :]


def brace_lost(line: str) -> Iterator[str]:
    """Of a template: one brace, or both."""
    for found in re.finditer(r"\{\{|\}\}", line):
        for kept in (found[0][0], ""):
            yield line[: found.start()] + kept + line[found.end() :]


def bracket_lost(line: str) -> Iterator[str]:
    """Of a list or mapping in one line, or of an index in a template."""
    for found in re.finditer(r"(?<!\{)\{(?!\{)|(?<!\})\}(?!\})|[\[\]]", line):
        yield line[: found.start()] + line[found.end() :]


def colon_lost(line: str) -> Iterator[str]:
    if found := _KEY.match(line):
        yield line[: found.end(2)] + line[found.end(2) + 1 :]


def blank_after_colon_lost(line: str) -> Iterator[str]:
    if (found := _KEY.match(line)) and found[3]:
        yield line[: found.start(3)] + line[found.start(3) + 1 :]


def dash_lost(line: str) -> Iterator[str]:
    if line.lstrip().startswith("- "):
        yield line.replace("- ", "  ", 1)


def blank_after_dash_lost(line: str) -> Iterator[str]:
    if line.lstrip().startswith("- "):
        yield line.replace("- ", "-", 1)


def key_twice(line: str) -> Iterator[str]:
    if _KEY.match(line):
        yield f"{line}\n{line.replace('- ', '  ', 1)}"


def comma_lost(line: str) -> Iterator[str]:
    for found in re.finditer(",", line):
        yield line[: found.start()] + line[found.end() :]


def filter_renamed(line: str) -> Iterator[str]:
    for found in re.finditer(r"\| (\w+)", line):
        yield line[: found.start(1)] + _typo(found[1]) + line[found.end(1) :]


def odd_character(line: str) -> Iterator[str]:
    odd = "\t@`%&*!|>#,?-'\"\0\u2028é{["
    for at in range(0, len(line) + 1, 3):
        yield line[:at] + odd[(at + len(line)) % len(odd)] + line[at:]


def variable_renamed(line: str) -> Iterator[str]:
    for found in _NAME_IN_TEMPLATE.finditer(line):
        yield line[: found.start(1)] + _typo(found[1]) + line[found.end(1) :]


WAYS: list[Callable[[str], Iterator[str]]] = [
    key_renamed, flow_key_renamed, value_dropped, type_changed, word_changed, indented, dedented, tab_for_blanks,
    quote_lost, quotes_lost, brace_lost, bracket_lost, colon_lost, blank_after_colon_lost, dash_lost,
    blank_after_dash_lost, key_twice, comma_lost, filter_renamed, variable_renamed,
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Mutation:
    """A playbook's text with one line broken; ``line`` counts from 1."""

    way: str
    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.way} {self.file.name}:{self.line}: {self.text.splitlines()[self.line - 1].strip()}"


def mutations(files: list[Path], way: Callable[[str], Iterator[str]]) -> Iterator[Mutation]:
    for file in files:
        lines = file.read_text().splitlines()
        for index, line in enumerate(lines):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            for broken in way(line):
                if broken != line:
                    text = "\n".join([*lines[:index], broken, *lines[index + 1 :]]) + "\n"
                    yield Mutation(way.__name__, file, index + 1, text)


def meaning(value: Any, path: str = "") -> dict[str, str]:
    """All that a loaded playbook says, place by place in its tree; where it stands in the file left out."""
    if isinstance(value, Where | ArgSpec) or callable(value):
        return {}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, dict):
        parts = {str(key): part for key, part in value.items()}
    elif isinstance(value, list | tuple):
        parts = {str(number): part for number, part in enumerate(value)}
    elif isinstance(value, frozenset):
        return {path: repr(sorted(value))}
    else:
        return {path: f"{value}" if isinstance(value, str | Path) else repr(value)}
    found = {path: type(value).__name__}
    for name, part in parts.items():
        found.update(meaning(part, f"{path}/{name}"))
    return found


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Places that do not say the same."""
    return sorted(path for path in {*one, *other} if one.get(path) != other.get(path))
