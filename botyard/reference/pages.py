"""The reference as Markdown: for docs/reference, and word by word for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable

from botyard import modules
from botyard.playbook import keywords as tables
from botyard.playbook import refused
from botyard.reference.facts import COLLECTIONS, Argument, Module, module
from botyard.reference.filter_meanings import FILTER, TEST, About
from botyard.reference.markdown import MADE, table
from botyard.reference.meanings import BESIDE, LEVELS, MEANING

_ALWAYS_RETURNED = (
    "Besides what a module returns, `register` always gives `changed`, `failed` and `msg`; `skipped` where the task "
    "was skipped, `attempts` where it was tried again, `results` (one result an item) where it has a loop."
)


def index() -> str:
    """All modules, one line each."""
    parts = [
        f"{MADE}# Modules\n\nA task names one module by its full name; `ansible.builtin.` may be left out. "
        f"In the terminal: `invoke doc`, `invoke doc helm`. Any argument may be a template. {_ALWAYS_RETURNED}\n"
    ]
    for name in COLLECTIONS:
        rows = [(f"[`{short(m.name)}`](modules/{name}.md#{m.name.replace('.', '')})", m.summary) for m in _of(name)]
        parts.append(f"## {name}\n\n{table(('module', 'what it does'), rows)}")
    return "\n".join(parts)


def collection(name: str) -> str:
    """The page of one collection."""
    return f"{MADE}# {name}\n\n{_ALWAYS_RETURNED}\n\n" + "\n".join(module_text(m) for m in _of(name))


def module_text(told: Module, level: int = 2) -> str:
    """All about one module."""
    parts = [f"{'#' * level} {told.name}\n", f"{told.summary}\n", f"{told.behaviour}\n"]
    if told.takes_any:
        parts.append("Takes any names, with any values.\n")
    elif told.arguments:
        rows = [(_named(a), a.takes, _default(a), a.doc) for a in told.arguments]
        parts.append(table(("argument", "takes", "default", "meaning"), rows))
    else:
        parts.append("Takes no arguments.\n")
    if told.free_form:
        parts.append(f"A bare string after the module's name is taken as `{told.free_form}`.\n")
    if told.returns:
        parts.append(table(("returns", "meaning"), [(f"`{key}`", said) for key, said in told.returns.items()]))
    if told.name in BESIDE:
        parts.append(f"Keywords that may stand beside it: {_ticked(BESIDE[told.name])}.\n")
    parts.append(f"```yaml\n{told.example}```\n")
    return "\n".join(parts)


def _examples(meanings: dict[str, About]) -> list[tuple[str, ...]]:
    return [
        (f"`{name}`", one.meaning, f"`{one.example}`", f"`{json.dumps(one.gives)}`") for name, one in meanings.items()
    ]


def keywords() -> str:
    """The page of all keywords, filters and refused words."""
    parts = [
        f"{MADE}# Keywords\n\nWhat plays, imports, blocks and tasks may say; nothing else is. In the terminal: "
        "`invoke doc when`. Text may always be a template; other values where that is said.\n"
    ]
    words = list(dict.fromkeys(word for table in LEVELS.values() for word in table))
    rows = [(f"`{word}`", ", ".join(levels_of(word)), _takes(word), MEANING[word]) for word in words]
    parts.append(table(("keyword", "in", "takes", "meaning"), rows))
    parts.append(
        "## Filters, tests and lookups\n\nAll of [Jinja2's own]"
        "(https://jinja.palletsprojects.com/en/stable/templates/#builtin-filters), and these of Ansible's.\n\n"
        f"{table(('filter', 'what it gives', 'for example', 'gives'), _examples(FILTER))}\n"
        f"{table(('test', 'true where', 'for example', 'gives'), _examples(TEST))}\n"
        "- `lookup('env', NAME)` and `lookup('file', PATH)`; `omit` leaves an argument out\n"
    )
    why_not = refused.WORDS | {f"meta: {word}": why for word, why in refused.META.items()}
    rows2 = [(f"`{word}`", why) for word, why in sorted(why_not.items())]
    parts.append(
        f"## Refused\n\nWords of Ansible's that end the run before it starts.\n\n{table(('word', 'why'), rows2)}"
    )
    return "\n".join(parts)


def keyword_text(word: str) -> str:
    """All about one keyword, wherever it may stand.

    Raises:
        KeyError: there is no such keyword.
    """
    return (
        f"## {word}\n\n{_capital(MEANING[word])}.\n\nKeyword of: {', '.join(levels_of(word))}. Takes {_takes(word)}.\n"
    )


def levels_of(word: str) -> list[str]:
    """Where a keyword may stand."""
    return [level for level, table in LEVELS.items() if word in table]


def _takes(word: str) -> str:
    kind = LEVELS[levels_of(word)[0]][word]
    if kind == "any" and "import_tasks" in word:
        return "a file name"
    return tables.KINDS[kind.rstrip("?")][0] + (", or a template" if kind.endswith("?") else "")


def short(name: str) -> str:
    return name.rpartition(".")[2]


def _of(collection: str) -> list[Module]:
    return [module(name) for name in sorted(modules.MODULES) if name.rpartition(".")[0] == collection]


def _named(one: Argument) -> str:
    return f"`{one.name}`" + (f" (also {_ticked(one.aliases)})" if one.aliases else "")


def _default(one: Argument) -> str:
    return "**required**" if one.required else f"`{one.default}`" if one.default else ""


def _ticked(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
