"""Answers ``invoke doc NAME``: a module or keyword by its name, and the list of all."""

from __future__ import annotations

import json

from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from botyard import modules
from botyard.contracts import BadInput
from botyard.hints import close_to
from botyard.playbook.refused import WORDS as REFUSED
from botyard.reference.facts import module
from botyard.reference.filter_meanings import FILTER, TEST, About
from botyard.reference.meanings import MEANING
from botyard.reference.pages import keyword_text, module_text, short


def show(name: str, console: Console) -> None:
    """Prints what is known about ``name``, or the list of everything where it is empty.

    Raises:
        BadInput: nothing of that name is known.
    """
    for part in _about(name) if name else _everything():
        console.print(part)


def _about(name: str) -> list[RenderableType]:
    texts = [module_text(module(full)) for full in modules.MODULES if name in (full, short(full))]
    if name in MEANING:
        texts.append(keyword_text(name))
    if not texts and name in REFUSED:
        texts.append(f"## {name}\n\nA word of Ansible's that is refused: {REFUSED[name]}.\n")
    for meanings, kind in ((FILTER, "filter"), (TEST, "test")):
        if name == f"{kind}s":
            return [f"{kind}s, as Ansible's; besides all of Jinja2's own", _of_kind(meanings)]
        if name in meanings:
            about = meanings[name]
            texts.append(
                f"## {name}\n\nA {kind}, as Ansible's: {about.meaning}. `{about.example}` gives "
                f"`{json.dumps(about.gives)}`\n\nAll that there are: invoke doc {kind}s\n"
            )
    if not texts:
        known = [*modules.MODULES, *map(short, modules.MODULES), *MEANING, *REFUSED, *FILTER, *TEST, "filters", "tests"]
        raise BadInput(f"nothing is known about {name!r}", close_to(name, known) or "invoke doc lists what there is")
    return [Markdown(text) for text in texts]


def _of_kind(meanings: dict[str, About]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "what it gives", "for example", ""):
        table.add_column(title, no_wrap=title == "name", overflow="fold")
    for name, about in meanings.items():
        table.add_row(name, about.meaning, Text(about.example), Text(json.dumps(about.gives)))
    return table


def _everything() -> list[RenderableType]:
    table = Table(box=None, pad_edge=False)
    table.add_column("module", no_wrap=True)
    table.add_column("what it does", overflow="fold")
    for name in sorted(modules.MODULES):
        table.add_row(name, module(name).summary.replace("`", ""))
    words = ", ".join(word for word in MEANING if "." not in word)
    return [
        table,
        f"\nkeywords: {words}",
        "\nfilters and tests, with their meanings: invoke doc filters, invoke doc tests",
        "\nMore on one: invoke doc NAME. All of it: docs/reference/",
    ]
