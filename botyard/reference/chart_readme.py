"""README of a chart: made from Chart.yaml, usage.md and the comments in values.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from botyard import yaml11
from botyard.reference.markdown import MADE, table


@dataclass(frozen=True)
class Value:
    """One key of a values file.

    Args:
        path: as in ``image.tag``.
        default: as it is written there; empty for a block of further keys.
        doc: the comment above it, in one line.
    """

    path: str
    default: str
    doc: str


def values(text: str) -> list[Value]:
    """The keys of a values file in order; a block of keys is listed itself where it has a comment."""
    return list(_below(yaml11.compose(text), text.splitlines(), ()))


def page(chart: Path) -> str:
    """The README of a chart's folder."""
    about = yaml11.load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    name, release = about["name"], {"rasa": "myrasa"}.get(about["name"], about["name"])
    rows = [(f"`{v.path}`", v.default and f"`{v.default}`", v.doc) for v in values((chart / "values.yaml").read_text())]
    install = f"helm upgrade --install {release} charts/{name} --namespace rasa --create-namespace --values values.yaml"
    return (
        f"{MADE}# {name}\n\n{about['description']}. Chart {about['version']}, for {name} {about['appVersion']} and "
        f"Kubernetes {about['kubeVersion'].removesuffix('-0')}.\n\n```sh\n"
        f"{install}\n```\n\nValues files of the retired official chart work unchanged: "
        "[what each of their keys does here](../../docs/reference/charts.md).\n\n"
        f"{(chart / 'usage.md').read_text(encoding='utf-8')}\n"
        f"## Values\n\n{table(('key', 'default', 'meaning'), rows)}"
    )


def _below(node: Any, lines: list[str], parents: tuple[str, ...]) -> Iterator[Value]:
    for key, value in node.value:
        path = (*parents, key.value)
        doc = _comment(lines, key.start_mark.line)
        block = isinstance(value, yaml.MappingNode) and not value.flow_style
        if not block:
            yield Value(".".join(path), _written(lines, value), doc)
            continue
        if doc:
            yield Value(".".join(path), "", doc)
        yield from _below(value, lines, path)


def _comment(lines: list[str], line: int) -> str:
    """The comment right above a line."""
    found: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        found.insert(0, lines[line].strip().removeprefix("#").strip())
    return " ".join(found).replace("<", "&lt;")


def _written(lines: list[str], node: Any) -> str:
    begin, end = node.start_mark, node.end_mark
    return lines[begin.line][begin.column : end.column] if begin.line == end.line else ""
